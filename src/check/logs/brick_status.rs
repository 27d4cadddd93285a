//! The bricks' answers about a diagnosis's gfids: still there, gone, or under another name.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Diagnosis, EntryId, FailedEntry, Finding, Gfid, Severity};
use crate::format::changelog::Change;
use crate::scan::changelog::History;
use crate::scan::resolve::{Answer, BrickAnswer, Query, Status};

/// The queries a diagnosis has for the bricks, each once: its suspects by gfid, or by parent and
/// name if the log has no gfid.
#[must_use]
pub fn questions(diagnosis: &Diagnosis) -> Vec<Query> {
    let mut gfids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for finding in diagnosis.findings.iter().filter(|finding| finding.severity != Severity::Benign)
    {
        gfids.extend(&finding.seen.gfids);
        gfids.extend(finding.seen.entries.iter().filter_map(|entry| entry.gfid));
        places.extend(
            finding.seen.entries.iter().filter(|entry| entry.gfid.is_none()).filter_map(place),
        );
    }
    let gfids = gfids.into_iter().map(Query::Gfid);
    gfids.chain(places.into_iter().map(Query::Entry)).collect()
}

fn place(entry: &FailedEntry) -> Option<EntryId> {
    Some(EntryId { parent: entry.parent?, name: entry.name.clone()? })
}

/// Adds to a finding of skipped changelogs the gfids whose data they name: gsyncd dropped those.
/// The entry operations of the same changelogs were done, or are findings of their own.
pub fn add_dropped(finding: &mut Finding, history: &History) {
    let mut known: BTreeSet<Gfid> = finding.seen.gfids.iter().copied().collect();
    for event in &history.events {
        let record = &event.record;
        let data = matches!(record.change, Change::Data | Change::Metadata { .. });
        if data && known.insert(record.gfid) {
            finding.seen.gfids.push(record.gfid);
        }
    }
}

/// Adds the bricks' answers to the diagnosis: path and state of each entry, and an entry for each
/// gfid that has none.
pub fn place_findings(diagnosis: &mut Diagnosis, answers: &[Answer]) {
    let mut by_gfid = BTreeMap::new();
    let mut by_place = BTreeMap::new();
    for answer in answers {
        match &answer.query {
            Query::Gfid(gfid) => drop(by_gfid.insert(*gfid, answer)),
            Query::Entry(entry) => drop(by_place.insert(entry.clone(), answer)),
            _ => {}
        }
    }
    for finding in diagnosis.findings.iter_mut().filter(|f| f.severity != Severity::Benign) {
        add_bare_gfids(finding);
        for entry in &mut finding.seen.entries {
            let answer = match entry.gfid {
                Some(gfid) => by_gfid.get(&gfid),
                None => place(entry).and_then(|place| by_place.get(&place)),
            };
            if let Some(answer) = answer {
                fill(entry, answer);
            }
        }
        sum_up(finding);
    }
}

/// Gives every failing gfid an entry, which can hold its path.
fn add_bare_gfids(finding: &mut Finding) {
    let of_entry = |entry: &FailedEntry| entry.gfid.into_iter().chain(entry.secondary_gfid);
    let named: BTreeSet<Gfid> = finding.seen.entries.iter().flat_map(of_entry).collect();
    let bare = finding.seen.gfids.iter().filter(|gfid| !named.contains(gfid));
    let bare: Vec<_> = bare
        .map(|&gfid| FailedEntry {
            gfid: Some(gfid),
            errno: finding.seen.errno,
            ..FailedEntry::default()
        })
        .collect();
    finding.seen.entries.extend(bare);
}

fn fill(entry: &mut FailedEntry, answer: &Answer) {
    let Some(sight) = answer.owner() else { return };
    entry.gfid = entry.gfid.or(answer.gfid);
    entry.now = match sight.status {
        Some(Status::Resolved) if is_at_logged_place(entry, sight) => Some("present"),
        Some(Status::Resolved) => Some("renamed"),
        Some(Status::Missing) => Some("gone"),
        Some(_) => Some("damaged"),
        None => None,
    };
    let logged = sight.links.iter().find(|link| is_logged_name(entry, link.path.as_bytes()));
    entry.path = logged.or(sight.links.first()).map(|link| link.path.clone());
}

/// Whether one of the names on the brick is the one in the log; a log without a name fits any.
fn is_at_logged_place(entry: &FailedEntry, sight: &BrickAnswer) -> bool {
    let Some(parent) = entry.parent.filter(|_| entry.name.is_some()) else { return true };
    sight.links.iter().any(|link| {
        link.parent.is_none_or(|own| own == parent) && is_logged_name(entry, link.path.as_bytes())
    })
}

fn is_logged_name(entry: &FailedEntry, path: &[u8]) -> bool {
    let last = path.rsplit(|&byte| byte == b'/').next();
    entry.name.as_ref().is_some_and(|name| last == Some(name.as_bytes()))
}

/// Appends to the sentence how many entries have which state on the bricks.
fn sum_up(finding: &mut Finding) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for now in finding.seen.entries.iter().filter_map(|entry| entry.now) {
        *counts.entry(now).or_default() += 1;
    }
    if !counts.is_empty() {
        let words: Vec<_> = counts.iter().map(|(now, count)| format!("{count} {now}")).collect();
        finding.says += &format!(" (on the bricks: {})", words.join(", "));
    }
}
