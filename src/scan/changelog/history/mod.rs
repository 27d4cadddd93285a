//! The life of gfids and paths, out of the changelogs of one brick or many.

mod brick;
mod merge;
mod names;
mod reuse;
mod search;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{Changelogs, ChangelogsError, locate};
use crate::domain::{EntryId, Gfid, Name};
use crate::format::changelog::{Damage, Place, Record};

pub(super) use brick::{gfid_at, place_of};
pub use reuse::{Pattern, Reuse};

/// What a history is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// Everything that happened to this object.
    Gfid(Gfid),
    /// Everything that happened to this name, and to whatever bore it.
    Entry(EntryId),
    /// The same by a path below the brick's root, directories named as they were at any time.
    Path(Name),
}

/// What the changelogs tell.
#[derive(Clone, Default, Debug)]
pub struct History {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Names that several objects bore in turn.
    pub reuses: Vec<Reuse>,
    /// Bytes that are no record, and cut tails.
    pub damage: Vec<Damaged>,
    /// What could not be read or resolved, one sentence each.
    pub notes: Vec<String>,
}

/// One record, with its place in the world.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it had happened at the latest, in seconds since 1970: the end of its slice, or of an
    /// earlier one where another brick shows that. `None` since the last rollover.
    pub time: Option<u32>,
    /// The index of its brick.
    pub brick: usize,
    /// Its file.
    pub file: PathBuf,
    /// Further bricks that recorded the same: replicas, and for directories all of a volume.
    pub also: Vec<usize>,
    /// The record.
    pub record: Record<'static>,
    /// The path of the directory then, below the brick's root; `.` for the root itself.
    pub parent_path: Option<Name>,
    /// The same for the directory of a RENAME's new name.
    pub new_parent_path: Option<Name>,
    /// The object that a RENAME put itself in the place of.
    pub replaced: Option<Gfid>,
    /// Its slice on its own brick.
    slice: Slice,
}

/// A changelog's stretch of time, `start` excluded, in seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Slice {
    start: i64,
    end: i64,
}

/// Bytes that are no record, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// The file.
    pub file: PathBuf,
    /// The bytes.
    pub damage: Damage,
    /// Whether the file ends there, in the middle of a record.
    pub torn: bool,
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
/// recorded alike is told once. Memory is that of what is found.
///
/// # Errors
/// [`ChangelogsError`] where a brick has no changelogs or a file cannot be read.
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
    names::name_parents(bricks, &sources, &mut told)?;
    Ok(told)
}

/// Every record of the changelogs that logs name, such as `CHANGELOG.1795230034`: what gsyncd
/// dropped when it could not process them.
///
/// Changelogs that none of the bricks has are told in the notes.
///
/// # Errors
/// [`ChangelogsError`] where a file cannot be read.
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
    names::name_parents(bricks, &sources, &mut told)?;
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

impl Subject {
    /// Reads what people type: a gfid in any notation, `.gfid/<parent>/<name>`, or a path, also
    /// an absolute one below one of the bricks.
    #[must_use]
    pub fn from_arg(text: &[u8], bricks: &[PathBuf]) -> Self {
        let words = std::str::from_utf8(text).unwrap_or_default();
        if let Ok(gfid) = words.parse() {
            return Self::Gfid(gfid);
        }
        let mut entry = b".gfid/".to_vec();
        entry.extend_from_slice(text.strip_prefix(b".gfid/").unwrap_or(text));
        if let Some(entry) = EntryId::from_gfid_path(&entry) {
            return Self::Entry(entry);
        }
        let below = bricks.iter().find_map(|brick| {
            let rest = text.strip_prefix(brick.as_os_str().as_encoded_bytes())?;
            (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
        });
        let parts = below.unwrap_or(text).split(|&byte| byte == b'/');
        let parts: Vec<_> = parts.filter(|part| !part.is_empty() && *part != b".").collect();
        Self::Path(Name::from(parts.join(&b'/')))
    }
}

impl Event {
    /// The file's base name, such as `CHANGELOG.1795230034`.
    #[must_use]
    pub fn file_name(&self) -> Name {
        super::name_of(Path::new(self.file.file_name().unwrap_or_default()))
    }
}

fn entry_id(place: &Place<'_>) -> EntryId {
    EntryId { parent: place.parent, name: Name::from(&*place.name) }
}

#[cfg(test)]
mod tests;
