//! One record of a changelog, with its brick, its time and the paths it had then.

use std::path::PathBuf;

use crate::domain::{EntryId, Gfid, Name};
use crate::format::changelog::{Damage, Place, Record};

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
    /// The object that a RENAME replaced.
    pub replaced: Option<Gfid>,
    /// Its slice on its own brick.
    pub(super) slice: Slice,
}

/// A changelog's stretch of time, `start` excluded, in seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slice {
    pub(super) start: i64,
    pub(super) end: i64,
}

/// Bytes that are not a record, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// The file.
    pub file: PathBuf,
    /// The bytes.
    pub damage: Damage,
    /// Whether the file ends there, in the middle of a record.
    pub torn: bool,
}

impl Event {
    /// The file's base name, such as `CHANGELOG.1795230034`.
    #[must_use]
    pub fn file_name(&self) -> Name {
        Name::from(self.file.file_name().unwrap_or_default().as_encoded_bytes())
    }
}

pub(super) fn entry_id(place: &Place<'_>) -> EntryId {
    EntryId { parent: place.parent, name: Name::from(&*place.name) }
}
