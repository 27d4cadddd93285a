//! What a log tells, counted: a thousand lines of one kind are one incident.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::Xxh3;

use crate::domain::{Errno, Evidence, FailedEntry, Gfid, Name, Side, Time, TimeSet};
use crate::format::log_fields::MessageFields;
use crate::format::log_message::Message;
use crate::format::traceback::Exception;

/// How many entries and gfids are kept of all incidents together.
const KEPT: usize = 200_000;
/// How many incidents are told apart; what comes later is told apart less finely.
const APART: usize = 20_000;
/// How many bytes of a line are kept as evidence.
const TEXT: usize = 400;

/// One kind of thing that happened, however often.
#[derive(Clone, Debug)]
pub struct Incident {
    /// What was said.
    pub saying: Message,
    /// Which side said it.
    pub side: Side,
    /// The primary node of the worker, where the line names it.
    pub node: Option<String>,
    /// The worker's brick, where the line names it.
    pub worker: Option<String>,
    /// The operation.
    pub op: Option<String>,
    /// The error number.
    pub errno: Option<Errno>,
    /// The exit status.
    pub exit_code: Option<i32>,
    /// The parent that its entries miss.
    pub parent: Option<Gfid>,
    /// What else makes it what it is; see [`MessageFields::words`].
    pub words: Vec<u8>,
    /// The exception, as it was met first.
    pub exception: Option<Exception>,
    /// Times it was logged, folded repeats included.
    pub count: u64,
    /// When first.
    pub first: Option<Time>,
    /// When last.
    pub last: Option<Time>,
    /// The seconds it happened in.
    pub moments: TimeSet,
    /// The entries that failed, each once.
    pub entries: Vec<FailedEntry>,
    /// The gfids that failed, each once.
    pub gfids: Vec<Gfid>,
    /// The gfids that were met again at least five seconds later.
    pub repeated: HashSet<Gfid>,
    /// The changelogs concerned, each once.
    pub changelogs: Vec<String>,
    /// Entries and gfids that were counted but not kept.
    pub omitted: u64,
    /// A few of the lines.
    pub evidence: Vec<Evidence>,
    entries_seen: HashSet<u64>,
    gfids_seen: HashMap<Gfid, i64>,
}

/// The incidents of one log, or of several.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    by_key: HashMap<u128, Incident>,
    kept: usize,
}

/// Where and when something was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence<'a> {
    pub(super) saying: Message,
    pub(super) side: Side,
    pub(super) node: Option<&'a str>,
    pub(super) worker: Option<&'a str>,
    pub(super) since: Option<Time>,
    pub(super) at: Option<Time>,
    pub(super) times: u64,
}

impl Incidents {
    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Incident> {
        self.by_key.values()
    }

    /// Counts one event; evidence is asked for only where it will be kept.
    pub(super) fn count(
        &mut self,
        occasion: &Occurrence<'_>,
        facts: MessageFields<'_>,
        evidence: impl FnOnce() -> Evidence,
    ) {
        let mut parent = facts.parent;
        if self.by_key.len() >= APART {
            parent = None;
        }
        let key = key(occasion, &facts, parent);
        let incident = self.by_key.entry(key).or_insert_with(|| begin(occasion, &facts, parent));
        incident.count += occasion.times;
        incident.first = least(incident.first, occasion.since.or(occasion.at));
        incident.last = incident.last.max(occasion.at);
        occasion.since.into_iter().chain(occasion.at).for_each(|at| incident.moments.add(at));
        if incident.exception.is_none() {
            incident.exception = facts.exception;
        }
        for entry in facts.entries {
            incident.keep_entry(entry, &mut self.kept);
        }
        for gfid in facts.gfids {
            incident.keep_gfid(gfid, occasion.at, &mut self.kept);
        }
        for changelog in facts.changelogs {
            if !incident.changelogs.contains(&changelog) && incident.changelogs.len() < 10_000 {
                incident.changelogs.push(changelog);
            }
        }
        match incident.evidence.len() {
            0 | 1 => incident.evidence.push(evidence()),
            _ if incident.count.is_power_of_two() => {
                incident.evidence.truncate(2);
                incident.evidence.push(evidence());
            }
            _ => {}
        }
    }

    /// Adds what another log tells.
    pub fn merge(&mut self, other: Self) {
        for (key, theirs) in other.by_key {
            match self.by_key.entry(key) {
                std::collections::hash_map::Entry::Vacant(place) => {
                    self.kept += theirs.entries.len() + theirs.gfids.len();
                    place.insert(theirs);
                }
                std::collections::hash_map::Entry::Occupied(mut place) => {
                    place.get_mut().absorb(theirs, &mut self.kept);
                }
            }
        }
    }
}

impl Incident {
    fn keep_entry(&mut self, entry: FailedEntry, kept: &mut usize) {
        let mut hasher = Xxh3::new();
        entry.hash(&mut hasher);
        if self.entries_seen.contains(&hasher.finish()) {
            return;
        }
        if *kept >= KEPT {
            self.omitted += 1;
            return;
        }
        *kept += 1;
        self.entries_seen.insert(hasher.finish());
        self.entries.push(entry);
    }

    fn keep_gfid(&mut self, gfid: Gfid, at: Option<Time>, kept: &mut usize) {
        let second = at.map_or(0, Time::secs);
        if let Some(first) = self.gfids_seen.get(&gfid) {
            if second - first >= 5 {
                self.repeated.insert(gfid);
            }
            return;
        }
        if *kept >= KEPT {
            self.omitted += 1;
            return;
        }
        *kept += 1;
        self.gfids_seen.insert(gfid, second);
        self.gfids.push(gfid);
    }

    fn absorb(&mut self, theirs: Self, kept: &mut usize) {
        self.count += theirs.count;
        self.first = least(self.first, theirs.first);
        self.last = self.last.max(theirs.last);
        self.moments.merge(&theirs.moments);
        self.omitted += theirs.omitted;
        self.repeated.extend(theirs.repeated);
        for entry in theirs.entries {
            self.keep_entry(entry, kept);
        }
        for gfid in theirs.gfids {
            let at = theirs.gfids_seen.get(&gfid).map(|&second| Time::from_secs(second));
            self.keep_gfid(gfid, at, kept);
        }
        for changelog in theirs.changelogs {
            if !self.changelogs.contains(&changelog) {
                self.changelogs.push(changelog);
            }
        }
        self.evidence.extend(theirs.evidence);
        self.evidence.truncate(3);
        self.exception = self.exception.take().or(theirs.exception);
    }
}

fn begin(occasion: &Occurrence<'_>, facts: &MessageFields<'_>, parent: Option<Gfid>) -> Incident {
    Incident {
        saying: occasion.saying,
        side: occasion.side,
        node: occasion.node.map(str::to_owned),
        worker: occasion.worker.map(str::to_owned),
        op: facts.op.as_deref().map(str::to_owned),
        errno: facts.errno,
        exit_code: facts.exit_code,
        parent,
        words: facts.words.to_vec(),
        exception: None,
        count: 0,
        first: None,
        last: None,
        moments: TimeSet::default(),
        entries: Vec::new(),
        gfids: Vec::new(),
        repeated: HashSet::new(),
        changelogs: Vec::new(),
        omitted: 0,
        evidence: Vec::new(),
        entries_seen: HashSet::new(),
        gfids_seen: HashMap::new(),
    }
}

/// What makes two events the same incident.
fn key(occasion: &Occurrence<'_>, facts: &MessageFields<'_>, parent: Option<Gfid>) -> u128 {
    let mut hasher = Xxh3::new();
    occasion.saying.hash(&mut hasher);
    occasion.side.hash(&mut hasher);
    occasion.node.hash(&mut hasher);
    occasion.worker.hash(&mut hasher);
    facts.op.hash(&mut hasher);
    facts.errno.hash(&mut hasher);
    facts.exit_code.hash(&mut hasher);
    parent.hash(&mut hasher);
    facts.words.hash(&mut hasher);
    let mismatch = facts.entries.first().and_then(|entry| entry.secondary_gfid);
    mismatch.is_some().hash(&mut hasher);
    hasher.digest128()
}

/// The earlier of two times, where there are any.
pub(super) fn least(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    one.into_iter().chain(other).min()
}

/// A line kept as evidence.
pub(super) fn evidence(path: &Name, line: u64, text: &[u8]) -> Evidence {
    let text = text.get(..TEXT).unwrap_or(text);
    Evidence { path: path.clone(), line, text: Name::from(text.trim_ascii_end()) }
}
