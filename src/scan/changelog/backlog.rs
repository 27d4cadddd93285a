//! What replication still has to do on a brick: the changelogs past its marks.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::history::Damaged;
use super::marks::{Marks, marks_of};
use super::{Changelog, Changelogs, ChangelogsError, folder, read, read_htime};
use crate::domain::{Gfid, Mark, Time};
use crate::format::changelog::{Change, Form, Item};
use crate::format::htime;
use crate::scan::cluster::{SessionFolder, WorkerState};

/// Rollovers when nothing tells otherwise, in seconds: the default of `changelog.rollover-time`.
const ROLLOVER: i64 = 15;
/// What a worker may take on top of two rollovers before its silence is a stall, in seconds:
/// it looks for changelogs every three, and sends what it finds.
const GRACE: i64 = 10;
/// A gfid sent in this many changelogs is sent again and again.
const AGAIN: u64 = 3;
/// How many such gfids are named.
const NAMED: usize = 10;

/// One session's backlog on one brick.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The session's name, where glusterd knows it on this node.
    pub session: Option<String>,
    /// `<primary volume id>.<secondary volume id>`.
    pub ids: Option<String>,
    /// The marks; none where no session ever came this far.
    pub stime: Option<Mark>,
    /// The mark of entry operations.
    pub entry_stime: Option<Mark>,
    /// What the worker says of itself.
    pub worker: Option<WorkerState>,
    /// Seconds between rollovers, as seen in HTIME.
    pub rollover: i64,
    /// The backlog; unknown without an stime.
    pub backlog: Option<Backlog>,
    /// Whether the worker goes on as if there were nothing to do; unknown without an stime.
    pub stalled: Option<bool>,
    /// What could not be read, and what speaks for or against a stall.
    pub notes: Vec<String>,
    /// Bytes that are no record.
    pub damage: Vec<Damaged>,
}

/// What stands past the marks.
#[derive(Clone, Default, Debug)]
pub struct Backlog {
    /// Changelogs that hold something.
    pub changelogs: u64,
    /// E records past `entry_stime`.
    pub entries: u64,
    /// D records.
    pub data: u64,
    /// M records.
    pub metadata: u64,
    /// When the oldest of these changes had happened at the latest.
    pub oldest: Option<Time>,
    /// The same of the newest.
    pub newest: Option<Time>,
    /// The size of the files with D records, each counted once, in bytes.
    pub bytes: u64,
    /// Files with D records that the brick no longer has.
    pub gone: u64,
    /// Changelogs that HTIME names and the brick has not: their changes are lost.
    pub missing: u64,
    /// Files that are sent again and again, most often first.
    pub resent: Vec<Resent>,
    /// The oldest change in a changelog that was rolled over: what a worker could have seen.
    seen: Option<i64>,
}

/// A file that is sent again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resent {
    /// The file.
    pub gfid: Gfid,
    /// In how many changelogs it has a D record.
    pub times: u64,
    /// Its size now, in bytes; unknown where it is gone.
    pub bytes: Option<u64>,
}

impl Backlog {
    /// All records past the marks.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.entries + self.data + self.metadata
    }
}

/// Reads the backlog of every session that left its mark on the brick, or of the one that is
/// asked for, by its name or its volume ids. `working` is gsyncd's folder of working directories.
///
/// # Errors
/// [`ChangelogsError`] where the brick has no changelogs or its xattrs cannot be read.
pub fn pending(
    brick: &Path,
    known: &[SessionFolder],
    wanted: Option<&str>,
    working: &Path,
    now: Time,
) -> Result<Vec<Pending>, ChangelogsError> {
    let listed = Changelogs::of(brick)?;
    let rollovers = Rollovers::of(brick, &listed);
    let full = brick.canonicalize().unwrap_or_else(|_| brick.to_owned());
    let mut found = Vec::new();
    for marks in marks_of(brick)? {
        let session = known.iter().find(|known| known.ids.as_ref() == Some(&marks.session));
        let named = |name: &str| {
            marks.session == name
                || marks.session.split('.').any(|id| id == name)
                || session.is_some_and(|session| session.is_called(name))
        };
        if !wanted.is_none_or(named) {
            continue;
        }
        let mut it = Pending {
            session: session.map(|session| session.name.clone()),
            ids: Some(marks.session.clone()),
            stime: Some(marks.stime),
            entry_stime: marks.entry_stime,
            worker: session.and_then(|session| session.worker(&full)),
            ..Pending::unmarked(rollovers.seconds, &listed)
        };
        it.backlog = Some(backlog(brick, &listed, &rollovers, &marks, &mut it.damage)?);
        let seen = it.backlog.as_ref().and_then(|backlog| backlog.seen);
        let busy = session
            .zip(seen)
            .is_some_and(|(session, end)| session.is_processing(working, &full, end));
        it.judge(&marks, busy, now);
        found.push(it);
    }
    if found.is_empty() {
        found.push(Pending::unmarked(rollovers.seconds, &listed));
    }
    Ok(found)
}

impl Pending {
    fn unmarked(rollover: i64, listed: &Changelogs) -> Self {
        Self {
            session: None,
            ids: None,
            stime: None,
            entry_stime: None,
            worker: None,
            rollover,
            backlog: None,
            stalled: None,
            notes: listed.notes.clone(),
            damage: Vec::new(),
        }
    }

    /// Tells a stall from an idle volume, a slow worker, and one that does not run.
    fn judge(&mut self, marks: &Marks, busy: bool, now: Time) {
        let seen = self.backlog.as_ref().and_then(|backlog| backlog.seen);
        let late = seen.is_some_and(|oldest| oldest + 2 * self.rollover + GRACE < now.secs());
        let quiet = marks.xtime.is_some_and(|xtime| xtime <= marks.stime);
        let mut excuse = None;
        if late && marks.stime == Mark::ZERO {
            excuse = Some("stime is zero: a full crawl is due, which reads no changelogs");
        } else if late && quiet {
            excuse = Some("nothing changed since stime, by the marker's xtime");
        } else if late && busy {
            excuse = Some("the worker has changelogs at hand and works on them");
        } else if late {
            excuse = match &self.worker {
                None => {
                    self.notes
                        .push("no status of the worker: judged by the marks alone".to_owned());
                    None
                }
                Some(worker) if worker.worker_status != "Active" => {
                    Some("the worker is not Active")
                }
                Some(worker)
                    if !matches!(worker.crawl_status.as_str(), "Changelog Crawl" | "N/A") =>
                {
                    Some("the worker still crawls what came before")
                }
                Some(_) => None,
            };
        }
        self.notes.extend(excuse.map(str::to_owned));
        self.stalled = Some(late && excuse.is_none());
    }
}

impl SessionFolder {
    fn is_called(&self, name: &str) -> bool {
        let plain = name.rsplit('@').next().unwrap_or(name).replace("::", "_");
        self.name == name || self.name == plain || self.name.ends_with(&format!("_{plain}"))
    }
}

/// When the brick rolled over.
struct Rollovers {
    /// Seconds between rollovers.
    seconds: i64,
    /// The last one, where any is known.
    last: Option<u32>,
    /// Changelogs that hold something, by HTIME, and are not there.
    missing: Vec<u32>,
}

impl Rollovers {
    fn of(brick: &Path, listed: &Changelogs) -> Self {
        let there: std::collections::HashSet<_> =
            listed.files.iter().filter_map(|file| file.end).collect();
        let (mut last, mut gaps, mut missing) = (None::<u32>, Vec::new(), Vec::new());
        for path in htimes(brick) {
            let _ = read_htime(&path, |item| {
                if let htime::Item::Rollover(rollover) = item {
                    if let Some(before) = last.filter(|before| *before < rollover.time) {
                        gaps.push(i64::from(rollover.time - before));
                    }
                    if gaps.len() > 64 {
                        gaps.drain(..32);
                    }
                    if !rollover.empty && !there.contains(&rollover.time) {
                        missing.push(rollover.time);
                    }
                    last = Some(rollover.time);
                }
                ControlFlow::Continue(())
            });
        }
        gaps.sort_unstable();
        let seconds = gaps.get(gaps.len() / 2).copied().unwrap_or(ROLLOVER);
        Self { seconds, last: last.max(there.into_iter().max()), missing }
    }
}

/// The HTIME files of a brick, in the order of their times.
pub(super) fn htimes(brick: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(brick).join("htime")).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let digits = name.as_encoded_bytes().strip_prefix(b"HTIME.")?;
            let time: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
            Some((time, entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Whether a slice lies wholly at or before the mark. Its last second is the one before the
/// rollover, and that is what gsyncd writes when it is done with the changelog.
fn is_done(end: u32, mark: Mark) -> bool {
    end.saturating_sub(1) <= mark.sec
}

fn backlog(
    brick: &Path,
    listed: &Changelogs,
    rollovers: &Rollovers,
    marks: &Marks,
    damage: &mut Vec<Damaged>,
) -> Result<Backlog, ChangelogsError> {
    let mut backlog = Backlog {
        missing: rollovers.missing.iter().filter(|end| !is_done(**end, marks.stime)).count() as u64,
        ..Backlog::default()
    };
    let mut sent: HashMap<Gfid, u64> = HashMap::new();
    for file in &listed.files {
        if file.end.is_some_and(|end| is_done(end, marks.stime)) {
            continue;
        }
        let entries_done =
            file.end.is_some_and(|end| marks.entry_stime.is_some_and(|mark| is_done(end, mark)));
        let before = backlog.records();
        count(file, entries_done, &mut backlog, &mut sent, damage)?;
        if backlog.records() == before {
            continue;
        }
        backlog.changelogs += 1;
        let time = file.end.or(rollovers.last).map(|end| Time::from_secs(end.into()));
        let time = time.or_else(|| modified(&file.path));
        backlog.oldest = [backlog.oldest, time].into_iter().flatten().min();
        backlog.newest = backlog.newest.max(time);
        if let Some(end) = file.end {
            backlog.seen = Some(backlog.seen.unwrap_or(i64::MAX).min(i64::from(end)));
        }
    }
    weigh(brick, sent, &mut backlog);
    Ok(backlog)
}

/// Counts the records of one changelog; a file sent twice in it is sent once.
fn count(
    file: &Changelog,
    entries_done: bool,
    backlog: &mut Backlog,
    sent: &mut HashMap<Gfid, u64>,
    damage: &mut Vec<Damaged>,
) -> Result<(), ChangelogsError> {
    let mut here = std::collections::HashSet::new();
    let outcome: io::Result<Option<Form>> = read(&file.path, |item| {
        match item {
            Item::Record(record) => match &record.change {
                Change::Entry(_) if entries_done => {}
                Change::Entry(_) => backlog.entries += 1,
                Change::Metadata { .. } => backlog.metadata += 1,
                Change::Data => {
                    backlog.data += 1;
                    if here.insert(record.gfid) {
                        *sent.entry(record.gfid).or_default() += 1;
                    }
                }
            },
            Item::Damage(found) | Item::Torn(found) => {
                let torn = matches!(item, Item::Torn(_));
                // The last record of the file that is still written to may be on its way.
                if !(torn && file.end.is_none()) {
                    damage.push(Damaged { file: file.path.clone(), damage: *found, torn });
                }
            }
        }
        ControlFlow::Continue(())
    });
    match outcome {
        Err(error) if file.end.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(ChangelogsError::unreadable(&file.path, error)),
        Ok(_) => Ok(()),
    }
}

/// Weighs the files to be sent by their handles.
fn weigh(brick: &Path, sent: HashMap<Gfid, u64>, backlog: &mut Backlog) {
    let mut resent = Vec::new();
    for (gfid, times) in sent {
        let about = fs::symlink_metadata(brick.join(gfid.handle())).ok();
        match &about {
            Some(about) => backlog.bytes += about.size(),
            None => backlog.gone += 1,
        }
        if times >= AGAIN {
            resent.push(Resent { gfid, times, bytes: about.map(|about| about.size()) });
        }
    }
    resent.sort_by(|a, b| (b.times, b.bytes, a.gfid).cmp(&(a.times, a.bytes, b.gfid)));
    resent.truncate(NAMED);
    backlog.resent = resent;
}

fn modified(path: &Path) -> Option<Time> {
    fs::symlink_metadata(path).ok().map(|about| Time::from_secs(about.mtime()))
}
