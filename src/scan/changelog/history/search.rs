//! Reading many changelogs at once for the records that matter.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use rayon::prelude::*;

use super::brick;
use super::event::{Damaged, Event, Slice, entry_id};
use super::subject::Subject;
use crate::domain::{EntryId, Gfid, Name};
use crate::format::changelog::{Item, Place, Record};
use crate::scan::changelog::{Changelog, ChangelogsError, read};

/// A file to read.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) brick: usize,
    pub(super) file: Changelog,
    pub(super) slice: Slice,
}

/// What was found, in the order of the sources.
pub(super) struct Found {
    pub(super) events: Vec<Event>,
    pub(super) damage: Vec<Damaged>,
}

/// Collects the records that `wanted` picks, reading files in parallel.
pub(super) fn records(
    sources: &[Source],
    wanted: impl Fn(&Record<'_>) -> bool + Sync,
) -> Result<Found, ChangelogsError> {
    let each = |source: &Source| {
        let mut found = Found { events: Vec::new(), damage: Vec::new() };
        visit(source, |item| match item {
            Item::Record(record) if wanted(record) => {
                found.events.push(event(source, record.clone().into_owned()));
            }
            Item::Record(_) => {}
            Item::Damage(damage) | Item::Torn(damage) => found.damage.push(Damaged {
                file: source.file.path.clone(),
                damage: *damage,
                torn: matches!(item, Item::Torn(_)),
            }),
        })?;
        Ok(found)
    };
    let found: Vec<_> = sources.par_iter().map(each).collect::<Result<_, ChangelogsError>>()?;
    let mut all = Found { events: Vec::new(), damage: Vec::new() };
    for part in found {
        all.events.extend(part.events);
        all.damage.extend(part.damage);
    }
    Ok(all)
}

fn event(source: &Source, record: Record<'static>) -> Event {
    Event {
        time: source.file.end,
        brick: source.brick,
        file: source.file.path.clone(),
        also: Vec::new(),
        record,
        parent_path: None,
        new_parent_path: None,
        replaced: None,
        slice: source.slice,
    }
}

/// Reads one file; a live changelog that is gone was rolled over and is read as the next one.
fn visit(source: &Source, mut each: impl FnMut(&Item<'_>)) -> Result<(), ChangelogsError> {
    let path = &source.file.path;
    let read = read(path, |item| {
        each(item);
        ControlFlow::Continue(())
    });
    match read {
        Err(error) if source.file.end.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            Ok(())
        }
        Err(error) => Err(ChangelogsError::unreadable(path, error)),
        Ok(_) => Ok(()),
    }
}

/// The objects and names a history is about.
pub(super) struct Wanted {
    /// Objects whose records are read.
    pub(super) gfids: HashSet<Gfid>,
    /// Objects whose records are reported.
    pub(super) asked: HashSet<Gfid>,
    /// Names whose records are read.
    entries: HashSet<EntryId>,
    /// Names whose records are reported.
    asked_entries: HashSet<EntryId>,
    /// Basenames of `entries`: checking these first is cheaper than building an [`EntryId`].
    names: HashSet<Name>,
}

impl Wanted {
    pub(super) fn touches(&self, place: &Place<'_>) -> bool {
        has(&self.names, &self.entries, place)
    }

    pub(super) fn asked_entry(&self, place: &Place<'_>) -> bool {
        has(&self.names, &self.asked_entries, place)
    }
}

fn has(names: &HashSet<Name>, entries: &HashSet<EntryId>, place: &Place<'_>) -> bool {
    let name = Name::from(&*place.name);
    names.contains(&name) && entries.contains(&EntryId { parent: place.parent, name })
}

/// Which names an object bore, out of one record.
struct Sighting {
    entry: EntryId,
    gfid: Gfid,
    deleted: Option<Name>,
}

/// Reads all files once to learn who bore which name.
pub(super) fn wanted(
    bricks: &[PathBuf],
    sources: &[Source],
    subjects: &[Subject],
) -> Result<Wanted, ChangelogsError> {
    let mut gfids = HashSet::new();
    let mut entries = HashSet::new();
    let (mut names, mut paths) = (HashSet::new(), Vec::new());
    for subject in subjects {
        match subject {
            Subject::Gfid(gfid) => {
                gfids.insert(*gfid);
            }
            Subject::Entry(entry) => {
                entries.insert(entry.clone());
                names.insert(entry.name.clone());
            }
            Subject::Path(path) => {
                names.extend(path.as_bytes().split(|&byte| byte == b'/').map(Name::from));
                paths.push(path);
            }
        }
    }
    let sightings = sightings(sources, &gfids, &names)?;
    for path in paths {
        entries.extend(entries_of(bricks, &sightings, path));
    }
    let asked_entries = entries.clone();
    let mut asked = gfids.clone();
    for sighting in &sightings {
        if asked_entries.contains(&sighting.entry) {
            asked.insert(sighting.gfid);
        }
        if gfids.contains(&sighting.gfid) {
            entries.insert(sighting.entry.clone());
        }
    }
    let names = entries.iter().map(|entry| entry.name.clone()).collect();
    Ok(Wanted { gfids: asked.clone(), asked, entries, asked_entries, names })
}

fn sightings(
    sources: &[Source],
    gfids: &HashSet<Gfid>,
    names: &HashSet<Name>,
) -> Result<Vec<Sighting>, ChangelogsError> {
    let each = |source: &Source| {
        let mut found = Vec::new();
        visit(source, |item| {
            let Item::Record(record) = item else { return };
            let Some(entry) = record.change.entry() else { return };
            let wanted = gfids.contains(&record.gfid);
            for place in record.change.places() {
                if wanted || names.contains(&Name::from(&*place.name)) {
                    let deleted = entry.path.as_deref().map(Name::from);
                    found.push(Sighting { entry: entry_id(place), gfid: record.gfid, deleted });
                }
            }
        })?;
        Ok(found)
    };
    let found: Vec<_> = sources.par_iter().map(each).collect::<Result<_, ChangelogsError>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The entries a path meant at any time: its directories by every gfid that ever bore their
/// names, and by the one that is there now.
fn entries_of(bricks: &[PathBuf], sightings: &[Sighting], path: &Name) -> Vec<EntryId> {
    let parts: Vec<_> = path.as_bytes().split(|&byte| byte == b'/').collect();
    let Some((last, folders)) = parts.split_last() else { return Vec::new() };
    let mut parents = HashSet::from([Gfid::ROOT]);
    let mut walked = Vec::new();
    for folder in folders {
        walked.extend_from_slice(folder);
        let now = bricks.iter().filter_map(|brick| brick::gfid_at(brick, &walked));
        let then = sightings.iter().filter(|seen| {
            seen.entry.name.as_bytes() == *folder && parents.contains(&seen.entry.parent)
        });
        parents = now.chain(then.map(|seen| seen.gfid)).collect();
        walked.push(b'/');
    }
    let deleted = sightings
        .iter()
        .filter(|seen| seen.deleted.as_ref() == Some(path) && seen.entry.name.as_bytes() == *last);
    let at = parents.into_iter().map(|parent| EntryId { parent, name: Name::from(last) });
    at.chain(deleted.map(|seen| seen.entry.clone())).collect()
}
