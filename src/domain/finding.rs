//! A diagnosis: what the logs show, what caused what, and what to do about it.

use std::collections::HashSet;

use serde::{Serialize, Serializer};

use super::{Code, Errno, Gfid, Name, Severity, Side, Time, TimeSet};

/// The answer to "what is wrong with my session".
///
/// Serialises as the document `georepair/diagnosis/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// The document's schema.
    pub schema: &'static str,
    /// The answer in one word.
    pub verdict: Verdict,
    /// The files that were read.
    pub sources: Vec<Source>,
    /// The workers in the logs, with their state at the end.
    pub workers: Vec<Worker>,
    /// What was found; worst damage first, effects after their cause.
    pub findings: Vec<Finding>,
    /// What could not be read or judged, one sentence each.
    pub notes: Vec<String>,
}

/// A diagnosis in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Benign findings or none.
    Healthy,
    /// Replication goes on, but something was lost or needs attention.
    Degraded,
    /// A fatal finding that was not healed by the end of the log.
    Faulty,
    /// Not enough was seen to judge.
    Unknown,
}

impl Verdict {
    /// The verdict over findings alone, whether or not enough was read to judge.
    #[must_use]
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        findings.into_iter().fold(Self::Healthy, |worst, finding| match finding.severity {
            Severity::Fatal if !finding.healed => Self::Faulty,
            Severity::Benign => worst,
            _ if worst == Self::Faulty => worst,
            _ => Self::Degraded,
        })
    }
}

/// Which program wrote a log, and for which side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// gsyncd on the primary: monitor, workers, agents.
    PrimaryGsyncd,
    /// gsyncd on the secondary.
    SecondaryGsyncd,
    /// A mount: `mnt-*.log`, `*.gluster.log`, a client's own.
    Client,
    /// A brick process.
    Brick,
    /// libgfchangelog: `changes-*.log`.
    Changes,
    /// glusterd.
    Glusterd,
    /// The command line: `cli.log`, `cmd_history.log`.
    Cli,
}

/// One log file, as it was read.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Where it is.
    pub path: Name,
    /// The path's bytes in hex if they are not UTF-8.
    pub path_bytes: Option<String>,
    /// Which program wrote it, if known.
    pub kind: Option<SourceKind>,
    /// Lines read.
    pub lines: u64,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Lines in no known form.
    pub unparsed: u64,
    /// Time of the first line that has one.
    pub first: Option<Time>,
    /// Time of the last line that has one.
    pub last: Option<Time>,
    /// The releases that can have written it, such as `4.1.6 to 4.1.10`.
    pub release: Option<String>,
}

/// A worker: one brick of one session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Worker {
    /// The directory of the case it belongs to, if several cases were read at once.
    pub case: Option<Name>,
    /// The session's name as in its log folder, `<primary>_<host>_<secondary>`.
    pub session: Option<String>,
    /// The primary node, if the log names it.
    pub node: Option<String>,
    /// The brick's path.
    pub brick: Option<String>,
    /// Its last state: `Active`, `Passive`, `Faulty`, `Stopped`, …
    pub state: Option<String>,
    /// Its last crawl: `Hybrid Crawl`, `History Crawl`, `Changelog Crawl`.
    pub crawl: Option<String>,
    /// How often it was restarted after it died.
    pub restarts: u64,
    /// Since when it is in that state.
    pub since: Option<Time>,
}

/// One thing that is wrong, counted.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The directory of the case it belongs to, if several cases were read at once.
    pub case: Option<Name>,
    /// What it is.
    pub code: Code,
    /// How bad it is here.
    pub severity: Severity,
    /// Where it happened.
    pub side: Side,
    /// The session, if the log names it.
    pub session: Option<String>,
    /// The primary node of the worker, if the log names it.
    pub node: Option<String>,
    /// The worker's brick, if the log names it.
    pub worker: Option<String>,
    /// What was seen of it in the logs.
    #[serde(flatten)]
    pub seen: Observed,
    /// Whether the log shows that the worker recovered.
    pub healed: bool,
    /// The index of the finding that caused this one.
    pub caused_by: Option<usize>,
    /// One sentence for people.
    pub says: String,
    /// The lines that show it, at most a few.
    pub evidence: Vec<Evidence>,
    /// Known bugs of the releases that may have written the log.
    pub known: Vec<String>,
    /// What to do.
    pub remedy: Remedy,
}

/// What was seen of one kind of event: how often, when, with which error, on which objects.
///
/// Serialises as the fields of a [`Finding`] from `count` to `changelogs`, in this order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Observed {
    /// Times it was logged, including "repeated N times" lines.
    pub count: u64,
    /// When first.
    pub first: Option<Time>,
    /// When last.
    pub last: Option<Time>,
    /// The seconds it happened in.
    #[serde(skip)]
    pub moments: TimeSet,
    /// The error number, if any.
    pub errno: Option<Errno>,
    /// The exit status of rsync, tar or ssh; these are not error numbers.
    pub exit_code: Option<i32>,
    /// The operation, such as `CREATE`; `None` if there are several.
    pub op: Option<String>,
    /// The missing parent directory of the entries.
    #[serde(skip)]
    pub parent: Option<Gfid>,
    /// The failing gfids, each once: not every uuid on the line.
    pub gfids: Vec<Gfid>,
    /// The failing entries, each once.
    pub entries: Vec<FailedEntry>,
    /// How many further entries and gfids were counted but not kept, to bound memory.
    pub omitted: u64,
    /// The changelogs concerned, each once, such as `CHANGELOG.1795230034`.
    pub changelogs: Vec<String>,
    /// What `entries` and `gfids` hold, filled by the first merge.
    #[serde(skip)]
    pub known: Known,
}

/// The entries and gfids of an [`Observed`] as sets, so that a merge takes linear time.
#[derive(Clone, Debug, Default)]
pub struct Known {
    entries: HashSet<FailedEntry>,
    gfids: HashSet<Gfid>,
}

impl Observed {
    /// Adds another observation of the same thing.
    pub fn merge(&mut self, other: Self) {
        let Known { entries, gfids } = &mut self.known;
        if entries.is_empty() && gfids.is_empty() {
            entries.extend(self.entries.iter().cloned());
            gfids.extend(&self.gfids);
        }
        self.gfids.extend(other.gfids.into_iter().filter(|gfid| gfids.insert(*gfid)));
        let new = other.entries.into_iter().filter(|entry| entries.insert(entry.clone()));
        self.entries.extend(new);
        self.count += other.count;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.moments.merge(&other.moments);
        self.errno = self.errno.or(other.errno);
        self.exit_code = self.exit_code.or(other.exit_code);
        if self.op != other.op {
            self.op = None;
        }
        self.omitted += other.omitted;
        for changelog in other.changelogs {
            if !self.changelogs.contains(&changelog) {
                self.changelogs.push(changelog);
            }
        }
    }
}

/// A file or directory entry that failed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FailedEntry {
    /// The gfid the primary wanted there.
    pub gfid: Option<Gfid>,
    /// The directory on both sides.
    pub parent: Option<Gfid>,
    /// The name in it.
    pub name: Option<Name>,
    /// The operation that failed.
    pub op: Option<String>,
    /// The secondary's error.
    pub errno: Option<Errno>,
    /// The gfid of the entry on the secondary.
    pub secondary_gfid: Option<Gfid>,
    /// The path below the brick root, once a brick was checked.
    pub path: Option<Name>,
    /// Its state on the bricks, once checked: present, gone, renamed or damaged.
    pub now: Option<&'static str>,
}

impl Serialize for FailedEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut out = serializer.serialize_struct("Entry", 10)?;
        out.serialize_field("gfid", &self.gfid)?;
        out.serialize_field("parent", &self.parent)?;
        out.serialize_field("name", &self.name)?;
        out.serialize_field("name_bytes", &self.name.as_ref().and_then(Name::exact))?;
        out.serialize_field("op", &self.op)?;
        out.serialize_field("errno", &self.errno)?;
        out.serialize_field("secondary_gfid", &self.secondary_gfid)?;
        out.serialize_field("path", &self.path)?;
        out.serialize_field("path_bytes", &self.path.as_ref().and_then(Name::exact))?;
        out.serialize_field("now", &self.now)?;
        out.end()
    }
}

/// A log line that proves a finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Evidence {
    /// The file.
    pub path: Name,
    /// The line, counted from 1.
    pub line: u64,
    /// Its text, cut if it is very long.
    pub text: Name,
}

/// What to do about a finding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Remedy {
    /// The runbook's name.
    pub runbook: &'static str,
    /// The next commands, ready to paste.
    pub commands: Vec<String>,
}
