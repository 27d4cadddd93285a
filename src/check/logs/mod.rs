//! From the summaries of logs to a diagnosis, case by case.
//!
//! In this order: an incident becomes a candidate with one code ([`gsyncd`], [`translators`],
//! [`exceptions`]), candidates of one kind are merged ([`candidate`]) and those that only
//! corroborate join what they support ([`settle`]), the session's history adds its own
//! ([`session`]), noise of a stop becomes benign and what the worker recovered from is marked
//! ([`healed`]), causes find their effects ([`causes`]); sentences and commands come last
//! ([`wording`]).

mod brick_status;
mod candidate;
mod case;
mod causes;
mod entry_code;
mod exceptions;
mod gsyncd;
mod healed;
mod known_bugs;
mod session;
mod settle;
mod translators;
mod wording;

pub use brick_status::{add_dropped, place_findings, questions};

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::domain::{
    Code, Diagnosis, FailedEntry, Finding, Gfid, Name, Observed, Severity, Source, SourceKind,
    Verdict,
};
use crate::format::log_message::Message;
use crate::format::release::ReleaseSet;
use crate::scan::logs::{Incident, Incidents, LogSummary};
use candidate::Candidate;
use case::LogCase;

/// Judges the summaries of logs: findings with their causes, workers, verdict.
#[must_use]
pub fn diagnose(mut summaries: Vec<LogSummary>) -> Diagnosis {
    let cases: BTreeSet<Option<Name>> = summaries.iter().map(|log| log.case.clone()).collect();
    let notes = summaries.iter().filter_map(|log| log.note.clone()).collect();
    let mut diagnosis = Diagnosis {
        schema: "georepair/diagnosis/1",
        verdict: Verdict::Unknown,
        sources: Vec::new(),
        workers: Vec::new(),
        findings: Vec::new(),
        notes,
    };
    for case in cases {
        judge_case(&mut summaries, case.as_ref(), &mut diagnosis);
    }
    diagnosis.sources = summaries.iter().map(source).collect();
    diagnosis.verdict = verdict(&diagnosis.findings, &summaries);
    diagnosis
}

fn source(log: &LogSummary) -> Source {
    let release = log.fingerprint.releases().filter(|set| *set != ReleaseSet::all());
    Source {
        path: log.path.clone(),
        path_bytes: log.path.exact(),
        kind: log.kind,
        lines: log.lines,
        bytes: log.bytes,
        unparsed: log.unparsed,
        first: log.first,
        last: log.last,
        release: release.map(|set| set.to_string()),
    }
}

/// The verdict over the findings. Healthy needs proof: a log that was read to its end.
fn verdict(findings: &[Finding], logs: &[LogSummary]) -> Verdict {
    let seen = logs.iter().any(|log| log.first.is_some()) && !logs.iter().any(|log| log.cut_short);
    match Verdict::of(findings) {
        Verdict::Healthy if !seen => Verdict::Unknown,
        verdict => verdict,
    }
}

fn judge_case(summaries: &mut [LogSummary], folder: Option<&Name>, diagnosis: &mut Diagnosis) {
    let mut logs: Vec<_> = summaries.iter_mut().filter(|log| log.case.as_ref() == folder).collect();
    let case = LogCase::of(&mut logs);
    let releases = releases(&logs);
    let mut candidates = candidates(&logs, &case);
    for log in &mut logs {
        log.incidents = Incidents::default();
    }
    candidates.extend(session::session_findings(&logs, &case));
    judge_recovery(&mut candidates, &case);
    candidates.sort_by_key(rank);
    causes::link_causes(&mut candidates);
    let order = causes_first(&candidates);
    let start = diagnosis.findings.len();
    let places: HashMap<usize, usize> =
        order.iter().enumerate().map(|(place, &index)| (index, start + place)).collect();
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    for index in order {
        let Some(candidate) = candidates.get_mut(index).and_then(Option::take) else { continue };
        let cause = candidate.cause.and_then(|cause| places.get(&cause).copied());
        let known = releases.map(|set| known_bugs::known_bugs(&candidate, set));
        let finding = wording::finding(candidate, cause);
        diagnosis.findings.push(Finding { known: known.unwrap_or_default(), ..finding });
    }
    diagnosis.workers.extend(case.workers());
}

/// Excuses what a stop explains and marks what the workers recovered from. Data that a retry
/// delivered is judged over all candidates first: a skipped changelog among them refutes it.
fn judge_recovery(candidates: &mut [Candidate], case: &LogCase) {
    let sent: Vec<_> =
        candidates.iter().map(|it| healed::was_sent_after_all(it, candidates, case)).collect();
    for (candidate, sent) in candidates.iter_mut().zip(sent) {
        healed::excuse(candidate, case);
        candidate.healed = sent || healed::is_healed(candidate, case);
        if sent {
            candidate.severity = Severity::Warning;
        }
    }
}

/// The releases that can have written the primary's gsyncd logs, else the secondary's.
fn releases(logs: &[&mut LogSummary]) -> Option<ReleaseSet> {
    let of = |kind: SourceKind| {
        let sets = logs.iter().filter(|log| log.kind == Some(kind));
        sets.filter_map(|log| log.fingerprint.releases()).reduce(ReleaseSet::intersect)
    };
    [SourceKind::PrimaryGsyncd, SourceKind::SecondaryGsyncd]
        .into_iter()
        .filter_map(of)
        .find(|set| !set.is_empty())
}

/// All incidents as candidates: classified, merged, what only corroborates settled.
fn candidates(logs: &[&mut LogSummary], case: &LogCase) -> Vec<Candidate> {
    let mut merged = BTreeMap::new();
    let renamed = renamed_directories(logs);
    for log in logs {
        let mut incidents: Vec<&Incident> = log.incidents.iter().collect();
        // Incidents come in the order of a hash; the first of a kind gives its evidence.
        incidents.sort_by(|a, b| (a.seen.first, &a.evidence).cmp(&(b.seen.first, &b.evidence)));
        for incident in incidents {
            let Some(mut candidate) = gsyncd::candidate(incident, log) else { continue };
            if healed::is_first_crawl(&candidate, case) {
                candidate.severity = Severity::Benign;
            }
            if candidate.code == Code::GlusterBinaryMissing {
                name_directory(&mut candidate, &renamed);
            }
            for candidate in split_lookups(candidate, incident, case) {
                let supported = candidate.supports.then_some(candidate.message);
                match merged.entry((candidate.key(), supported)) {
                    Entry::Vacant(place) => drop(place.insert(candidate)),
                    Entry::Occupied(mut place) => {
                        let known: &mut Candidate = place.get_mut();
                        known.merge(candidate);
                    }
                }
            }
        }
    }
    settle::settle(merged.into_values().collect())
}

/// Splits lookups that found nothing: those repeated are suspects, the others are how every
/// create begins.
fn split_lookups(candidate: Candidate, incident: &Incident, case: &LogCase) -> Vec<Candidate> {
    if candidate.code != Code::MissingOnSecondary {
        return vec![candidate];
    }
    let gfids = candidate.seen.gfids.iter().copied();
    let (again, once): (Vec<_>, Vec<_>) = gfids.partition(|gfid| incident.repeated.contains(gfid));
    if once.is_empty() || !healed::is_ordinary_lookup(&candidate, case) {
        return vec![candidate];
    }
    let of = |gfids: Vec<Gfid>, count: u64| {
        let wanted: HashSet<_> = gfids.iter().collect();
        let entries = candidate.seen.entries.iter();
        let entries = entries.filter(|it| it.gfid.is_some_and(|gfid| wanted.contains(&gfid)));
        let entries = entries.cloned().collect();
        Observed { count, entries, gfids, ..candidate.seen.clone() }
    };
    let count = if again.is_empty() { candidate.seen.count } else { once.len() as u64 };
    let ordinary = Candidate {
        severity: Severity::Benign,
        words: "once".to_owned(),
        seen: of(once, count),
        ..candidate.clone()
    };
    if again.is_empty() {
        return vec![ordinary];
    }
    let suspects = of(again, candidate.seen.count.saturating_sub(count));
    vec![Candidate { seen: suspects, ..candidate }, ordinary]
}

/// Directories that the secondary was about to rename when it died.
fn renamed_directories<'a>(logs: &'a [&mut LogSummary]) -> Vec<&'a Incident> {
    let incidents = logs.iter().flat_map(|log| log.incidents.iter());
    incidents.filter(|incident| incident.message == Message::RenameOnMkdir).collect()
}

/// A program that was missing while a directory was created: the directory is named, since gsyncd
/// reports its ENOENT, but it is not at fault.
fn name_directory(candidate: &mut Candidate, renamed: &[&Incident]) {
    for place in renamed {
        let near = place.seen.moments.near(&candidate.seen.moments, 2, 2);
        if place.worker == candidate.worker && near {
            let op = Some("MKDIR".to_owned());
            let entries = place.seen.entries.iter().cloned();
            candidate.seen.gfids.extend(&place.seen.gfids);
            candidate.seen.entries.extend(entries.map(|it| FailedEntry { op: op.clone(), ..it }));
            candidate.seen.op = op;
        }
    }
}

/// Worst first: unhealed before healed, then by severity, how often, and when.
fn rank(candidate: &Candidate) -> impl Ord + use<> {
    let healed = candidate.healed || candidate.severity == Severity::Benign;
    (
        healed,
        candidate.severity,
        Reverse(candidate.seen.count),
        candidate.seen.first,
        candidate.code,
        candidate.seen.parent,
    )
}

/// The candidates in order, each after its cause.
fn causes_first(candidates: &[Candidate]) -> Vec<usize> {
    let mut order = Vec::with_capacity(candidates.len());
    let mut effects: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        if let Some(cause) = candidate.cause {
            effects.entry(cause).or_default().push(index);
        }
    }
    let mut stack: Vec<_> = (0..candidates.len()).rev().collect();
    stack.retain(|&index| candidates.get(index).is_some_and(|candidate| candidate.cause.is_none()));
    while let Some(index) = stack.pop() {
        order.push(index);
        stack.extend(effects.get(&index).into_iter().flatten().rev());
    }
    order
}
