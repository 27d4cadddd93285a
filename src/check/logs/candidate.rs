//! A finding in the making: incidents of one kind, merged.

use std::collections::HashSet;

use crate::domain::{
    Code, Errno, Evidence, FailedEntry, Flag, Gfid, Name, Severity, Side, Time, TimeSet,
};
use crate::format::log_message::Message;
use crate::scan::logs::{Incident, LogSummary};

/// A finding in the making.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) case: Option<Name>,
    pub(super) code: Code,
    pub(super) severity: Severity,
    pub(super) side: Side,
    pub(super) session: Option<String>,
    /// The primary node of the worker, where a log names it.
    pub(super) node: Option<String>,
    /// The folder of the primary's log: one a node.
    pub(super) folder: Option<Name>,
    pub(super) worker: Option<String>,
    pub(super) count: u64,
    pub(super) first: Option<Time>,
    pub(super) last: Option<Time>,
    pub(super) moments: TimeSet,
    pub(super) errno: Option<Errno>,
    pub(super) exit_code: Option<i32>,
    pub(super) op: Option<String>,
    pub(super) parent: Option<Gfid>,
    pub(super) gfids: Vec<Gfid>,
    pub(super) entries: Vec<FailedEntry>,
    pub(super) omitted: u64,
    pub(super) changelogs: Vec<String>,
    pub(super) evidence: Vec<Evidence>,
    /// What was said, for the rules that must know.
    pub(super) saying: Message,
    /// The exception's name, or the words that tell crashes apart.
    pub(super) words: String,
    /// Whether it only supports another draft of its code, and is nothing without one.
    pub(super) supports: bool,
    /// Whether the exception came from the other side through a call.
    pub(super) relayed: bool,
    pub(super) healed: bool,
    /// The draft that caused it.
    pub(super) cause: Option<usize>,
    pub(super) seen_entries: HashSet<FailedEntry>,
    pub(super) seen_gfids: HashSet<Gfid>,
}

/// What makes two drafts of one case the same finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct CandidateKey {
    case: Option<Name>,
    code: Code,
    side: Side,
    session: Option<String>,
    node: Option<String>,
    worker: Option<String>,
    errno: Option<Errno>,
    op: Option<String>,
    parent: Option<Gfid>,
    words: String,
}

impl Candidate {
    /// A finding that no line says, in the name of a log.
    pub(super) fn bare(told: &LogSummary, code: Code) -> Self {
        Self {
            case: told.case.clone(),
            code,
            severity: code.severity(),
            side: Side::Primary,
            session: told.session.clone(),
            node: told.node.clone(),
            folder: (told.side == Side::Primary).then(|| told.folder.clone()),
            worker: None,
            count: 1,
            first: None,
            last: None,
            moments: TimeSet::default(),
            errno: None,
            exit_code: None,
            op: None,
            parent: None,
            gfids: Vec::new(),
            entries: Vec::new(),
            omitted: 0,
            changelogs: Vec::new(),
            evidence: Vec::new(),
            saying: Message::Ending,
            words: String::new(),
            supports: false,
            relayed: false,
            healed: false,
            cause: None,
            seen_entries: HashSet::new(),
            seen_gfids: HashSet::new(),
        }
    }

    /// An incident with its code, as one log tells it.
    pub(super) fn of(incident: &Incident, told: &LogSummary, code: Code) -> Self {
        Self {
            side: incident.side,
            node: incident.node.clone().or_else(|| told.node.clone()),
            worker: incident.worker.clone(),
            count: incident.count,
            first: incident.first,
            last: incident.last,
            moments: incident.moments.clone(),
            errno: incident.errno,
            exit_code: incident.exit_code,
            op: incident.op.clone(),
            parent: incident.parent,
            gfids: incident.gfids.clone(),
            entries: incident.entries.clone(),
            omitted: incident.omitted,
            changelogs: incident.changelogs.clone(),
            evidence: incident.evidence.clone(),
            saying: incident.saying,
            ..Self::bare(told, code)
        }
    }

    /// What tells it from other findings; which facts count depends on the code.
    pub(super) fn key(&self) -> CandidateKey {
        let entry = self.code.is(Flag::Entry);
        let by_errno = entry || self.code.is(Flag::ByErrno);
        // All children of one missing parent are one finding, whatever was done to them.
        let by_parent = self.code == Code::EntryParentMissing;
        let by_words = self.code.is(Flag::ByWords);
        CandidateKey {
            case: self.case.clone(),
            code: self.code,
            side: self.side,
            session: self.session.clone(),
            node: self.node.clone(),
            worker: self.worker.clone(),
            errno: self.errno.filter(|_| by_errno && !by_parent),
            op: self.op.clone().filter(|_| entry && !by_parent),
            parent: self.parent.filter(|_| by_parent),
            words: if by_words { self.words.clone() } else { String::new() },
        }
    }

    /// Takes in another draft of the same finding.
    pub(super) fn absorb(&mut self, other: Self) {
        if self.seen_entries.is_empty() && self.seen_gfids.is_empty() {
            self.seen_entries = self.entries.iter().cloned().collect();
            self.seen_gfids = self.gfids.iter().copied().collect();
        }
        self.count += other.count;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.moments.merge(&other.moments);
        self.severity = self.severity.min(other.severity);
        self.errno = self.errno.or(other.errno);
        self.exit_code = self.exit_code.or(other.exit_code);
        if self.op != other.op {
            self.op = None;
        }
        self.omitted += other.omitted;
        self.gfids.extend(other.gfids.into_iter().filter(|gfid| self.seen_gfids.insert(*gfid)));
        let seen = &mut self.seen_entries;
        self.entries.extend(other.entries.into_iter().filter(|entry| seen.insert(entry.clone())));
        for changelog in other.changelogs {
            if !self.changelogs.contains(&changelog) {
                self.changelogs.push(changelog);
            }
        }
        self.evidence.extend(other.evidence);
        self.supports &= other.supports;
        self.relayed |= other.relayed;
    }

    /// Takes in what only supports it: evidence, and facts it lacks; the count stays.
    pub(super) fn lean_on(&mut self, mut other: Self) {
        let place = |entry: &FailedEntry| entry.name.clone().zip(entry.parent);
        let known: HashSet<_> = self.entries.iter().filter_map(place).collect();
        other.entries.retain(|entry| place(entry).is_none_or(|place| !known.contains(&place)));
        let (count, severity, op) = (self.count, self.severity, self.op.clone());
        self.absorb(other);
        (self.count, self.severity, self.op) = (count, severity, op);
        self.supports = false;
    }

    /// Whether both may tell of the same worker and session: unknown ones may be any.
    pub(super) fn may_share_worker(&self, other: &Self) -> bool {
        let fits = |one: &Option<String>, two: &Option<String>| {
            one.is_none() || two.is_none() || one == two
        };
        let nodes_apart = match (&self.folder, &other.folder) {
            (Some(one), Some(two)) => {
                one != two && (self.worker.is_some() && other.worker.is_some())
            }
            _ => false,
        };
        self.case == other.case
            && !nodes_apart
            && fits(&self.node, &other.node)
            && fits(&self.session, &other.session)
            && fits(&self.worker, &other.worker)
    }
}
