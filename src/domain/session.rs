//! A session: its two sides, how it is named, and how its workers say they fare.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// A side of a session; `GlusterFS` before 10 said master and slave.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The volume that is copied.
    Primary,
    /// The copy.
    Secondary,
    /// Both at once.
    Both,
}

/// The other side of a session as the CLI takes it: `[USER@]HOST::VOLUME`.
///
/// Its parts go into commands, so nothing else is let in: no blanks, no leading dash, no shell's
/// own characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SecondaryUrl {
    /// gsyncd's user over there; root where it is not given.
    pub user: Option<String>,
    /// The host as it was typed at `create`.
    pub host: String,
    /// The volume there.
    pub volume: String,
}

/// What was given for a secondary and is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a secondary: {text:?}; it is written [USER@]HOST::VOLUME")]
pub struct SecondaryUrlError {
    /// The text as it was given.
    pub text: String,
}

/// A session as `gluster volume geo-replication … status` shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Session {
    /// The primary volume's name.
    pub primary: String,
    /// The other side.
    pub secondary: SecondaryUrl,
    /// The other volume's id, the second half of the marks' names; unknown before it was started.
    pub secondary_id: Option<Uuid>,
    /// One worker for each brick of the primary.
    pub workers: Vec<WorkerStatus>,
}

/// A row of the status: one brick's worker, in the words of the CLI.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WorkerStatus {
    /// The brick's node.
    pub node: String,
    /// The brick's directory there.
    pub brick: PathBuf,
    /// `Active`, `Passive`, `Faulty`, `Initializing...`, `Created`, `Stopped`, `Paused`, `Offline`.
    pub state: String,
    /// `Changelog Crawl`, `History Crawl`, `Hybrid Crawl`; `N/A` where it does not crawl.
    pub crawl: String,
    /// `LAST_SYNCED` in the node's local time, or `N/A`.
    pub last_synced: String,
}

impl SecondaryUrl {
    /// The session's folder name: `PRIMARY_HOST_VOLUME`, below
    /// `/var/lib/glusterd/geo-replication` and among the logs since 4.0.
    #[must_use]
    pub fn folder(&self, primary: &str) -> String {
        format!("{primary}_{}_{}", self.host, self.volume)
    }

    /// Whether both name the same volume on the same host; the user is no part of a session's name.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.host == other.host && self.volume == other.volume
    }
}

impl Session {
    /// Whether no worker runs.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.workers.iter().all(|worker| ["Stopped", "Created"].contains(&worker.state.as_str()))
    }
}

impl FromStr for SecondaryUrl {
    type Err = SecondaryUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let bare = text.strip_prefix("ssh://").unwrap_or(text);
            let (place, volume) = bare.rsplit_once("::")?;
            let (user, host) = match place.rsplit_once('@') {
                Some((user, host)) => (Some(user), host),
                None => (None, place),
            };
            // A colon for IPv6, a percent sign for its zone.
            let sound = is_word(host, "._-:%[]")
                && is_word(volume, "_-.")
                && user.is_none_or(|user| is_word(user, "._-"));
            let user = user.map(str::to_owned);
            sound.then(|| Self { user, host: host.to_owned(), volume: volume.to_owned() })
        };
        read().ok_or_else(|| SecondaryUrlError { text: text.to_owned() })
    }
}

/// Letters, digits and the given others, and no option in disguise.
fn is_word(text: &str, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(fits)
}

impl fmt::Display for SecondaryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}::{}", self.host, self.volume)
    }
}

impl Serialize for SecondaryUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secondaries_are_read_as_the_cli_writes_them() {
        for (text, user, host, volume) in [
            ("s1::gv0dr", None, "s1", "gv0dr"),
            ("root@s1::gv0dr", Some("root"), "s1", "gv0dr"),
            ("ssh://geo@far.example.org::a-b_c", Some("geo"), "far.example.org", "a-b_c"),
            ("fd00::7::gv0dr", None, "fd00::7", "gv0dr"),
        ] {
            let url: SecondaryUrl = text.parse().unwrap();
            assert_eq!((url.user.as_deref(), &*url.host, &*url.volume), (user, host, volume));
            assert_eq!(url.to_string(), text.trim_start_matches("ssh://"));
        }
    }

    #[test]
    fn what_could_be_an_option_or_a_command_is_no_secondary() {
        for text in ["", "gv0dr", "s1:gv0dr", "::v", "s1::", "-oProxyCommand=x::v", "a;b::v"] {
            assert!(text.parse::<SecondaryUrl>().is_err(), "{text}");
        }
        for text in ["s1::-v", "$(x)@s1::v", "-l@s1::v", "s1::v w", "s1\n::v", "@s1::v", "s1::../v"]
        {
            assert!(text.parse::<SecondaryUrl>().is_err(), "{text}");
        }
    }
}
