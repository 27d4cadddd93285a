//! A finding in the making: incidents of one kind, merged.

use std::collections::HashSet;

use crate::domain::{
    Code, Errno, Evidence, FailedEntry, Flag, Gfid, Name, Observed, Severity, Side,
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
    /// The primary node of the worker, if a log names it.
    pub(super) node: Option<String>,
    /// The directory of the primary's log: one per node.
    pub(super) folder: Option<Name>,
    pub(super) worker: Option<String>,
    pub(super) seen: Observed,
    pub(super) evidence: Vec<Evidence>,
    /// The message that was logged first.
    pub(super) message: Message,
    /// The exception's name, or the words by which crashes differ.
    pub(super) words: String,
    /// Whether it only corroborates another candidate of its code.
    pub(super) supports: bool,
    /// Whether the exception came from the other side through a call.
    pub(super) relayed: bool,
    pub(super) healed: bool,
    /// The index of the candidate that caused it.
    pub(super) cause: Option<usize>,
}

/// What makes two candidates of one case the same finding.
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
    /// A finding that no line reports, attributed to a log.
    pub(super) fn without_line(log: &LogSummary, code: Code) -> Self {
        Self {
            case: log.case.clone(),
            code,
            severity: code.severity(),
            side: Side::Primary,
            session: log.session.clone(),
            node: log.node.clone(),
            folder: (log.side == Side::Primary).then(|| log.folder.clone()),
            worker: None,
            seen: Observed { count: 1, ..Observed::default() },
            evidence: Vec::new(),
            message: Message::Ending,
            words: String::new(),
            supports: false,
            relayed: false,
            healed: false,
            cause: None,
        }
    }

    /// An incident of one log with its code.
    pub(super) fn of(incident: &Incident, log: &LogSummary, code: Code) -> Self {
        Self {
            side: incident.side,
            node: incident.node.clone().or_else(|| log.node.clone()),
            worker: incident.worker.clone(),
            seen: incident.seen.clone(),
            evidence: incident.evidence.clone(),
            message: incident.message,
            ..Self::without_line(log, code)
        }
    }

    /// What distinguishes it from other findings; which fields count depends on the code.
    pub(super) fn key(&self) -> CandidateKey {
        let entry = self.code.is(Flag::Entry);
        let by_errno = entry || self.code.is(Flag::ByErrno);
        // All children of one missing parent are one finding, whatever the operations were.
        let by_parent = self.code == Code::EntryParentMissing;
        let by_words = self.code.is(Flag::ByWords);
        CandidateKey {
            case: self.case.clone(),
            code: self.code,
            side: self.side,
            session: self.session.clone(),
            node: self.node.clone(),
            worker: self.worker.clone(),
            errno: self.seen.errno.filter(|_| by_errno && !by_parent),
            op: self.seen.op.clone().filter(|_| entry && !by_parent),
            parent: self.seen.parent.filter(|_| by_parent),
            words: if by_words { self.words.clone() } else { String::new() },
        }
    }

    /// Merges another candidate of the same finding.
    pub(super) fn merge(&mut self, other: Self) {
        self.seen.merge(other.seen);
        self.severity = self.severity.min(other.severity);
        self.evidence.extend(other.evidence);
        self.supports &= other.supports;
        self.relayed |= other.relayed;
    }

    /// Merges a corroborating candidate: adds evidence and missing fields, keeps the count.
    pub(super) fn corroborate(&mut self, mut other: Self) {
        let place = |entry: &FailedEntry| entry.name.clone().zip(entry.parent);
        let known: HashSet<_> = self.seen.entries.iter().filter_map(place).collect();
        other.seen.entries.retain(|entry| place(entry).is_none_or(|place| !known.contains(&place)));
        let (count, severity, op) = (self.seen.count, self.severity, self.seen.op.clone());
        self.merge(other);
        (self.seen.count, self.severity, self.seen.op) = (count, severity, op);
        self.supports = false;
    }

    /// Whether both may be of the same worker and session: unknown ones may be any.
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
