//! Counts incidents: a thousand lines of one kind are one incident.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::Xxh3;

use crate::domain::{Evidence, FailedEntry, Gfid, Name, Observed, Side, Time};
use crate::format::log_fields::MessageFields;
use crate::format::log_message::Message;
use crate::format::traceback::Exception;

/// How many entries and gfids are kept of all incidents together.
const KEPT: usize = 200_000;
/// How many incidents are kept apart by parent; later incidents are grouped more coarsely.
const APART: usize = 20_000;
/// Seconds after which a gfid counts as repeated: the lookups of one create follow each other at
/// once.
const AGAIN: i64 = 5;
/// How many changelogs of an incident are named.
const CHANGELOGS: usize = 10_000;
/// How many bytes of a line are kept as evidence.
const TEXT: usize = 400;

/// One kind of event, counted.
#[derive(Clone, Debug)]
pub struct Incident {
    /// The message.
    pub message: Message,
    /// The side that logged it.
    pub side: Side,
    /// The primary node of the worker, if the line names it.
    pub node: Option<String>,
    /// The worker's brick, if the line names it.
    pub worker: Option<String>,
    /// What else distinguishes it; see [`MessageFields::words`].
    pub words: Vec<u8>,
    /// The first exception of this kind.
    pub exception: Option<Exception>,
    /// How often, when, with which error, on which objects.
    pub seen: Observed,
    /// The gfids that were logged again at least [`AGAIN`] seconds later.
    pub repeated: HashSet<Gfid>,
    /// A few of the lines.
    pub evidence: Vec<Evidence>,
    entries_seen: HashSet<u64>,
    gfids_seen: HashMap<Gfid, i64>,
}

/// The incidents of one log.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    by_key: HashMap<u128, Incident>,
    kept: usize,
}

/// Where and when a message was logged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence<'a> {
    pub(super) message: Message,
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

    /// Counts one event; evidence is built only if it is kept.
    pub(super) fn count(
        &mut self,
        occurrence: &Occurrence<'_>,
        fields: MessageFields<'_>,
        evidence: impl FnOnce() -> Evidence,
    ) {
        let mut parent = fields.parent;
        if self.by_key.len() >= APART {
            parent = None;
        }
        let key = key(occurrence, &fields, parent);
        let incident = self.by_key.entry(key).or_insert_with(|| begin(occurrence, &fields, parent));
        incident.seen.count += occurrence.times;
        incident.seen.first = earlier(incident.seen.first, occurrence.since.or(occurrence.at));
        incident.seen.last = incident.seen.last.max(occurrence.at);
        occurrence
            .since
            .into_iter()
            .chain(occurrence.at)
            .for_each(|at| incident.seen.moments.add(at));
        if incident.exception.is_none() {
            incident.exception = fields.exception;
        }
        for entry in fields.entries {
            incident.keep_entry(entry, &mut self.kept);
        }
        for gfid in fields.gfids {
            incident.keep_gfid(gfid, occurrence.at, &mut self.kept);
        }
        for changelog in fields.changelogs {
            if !incident.seen.changelogs.contains(&changelog)
                && incident.seen.changelogs.len() < CHANGELOGS
            {
                incident.seen.changelogs.push(changelog);
            }
        }
        match incident.evidence.len() {
            0 | 1 => incident.evidence.push(evidence()),
            // The third line moves on with the count: a late one shows how it went on.
            _ if incident.seen.count.is_power_of_two() => {
                incident.evidence.truncate(2);
                incident.evidence.push(evidence());
            }
            _ => {}
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
            self.seen.omitted += 1;
            return;
        }
        *kept += 1;
        self.entries_seen.insert(hasher.finish());
        self.seen.entries.push(entry);
    }

    fn keep_gfid(&mut self, gfid: Gfid, at: Option<Time>, kept: &mut usize) {
        let second = at.map_or(0, Time::secs);
        if let Some(first) = self.gfids_seen.get(&gfid) {
            if second - first >= AGAIN {
                self.repeated.insert(gfid);
            }
            return;
        }
        if *kept >= KEPT {
            self.seen.omitted += 1;
            return;
        }
        *kept += 1;
        self.gfids_seen.insert(gfid, second);
        self.seen.gfids.push(gfid);
    }
}

fn begin(
    occurrence: &Occurrence<'_>,
    fields: &MessageFields<'_>,
    parent: Option<Gfid>,
) -> Incident {
    Incident {
        message: occurrence.message,
        side: occurrence.side,
        node: occurrence.node.map(str::to_owned),
        worker: occurrence.worker.map(str::to_owned),
        words: fields.words.to_vec(),
        exception: None,
        seen: Observed {
            op: fields.op.as_deref().map(str::to_owned),
            errno: fields.errno,
            exit_code: fields.exit_code,
            parent,
            ..Observed::default()
        },
        repeated: HashSet::new(),
        evidence: Vec::new(),
        entries_seen: HashSet::new(),
        gfids_seen: HashMap::new(),
    }
}

/// The key that two events of the same incident share.
fn key(occurrence: &Occurrence<'_>, fields: &MessageFields<'_>, parent: Option<Gfid>) -> u128 {
    let mut hasher = Xxh3::new();
    occurrence.message.hash(&mut hasher);
    occurrence.side.hash(&mut hasher);
    occurrence.node.hash(&mut hasher);
    occurrence.worker.hash(&mut hasher);
    fields.op.hash(&mut hasher);
    fields.errno.hash(&mut hasher);
    fields.exit_code.hash(&mut hasher);
    parent.hash(&mut hasher);
    fields.words.hash(&mut hasher);
    let mismatch = fields.entries.first().and_then(|entry| entry.secondary_gfid);
    mismatch.is_some().hash(&mut hasher);
    hasher.digest128()
}

/// The earlier of two times, if any.
pub(super) fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    one.into_iter().chain(other).min()
}

/// A line kept as evidence.
pub(super) fn evidence(path: &Name, line: u64, text: &[u8]) -> Evidence {
    let text = text.get(..TEXT).unwrap_or(text);
    Evidence { path: path.clone(), line, text: Name::from(text.trim_ascii_end()) }
}
