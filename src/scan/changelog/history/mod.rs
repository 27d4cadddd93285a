//! The history of gfids and paths, from the changelogs of one brick or many.

mod brick;
mod event;
mod merge;
mod names;
mod reuse;
mod search;
mod subject;

use std::collections::HashSet;
use std::path::PathBuf;

use super::{Changelogs, ChangelogsError, locate};

pub(super) use brick::{gfid_at, place_of};
pub use event::{Damaged, Event};
pub use reuse::{Pattern, Reuse};
pub use subject::Subject;

use event::Slice;

/// What the changelogs recorded.
#[derive(Clone, Default, Debug)]
pub struct History {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Names that several objects bore in turn.
    pub reuses: Vec<Reuse>,
    /// Bytes that are not a record, and cut tails.
    pub damage: Vec<Damaged>,
    /// What could not be read or resolved, one sentence each.
    pub notes: Vec<String>,
}

/// A stretch of time; seconds since 1970, both ends included.
#[derive(Clone, Copy, Default, Debug)]
pub struct Span {
    /// No slice that ended before.
    pub since: Option<i64>,
    /// No slice that ended later.
    pub until: Option<i64>,
}

/// Reads the changelogs of bricks for everything that happened to the subjects.
///
/// Every file is read twice: first for who bore which name, then for the records. What replicas
/// recorded alike is reported once. Memory grows with what is found, not with the changelogs.
///
/// # Errors
/// [`ChangelogsError`] if a brick has no changelogs or a file cannot be read.
pub fn history(
    bricks: &[PathBuf],
    subjects: &[Subject],
    span: Span,
) -> Result<History, ChangelogsError> {
    let mut told = History::default();
    let sources = sources(bricks, span, &mut told.notes)?;
    let wanted = search::wanted(bricks, &sources, subjects)?;
    if wanted.gfids.is_empty() {
        told.notes.push("no changelog names any of these".to_owned());
    }
    let found = search::records(&sources, |record| {
        wanted.gfids.contains(&record.gfid)
            || record.change.places().any(|place| wanted.touches(place))
    })?;
    told.damage = found.damage;
    told.events = merge::merged(found.events, bricks.len());
    let reused = reuse::reuses(&mut told.events, &wanted.gfids);
    told.reuses = reused;
    told.events.retain(|event| {
        wanted.asked.contains(&event.record.gfid)
            || event.replaced.is_some_and(|gfid| wanted.asked.contains(&gfid))
            || event.record.change.places().any(|place| wanted.asked_entry(place))
    });
    names::name_parents(bricks, &sources, &mut told.events, &mut told.reuses)?;
    Ok(told)
}

/// Every record of the changelogs that logs name, such as `CHANGELOG.1795230034`: what gsyncd
/// dropped when it could not process them.
///
/// Changelogs that no brick has are listed in the notes.
///
/// # Errors
/// [`ChangelogsError`] if a file cannot be read.
pub fn dropped(bricks: &[PathBuf], names: &[String]) -> Result<History, ChangelogsError> {
    let mut told = History::default();
    let mut sources = Vec::new();
    for name in names.iter().collect::<std::collections::BTreeSet<_>>() {
        let mut found = false;
        for (index, brick) in bricks.iter().enumerate() {
            if let Some(file) = locate(brick, name) {
                let end = file.end.map_or(i64::MAX, i64::from);
                let slice = Slice { start: end - 1, end };
                sources.push(search::Source { brick: index, file, slice });
                found = true;
            }
        }
        if !found {
            told.notes.push(format!("{name} is on none of the bricks"));
        }
    }
    sources.sort_by_key(|source| (source.brick, source.slice.end));
    let found = search::records(&sources, |_| true)?;
    told.damage = found.damage;
    told.events = merge::merged(found.events, bricks.len());
    reuse::reuses(&mut told.events, &HashSet::new());
    names::name_parents(bricks, &sources, &mut told.events, &mut told.reuses)?;
    Ok(told)
}

/// The files to read, brick by brick, each in the order of time.
fn sources(
    bricks: &[PathBuf],
    span: Span,
    notes: &mut Vec<String>,
) -> Result<Vec<search::Source>, ChangelogsError> {
    let mut sources = Vec::new();
    for (brick, root) in bricks.iter().enumerate() {
        let listed = Changelogs::of(root)?;
        let mut start = i64::MIN;
        for file in &listed.files {
            let end = file.end.map_or(i64::MAX, i64::from);
            if listed.between(span.since, span.until).any(|wanted| std::ptr::eq(wanted, file)) {
                sources.push(search::Source {
                    brick,
                    file: file.clone(),
                    slice: Slice { start, end },
                });
            }
            start = end;
        }
        notes.extend(listed.notes);
    }
    Ok(sources)
}

#[cfg(test)]
mod tests;
