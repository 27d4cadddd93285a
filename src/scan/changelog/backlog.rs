//! The backlog of a brick: what its changelogs hold past a session's marks.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::history::Damaged;
use super::marks::{Marks, marks_of};
use super::{Changelog, Changelogs, ChangelogsError, htimes, read, read_htime};
use crate::domain::{Gfid, Mark, Time};
use crate::format::changelog::{Change, Item};
use crate::format::htime;
use crate::scan::cluster::{SessionFolder, WorkerState};

/// Assumed time between rollovers if HTIME shows none, in seconds: the default of `changelog.rollover-time`.
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
    /// The marks; `None` if no session has set them.
    pub stime: Option<Mark>,
    /// The mark of entry operations.
    pub entry_stime: Option<Mark>,
    /// What the worker reports in its status file.
    pub worker: Option<WorkerState>,
    /// Seconds between rollovers, as seen in HTIME.
    pub rollover: i64,
    /// The backlog; unknown without an stime.
    pub backlog: Option<Backlog>,
    /// Whether the worker ignores changelogs that are due; `None` without an stime.
    pub stalled: Option<bool>,
    /// What could not be read, and what speaks for or against a stall.
    pub notes: Vec<String>,
    /// Bytes that are not a record.
    pub damage: Vec<Damaged>,
}

/// What is recorded past the marks.
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
    /// Changelogs that HTIME lists but the brick does not have: their changes are lost.
    pub missing: u64,
    /// Files that are sent again and again, most often first.
    pub resent: Vec<Resent>,
    /// The oldest change in a changelog that was rolled over: what a worker could have seen.
    oldest_closed: Option<i64>,
}

/// A file that is sent again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resent {
    /// The file.
    pub gfid: Gfid,
    /// In how many changelogs it has a D record.
    pub times: u64,
    /// Its size now, in bytes; `None` if it is gone.
    pub bytes: Option<u64>,
}

impl Backlog {
    /// All records past the marks.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.entries + self.data + self.metadata
    }

    fn add(&mut self, change: &Change<'_>, entries_done: bool) {
        match change {
            // entry_stime runs ahead of stime: the entry was made, only its data is missing.
            Change::Entry(_) if entries_done => {}
            Change::Entry(_) => self.entries += 1,
            Change::Metadata { .. } => self.metadata += 1,
            Change::Data => self.data += 1,
        }
    }
}

/// Reads the backlog of every session with a mark on the brick, or only of the `wanted` one, by
/// its name or its volume ids. `working` is gsyncd's folder of working directories.
///
/// # Errors
/// [`ChangelogsError`] if the brick has no changelogs or its xattrs cannot be read.
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
        let seen = it.backlog.as_ref().and_then(|backlog| backlog.oldest_closed);
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

    /// Sets `stalled`: a worker that reports itself working but reads no changelogs, in contrast to
    /// an idle volume, a slow worker, and one that does not run. Changes that a stalled worker
    /// skips are lost without any error in its log.
    fn judge(&mut self, marks: &Marks, busy: bool, now: Time) {
        let oldest = self.backlog.as_ref().and_then(|backlog| backlog.oldest_closed);
        // A healthy worker is at most two rollovers and GRACE behind the brick.
        let late = oldest.is_some_and(|oldest| oldest + 2 * self.rollover + GRACE < now.secs());
        if !late {
            self.stalled = Some(false);
            return;
        }
        let excuse = self.excuse(marks, busy);
        if excuse.is_none() && self.worker.is_none() {
            self.notes.push("no status of the worker: judged by the marks alone".to_owned());
        }
        self.notes.extend(excuse.map(str::to_owned));
        self.stalled = Some(excuse.is_none());
    }

    /// Why the worker is not stalled although a changelog is overdue.
    fn excuse(&self, marks: &Marks, busy: bool) -> Option<&'static str> {
        if marks.stime == Mark::ZERO {
            return Some("stime is zero: the next crawl is a full one and reads no changelogs");
        }
        // Without a change below the root, the worker has no reason to move stime.
        if marks.xtime.is_some_and(|xtime| xtime <= marks.stime) {
            return Some("nothing changed since stime, by the marker's xtime");
        }
        // It has read the changelog, so it is slow and not cut off.
        if busy {
            return Some("the worker is processing these changelogs");
        }
        let worker = self.worker.as_ref()?;
        if worker.worker_status != "Active" {
            return Some("the worker is not Active");
        }
        // During a history or hybrid crawl, live changelogs wait until it is done. An Active
        // worker with no crawl yet ("N/A") should have begun one long ago.
        if !matches!(worker.crawl_status.as_str(), "Changelog Crawl" | "N/A") {
            return Some("the worker is still crawling earlier changes");
        }
        None
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
        let there: HashSet<_> = listed.files.iter().filter_map(|file| file.end).collect();
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

/// Whether the whole slice is at or before the mark. Its last second is the one before the
/// rollover, which is what gsyncd writes once it is done with the changelog.
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
        count_records(file, entries_done, &mut backlog, &mut sent, damage)?;
        if backlog.records() == before {
            continue;
        }
        backlog.changelogs += 1;
        let time = file.end.or(rollovers.last).map(|end| Time::from_secs(end.into()));
        let time = time.or_else(|| modified(&file.path));
        backlog.oldest = [backlog.oldest, time].into_iter().flatten().min();
        backlog.newest = backlog.newest.max(time);
        if let Some(end) = file.end {
            backlog.oldest_closed =
                Some(backlog.oldest_closed.unwrap_or(i64::MAX).min(i64::from(end)));
        }
    }
    weigh(brick, sent, &mut backlog);
    Ok(backlog)
}

/// Adds the records of one changelog to the backlog. A file is sent once per changelog, however
/// many D records it has there.
fn count_records(
    file: &Changelog,
    entries_done: bool,
    backlog: &mut Backlog,
    sent: &mut HashMap<Gfid, u64>,
    damage: &mut Vec<Damaged>,
) -> Result<(), ChangelogsError> {
    let mut written = HashSet::new();
    let outcome = read(&file.path, |item| {
        match item {
            Item::Record(record) => {
                backlog.add(&record.change, entries_done);
                if matches!(record.change, Change::Data) {
                    written.insert(record.gfid);
                }
            }
            // The last record of the live changelog may still be in the middle of being written.
            Item::Torn(_) if file.end.is_none() => {}
            Item::Damage(found) | Item::Torn(found) => {
                let torn = matches!(item, Item::Torn(_));
                damage.push(Damaged { file: file.path.clone(), damage: *found, torn });
            }
        }
        ControlFlow::Continue(())
    });
    for gfid in written {
        *sent.entry(gfid).or_default() += 1;
    }
    match outcome {
        // The live changelog was rolled over meanwhile.
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
