//! From the summaries of logs to a diagnosis, case by case.
//!
//! In this order: an incident becomes a candidate with one code ([`gsyncd`], [`translators`],
//! [`exceptions`]), candidates of one kind become one ([`candidate`]), causes find their effects
//! ([`causes`]), what a stop or a changed option explains becomes benign, and what the worker
//! recovered from is marked ([`healed`]); what to say and to do comes last ([`wording`]).

mod brick_status;
mod candidate;
mod case;
mod causes;
mod exceptions;
mod gsyncd;
mod healed;
mod known_bugs;
mod translators;
mod wording;

pub use brick_status::{add_dropped, place_findings, questions};

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{
    Code, Diagnosis, Finding, Flag, Name, Severity, Side, Source, SourceKind, TimeSet, Verdict,
};
use crate::format::log_message::Message;
use crate::format::release::ReleaseSet;
use crate::scan::logs::{Incident, Incidents, LogSummary};
use candidate::Candidate;
use case::{LogCase, in_case};

/// Judges what logs tell: findings with their causes, workers, verdict.
#[must_use]
pub fn diagnose(mut told: Vec<LogSummary>) -> Diagnosis {
    let cases: BTreeSet<Option<Name>> = told.iter().map(|log| log.case.clone()).collect();
    let notes = told.iter().filter_map(|log| log.note.clone()).collect();
    let mut diagnosis = Diagnosis {
        schema: "georepair/diagnosis/1",
        verdict: Verdict::Unknown,
        sources: Vec::new(),
        workers: Vec::new(),
        findings: Vec::new(),
        notes,
    };
    for case in cases {
        judge_case(&mut told, case.as_ref(), &mut diagnosis);
    }
    diagnosis.sources = told.iter().map(source).collect();
    diagnosis.verdict = verdict(&diagnosis.findings, &told);
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

/// The verdict over findings; where nothing could be read, or nothing is wrong in what could be
/// read while a file could not, it is not healthy but unknown.
fn verdict(findings: &[Finding], told: &[LogSummary]) -> Verdict {
    let seen = told.iter().any(|log| log.first.is_some()) && !told.iter().any(|log| log.cut_short);
    match Verdict::of(findings) {
        Verdict::Healthy if !seen => Verdict::Unknown,
        verdict => verdict,
    }
}

fn judge_case(told: &mut [LogSummary], case: Option<&Name>, diagnosis: &mut Diagnosis) {
    let mut logs: Vec<_> = told.iter_mut().filter(|log| in_case(log, case)).collect();
    let scene = LogCase::of(&mut logs);
    let releases = releases(&logs);
    let mut drafts = drafts(&logs, &scene);
    for log in &mut logs {
        log.incidents = Incidents::default();
    }
    drafts.extend(of_session(&logs, &scene, case));
    let sent: Vec<_> =
        drafts.iter().map(|draft| healed::was_sent_after_all(draft, &drafts, &scene)).collect();
    for (draft, sent) in drafts.iter_mut().zip(sent) {
        healed::excuse(draft, &scene);
        draft.healed = sent || healed::is_healed(draft, &scene);
        if sent {
            draft.severity = Severity::Warning;
        }
    }
    drafts.sort_by_key(rank);
    causes::link(&mut drafts);
    let order = causes_first(&drafts);
    let start = diagnosis.findings.len();
    let places: HashMap<usize, usize> =
        order.iter().enumerate().map(|(place, &index)| (index, start + place)).collect();
    let mut drafts: Vec<_> = drafts.into_iter().map(Some).collect();
    for index in order {
        let Some(draft) = drafts.get_mut(index).and_then(Option::take) else { continue };
        let cause = draft.cause.and_then(|cause| places.get(&cause).copied());
        let texts = draft.evidence.iter().map(|line| line.text.lossy());
        let words = draft.words.clone() + " " + &texts.collect::<String>();
        let known = releases.map(|set| known_bugs::of(draft.code, &words, set));
        let mut finding = wording::finish(draft, cause);
        finding.known = known.unwrap_or_default();
        diagnosis.findings.push(finding);
    }
    diagnosis.workers.extend(scene.workers());
}

/// The releases that wrote the primary's gsyncd logs, else the secondary's.
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

/// All incidents as drafts: read, merged, supports settled, ordinary ones left out or excused.
fn drafts(logs: &[&mut LogSummary], scene: &LogCase) -> Vec<Candidate> {
    let mut merged = BTreeMap::new();
    let mut read: Vec<Candidate> = Vec::new();
    for log in logs {
        let mut incidents: Vec<&Incident> = log.incidents.iter().collect();
        incidents.sort_by(|a, b| (a.first, &a.evidence).cmp(&(b.first, &b.evidence)));
        for incident in incidents {
            let Some(mut draft) = gsyncd::read(incident, log) else { continue };
            if healed::is_first_crawl(&draft, scene) {
                draft.severity = Severity::Benign;
            }
            read.extend(split_suspects(draft, incident, scene));
        }
    }
    let places = rename_on_mkdir(logs);
    for mut draft in read {
        if draft.code == Code::GlusterBinaryMissing {
            name_directory(&mut draft, &places);
        }
        match merged.entry((draft.key(), draft.supports.then_some(draft.saying))) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(draft);
            }
            std::collections::btree_map::Entry::Occupied(mut place) => {
                place.get_mut().absorb(draft);
            }
        }
    }
    settle(merged.into_values().collect())
}

/// Look-ups that found nothing: those asked for again are suspects, the rest is how every
/// create begins.
fn split_suspects(draft: Candidate, incident: &Incident, scene: &LogCase) -> Vec<Candidate> {
    if draft.code != Code::MissingOnSecondary {
        return vec![draft];
    }
    let (again, once): (Vec<_>, Vec<_>) =
        draft.gfids.iter().copied().partition(|gfid| incident.repeated.contains(gfid));
    if once.is_empty() || !healed::is_ordinary_lookup(&draft, scene) {
        return vec![draft];
    }
    let entries = |wanted: &[crate::domain::Gfid]| {
        let wanted: BTreeSet<_> = wanted.iter().copied().collect();
        let fits =
            |entry: &&crate::domain::FailedEntry| entry.gfid.is_some_and(|g| wanted.contains(&g));
        draft.entries.iter().filter(fits).cloned().collect::<Vec<_>>()
    };
    let benign = Candidate {
        severity: Severity::Benign,
        words: "once".to_owned(),
        count: once.len() as u64,
        entries: entries(&once),
        gfids: once,
        ..draft.clone()
    };
    if again.is_empty() {
        return vec![Candidate { count: draft.count, ..benign }];
    }
    let count = draft.count.saturating_sub(benign.count);
    vec![Candidate { count, entries: entries(&again), gfids: again, ..draft.clone() }, benign]
}

/// Directories that the secondary was about to rename when it died.
fn rename_on_mkdir<'a>(logs: &'a [&mut LogSummary]) -> Vec<&'a Incident> {
    let incidents = logs.iter().flat_map(|log| log.incidents.iter());
    incidents.filter(|incident| incident.saying == Message::RenameOnMkdir).collect()
}

/// A program that was missing while a directory was made: the directory is named, not blamed.
fn name_directory(draft: &mut Candidate, places: &[&Incident]) {
    for place in places {
        if place.worker == draft.worker && place.moments.near(&draft.moments, 2, 2) {
            draft.gfids.extend(&place.gfids);
            draft.entries.extend(place.entries.iter().cloned().map(|mut entry| {
                entry.op = Some("MKDIR".to_owned());
                entry
            }));
            draft.op = Some("MKDIR".to_owned());
        }
    }
}

/// Lets supporting drafts lean on what they support; what stands alone after that stays.
fn settle(drafts: Vec<Candidate>) -> Vec<Candidate> {
    let (supporting, mut own): (Vec<_>, Vec<_>) = drafts.into_iter().partition(|d| d.supports);
    join_both_sides(&mut own);
    for draft in supporting {
        if is_echo_of_any(&draft, &own) {
            continue;
        }
        let target = own.iter().position(|other| supported(&draft, other));
        match target.and_then(|index| own.get_mut(index)) {
            Some(other) if other.code == draft.code => other.lean_on(draft),
            Some(_) => {}
            None => own.push(alone(draft)),
        }
    }
    drop_echoes(own)
}

/// Whether a draft is nothing but support for another.
fn supported(draft: &Candidate, other: &Candidate) -> bool {
    if !draft.may_share_worker(other) {
        return false;
    }
    let near = |before, after| draft.moments.share_near(&other.moments, before, after) > 0.5;
    match draft.saying {
        Message::FixFailed => other.code.is(Flag::Entry) && near(30, 30),
        Message::DirectoryStops => other.code == draft.code && near(3, 3),
        Message::RemoteOpFailed | Message::FuseFailed => {
            other.code == draft.code
                && (draft.side == other.side || other.side == Side::Both)
                && other.moments.near(&draft.moments, 60, 60)
        }
        Message::RetriesExhausted => other.code == draft.code && near(30, 30),
        _ => other.code == draft.code,
    }
}

/// Lines that only repeat that something went wrong: another process's exception, a death.
/// They count where nothing else happened at that time.
fn is_echo_of_any(draft: &Candidate, own: &[Candidate]) -> bool {
    let (before, after) = match draft.saying {
        Message::CallFailed => (3, 3),
        Message::WorkerDied => (15, 2),
        Message::CommandFailed if draft.code == Code::SshUnreachable => (5, 5),
        _ => return false,
    };
    let by_ssh = draft.code == Code::SshUnreachable;
    let mut moments = TimeSet::default();
    for other in own.iter().filter(|other| other.may_share_worker(draft)) {
        let ssh = other.code.is(Flag::Ssh);
        let grave = other.severity <= Severity::Loss || other.relayed;
        if (by_ssh && ssh) || (!by_ssh && grave) {
            moments.merge(&other.moments);
        }
    }
    draft.moments.share_near(&moments, before, after) > 0.8
}

/// What a supporting draft is when there is nothing to support.
fn alone(draft: Candidate) -> Candidate {
    let words = match draft.saying {
        Message::CallFailed => "an exception on the other side".to_owned(),
        Message::WorkerDied => "died without a word".to_owned(),
        _ => draft.words.clone(),
    };
    Candidate { supports: false, words, ..draft }
}

/// An exception that came through a call is the other side's: both logs tell of one thing.
fn join_both_sides(drafts: &mut Vec<Candidate>) {
    let mut index = 0;
    while index < drafts.len() {
        let effect = |draft: &&Candidate| {
            draft.relayed || (draft.saying == Message::MountGone && draft.side == Side::Primary)
        };
        let Some(relayed) = drafts.get(index).filter(effect) else {
            index += 1;
            continue;
        };
        let other = drafts.iter().position(|other| {
            matches!(other.saying, Message::CallRaised | Message::MountGone)
                && other.side == Side::Secondary
                && other.code == relayed.code
                && relayed.may_share_worker(other)
                && relayed.moments.near(&other.moments, 5, 5)
        });
        match other {
            Some(other) if other != index => {
                let relayed = drafts.remove(index);
                let at = if other > index { other - 1 } else { other };
                if let Some(draft) = drafts.get_mut(at) {
                    draft.lean_on(relayed);
                    draft.side = Side::Both;
                }
            }
            _ => index += 1,
        }
    }
}

/// Leaves out what only repeats another finding: a conflict that gsyncd tried to mend and that
/// failed after all.
fn drop_echoes(drafts: Vec<Candidate>) -> Vec<Candidate> {
    let failed: Vec<_> = drafts
        .iter()
        .filter(|draft| draft.saying == Message::EntryFailed)
        .map(|draft| (draft.case.clone(), draft.worker.clone(), draft.moments.clone()))
        .collect();
    let echo = |draft: &Candidate| {
        draft.code == Code::GfidConflictFixed
            && failed.iter().any(|(case, worker, moments)| {
                *case == draft.case
                    && *worker == draft.worker
                    && draft.moments.share_near(moments, 1, 30) > 0.99
            })
    };
    drafts.into_iter().filter(|draft| !echo(draft)).collect()
}

/// Findings that no line says: only the whole session shows them.
fn of_session(logs: &[&mut LogSummary], scene: &LogCase, case: Option<&Name>) -> Vec<Candidate> {
    let mut found = Vec::new();
    for ((session, folder), tracks) in &scene.tracks {
        let created = tracks.monitor.as_ref().filter(|(_, state)| state == "Created");
        let waited = created.and_then(|(at, _)| scene.end.map(|end| end.secs() - at.secs()));
        let silent =
            tracks.workers.values().all(|track| track.starts == 0 && track.state.is_none());
        if let (Some((at, _)), true, Some(20..)) = (created, silent, waited) {
            found.extend(
                bare(logs, case, (session.as_ref(), folder), Code::WorkerNeverStarted)
                    .map(|draft| Candidate { first: Some(*at), last: scene.end, ..draft }),
            );
        }
        for (brick, track) in &tracks.workers {
            if track.full_crawls >= 2 && track.restarts >= 1 {
                let worker = (!brick.is_empty()).then(|| brick.clone());
                found.extend(
                    bare(logs, case, (session.as_ref(), folder), Code::HybridCrawlRestarting).map(
                        |draft| Candidate {
                            worker,
                            count: track.full_crawls,
                            last: track.died,
                            ..draft
                        },
                    ),
                );
            }
        }
    }
    found
}

/// A draft without a line of its own, in the name of the session's gsyncd log.
fn bare(
    logs: &[&mut LogSummary],
    case: Option<&Name>,
    (session, folder): (Option<&String>, &Name),
    code: Code,
) -> Option<Candidate> {
    let log = logs.iter().find(|log| {
        in_case(log, case)
            && log.session.as_ref() == session
            && log.folder == *folder
            && log.kind == Some(SourceKind::PrimaryGsyncd)
    })?;
    Some(Candidate::bare(log, code))
}

/// Worst first: unhealed before healed, then by severity, how often, and when.
fn rank(draft: &Candidate) -> impl Ord + use<> {
    let healed = draft.healed || draft.severity == Severity::Benign;
    (healed, draft.severity, std::cmp::Reverse(draft.count), draft.first, draft.code, draft.parent)
}

/// Drafts in order, each after its cause.
fn causes_first(drafts: &[Candidate]) -> Vec<usize> {
    let mut order = Vec::with_capacity(drafts.len());
    let mut effects: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        if let Some(cause) = draft.cause {
            effects.entry(cause).or_default().push(index);
        }
    }
    let mut stack: Vec<_> = (0..drafts.len()).rev().collect();
    stack.retain(|&index| drafts.get(index).is_some_and(|draft| draft.cause.is_none()));
    while let Some(index) = stack.pop() {
        order.push(index);
        stack.extend(effects.get(&index).into_iter().flatten().rev());
    }
    order
}
