//! Where a log comes from, by its path and first line: program, side, session.
//!
//! Paths of every release: `geo-replication/<primary>/<escaped url>.log` up to 3.13,
//! `geo-replication/<session>/gsyncd.log` since 4.0; the secondary's below
//! `geo-replication-slaves`, since 10 `geo-replication-secondaries` (`gsyncd.conf.in`,
//! `glusterd.c` `configure_syncdaemon`).

use crate::domain::{Name, Side, SourceKind};
use crate::format::fields::between;
use crate::format::logline::{LogLine, Origin};

/// What a path shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct LogOrigin {
    pub(super) kind: Option<SourceKind>,
    pub(super) side: Option<Side>,
    pub(super) session: Option<String>,
    pub(super) node: Option<String>,
}

impl LogOrigin {
    /// Reads a path.
    pub(super) fn of(path: &Name) -> Self {
        let text = path.lossy();
        let side = side(&text);
        Self { kind: kind(&text, side), side, session: session(&text), node: node(&text) }
    }

    /// The kind, as far as the path and the first line of the file show it.
    pub(super) fn kind_with_first_line(&self, first: &LogLine<'_>) -> SourceKind {
        match first.origin {
            Origin::Command => SourceKind::Cli,
            Origin::Gsyncd { label, .. } => {
                let secondary = label.starts_with(b"slave") || label.starts_with(b"secondary");
                if secondary || self.kind == Some(SourceKind::SecondaryGsyncd) {
                    SourceKind::SecondaryGsyncd
                } else {
                    SourceKind::PrimaryGsyncd
                }
            }
            Origin::Program { file, domain, .. } => {
                self.kind.unwrap_or_else(|| kind_of_program(file, domain))
            }
        }
    }
}

/// Sources that only one program has; everything else is a client's.
const PROGRAMS: &[(&[u8], SourceKind)] = &[
    (b"gf-changelog", SourceKind::Changes),
    (b"gf-history", SourceKind::Changes),
    (b"glusterd", SourceKind::Glusterd),
    (b"cli", SourceKind::Cli),
    (b"input.c", SourceKind::Cli),
    (b"posix", SourceKind::Brick),
    (b"server", SourceKind::Brick),
    (b"changelog", SourceKind::Brick),
];

/// The program that a C source file and a log domain belong to.
fn kind_of_program(file: &[u8], domain: &[u8]) -> SourceKind {
    if domain.ends_with(b"gfchangelog") {
        return SourceKind::Changes;
    }
    let known = PROGRAMS.iter().find(|(beginning, _)| file.starts_with(beginning));
    known.map_or(SourceKind::Client, |(_, kind)| *kind)
}

fn side(path: &str) -> Option<Side> {
    let path = path.to_ascii_lowercase();
    let last = |words: &[&str]| words.iter().filter_map(|word| path.rfind(word)).max();
    let secondary =
        last(&["geo-replication-s", "secondary-", "slave-", "secondarymnt", "slavemnt"]);
    let primary = last(&["geo-replication/", "primary-", "master-", "primarymnt", "mastermnt"]);
    match (primary, secondary) {
        (None, None) => None,
        (primary, secondary) if primary > secondary => Some(Side::Primary),
        _ => Some(Side::Secondary),
    }
}

fn kind(path: &str, side: Option<Side>) -> Option<SourceKind> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let secondary = side == Some(Side::Secondary);
    if path.contains("/bricks/") {
        Some(SourceKind::Brick)
    } else if file.starts_with("changes") || file.contains("-changes.log") {
        Some(SourceKind::Changes)
    } else if file.contains("glusterd") {
        Some(SourceKind::Glusterd)
    } else if file.starts_with("cli.log") || file.starts_with("cmd_history") {
        Some(SourceKind::Cli)
    } else if file.starts_with("mnt-")
        || file.contains(".gluster.log")
        || file.starts_with("gverify")
    {
        Some(SourceKind::Client)
    } else if file.starts_with("gsyncd.log") || file.starts_with("ssh%3A") {
        let ours = if secondary { SourceKind::SecondaryGsyncd } else { SourceKind::PrimaryGsyncd };
        Some(ours)
    } else {
        None
    }
}

/// The primary node in a collection of logs: a folder named `primary-<node>`.
fn node(path: &str) -> Option<String> {
    path.split('/')
        .rev()
        .skip(1)
        .find_map(|folder| folder.strip_prefix("primary-"))
        .map(str::to_owned)
}

/// `<primary>_<host>_<secondary>` from the log's folder or its escaped name.
fn session(path: &str) -> Option<String> {
    let mut parts = path.rsplit('/');
    let (file, folder, above) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    if let Some(url) = file.strip_prefix("ssh%3A%2F%2F") {
        let url = url.replace("%40", "@").replace("%3A", ":").replace("%2F", "/");
        let (host, rest) = url.split_once(':')?;
        let host = host.rsplit('@').next()?;
        let volume = rest.rsplit(':').next()?.split('.').next()?;
        return Some(format!("{folder}_{host}_{volume}"));
    }
    let ours = above.starts_with("geo-replication") && folder.matches('_').count() >= 2;
    ours.then(|| folder.to_owned())
}

/// The session that a message names: its configuration's folder, its two ends, its log's folder.
pub(super) fn session_in(message: &[u8]) -> Option<String> {
    if let Some(ends) = message.strip_prefix(b"syncing: ") {
        let ends = String::from_utf8_lossy(ends);
        let (primary, secondary) = ends.split_once(" -> ")?;
        if !secondary.contains("gluster://") {
            return None;
        }
        let primary = primary.rsplit(':').next()?;
        let (host, volume) = secondary.split_once("://")?.1.split_once(':')?;
        let host = host.rsplit('@').next()?;
        return Some(format!("{primary}_{host}_{}", volume.rsplit(':').next()?));
    }
    let folder = between(message, "/glusterd/geo-replication/", "/gsyncd.conf").or_else(|| {
        let log = between(message, "--log-file=", " ")?;
        between(log, "/geo-replication", "").and_then(|rest| {
            let mut parts = rest.split(|&byte| byte == b'/').skip(1);
            parts.next().filter(|_| parts.next().is_some())
        })
    })?;
    let folder = String::from_utf8_lossy(folder);
    (folder.matches('_').count() >= 2).then(|| folder.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_places_of_every_release() {
        for (path, kind, side, session) in [
            (
                "/var/log/glusterfs/geo-replication/v_h_s/gsyncd.log",
                Some(SourceKind::PrimaryGsyncd),
                Some(Side::Primary),
                Some("v_h_s"),
            ),
            (
                "/var/log/glusterfs/geo-replication-secondaries/v_h_s/mnt-m1-b.log.1",
                Some(SourceKind::Client),
                Some(Side::Secondary),
                Some("v_h_s"),
            ),
            (
                "/var/log/glusterfs/geo-replication-slaves/v_h_s/gsyncd.log",
                Some(SourceKind::SecondaryGsyncd),
                Some(Side::Secondary),
                Some("v_h_s"),
            ),
            (
                "/l/geo-replication/vol/ssh%3A%2F%2Froot%4010.0.0.5%3Agluster%3A%2F%2F127.0.0.1%3Agvs.log",
                Some(SourceKind::PrimaryGsyncd),
                Some(Side::Primary),
                Some("vol_10.0.0.5_gvs"),
            ),
            (
                "sample/secondary-s1/gsyncd.log",
                Some(SourceKind::SecondaryGsyncd),
                Some(Side::Secondary),
                None,
            ),
            ("case-50.log", None, None, None),
        ] {
            let got = LogOrigin::of(&Name::from(path));
            assert_eq!(
                (got.kind, got.side, got.session.as_deref()),
                (kind, side, session),
                "{path}"
            );
        }
    }

    #[test]
    fn finds_the_session_in_messages() {
        for (message, want) in [
            (
                "syncing: gluster://localhost:erp -> ssh://root@dr3:gluster://localhost:erp-dr",
                "erp_dr3_erp-dr",
            ),
            (
                "Using session config file\tpath=/var/lib/glusterd/geo-replication/a_b_c/gsyncd.conf",
                "a_b_c",
            ),
            (
                "Started running /usr/sbin/glusterfs [{arg=0}, {cmdlinestr=/usr/sbin/glusterfs --log-file=/var/log/glusterfs/geo-replication-secondaries/a_b_c/mnt-x.log --x}]",
                "a_b_c",
            ),
        ] {
            assert_eq!(session_in(message.as_bytes()).as_deref(), Some(want));
        }
        assert_eq!(session_in(b"syncing: nonsense"), None);
    }
}
