//! The finding codes: names that scripts, runbooks and documentation share.

mod table;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use table::Code;

/// How bad a finding is, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Replication stops until somebody acts.
    Fatal,
    /// Replication goes on, but something is missing or wrong on the secondary.
    Loss,
    /// Worth knowing; as far as can be seen nothing is lost.
    Warning,
    /// Looks alarming but is harmless.
    Benign,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fatal => "fatal",
            Self::Loss => "loss",
            Self::Warning => "warning",
            Self::Benign => "benign",
        })
    }
}

/// Which command reports a code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// `diagnose`: found in logs.
    Logs,
    /// `audit session`: found by comparing both sides.
    Compare,
    /// `audit brick`: found on a brick.
    Brick,
    /// `audit ready`: found in the setup of nodes and volumes.
    Setup,
}

/// What the rules must know about a code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Flag {
    /// About entries of the volume: findings differ by operation and error number.
    Entry,
    /// Findings of this code differ by error number.
    ByErrno,
    /// Findings of this code differ by the exception or message.
    ByWords,
    /// ssh to the secondary fails.
    Ssh,
    /// Keeps a worker from starting: a worker that connects later has overcome it.
    StopsStart,
    /// Also logged, and then harmless, when a session is stopped, started or reconfigured.
    StopNoise,
    /// gsyncd skipped changes that it would send if it read their changelogs again.
    LosesChanges,
    /// rsync's own fault: the same rsync would lose the same changes again.
    Rsync,
}

/// A page of advice, embedded in the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Runbook {
    /// Its file's name without `.md`; the code, unless several codes share the page.
    pub name: &'static str,
    /// The page as markdown.
    pub text: &'static str,
}

impl Code {
    /// The name scripts rely on, such as `entry-gfid-mismatch`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.row().slug
    }

    /// The severity unless the circumstances say otherwise.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.row().severity
    }

    /// The command that reports it.
    #[must_use]
    pub fn family(self) -> Family {
        self.row().family
    }

    /// Whether the code has a flag.
    #[must_use]
    pub fn is(self, flag: Flag) -> bool {
        self.row().flags.contains(&flag)
    }

    /// A few words that name the problem.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The sentence a diagnosis prints, with the placeholders that [`table`] lists.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        self.row().says
    }

    /// The next commands, with the placeholders that [`table`] lists.
    #[must_use]
    pub fn next_commands(self) -> &'static [&'static str] {
        self.row().next
    }

    /// What to do about it.
    #[must_use]
    pub fn runbook(self) -> Runbook {
        self.row().runbook
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

impl FromStr for Code {
    type Err = String;

    fn from_str(slug: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|code| code.slug() == slug);
        found.copied().ok_or_else(|| format!("unknown finding code: {slug}"))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_name_one_code_each() {
        for code in Code::ALL {
            assert_eq!(code.slug().parse(), Ok(*code));
        }
        assert!("no-such-code".parse::<Code>().is_err());
    }
}
