//! Whether objects were recorded anew: their E and D records in the changelogs of one moment on.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use super::changelogs::{Changelogs, ChangelogsError, read};
use crate::domain::{Fop, Gfid};
use crate::format::changelog::{Change, Item};

/// What is looked for, and what of it was found. Some fifty bytes an object.
#[derive(Debug, Default)]
pub struct Search {
    wanted: HashMap<Gfid, Wanted>,
    read: HashSet<PathBuf>,
    missing: usize,
}

#[derive(Debug)]
struct Wanted {
    place: u64,
    folder: bool,
    entry: bool,
    data: bool,
}

impl Wanted {
    fn is_recorded(&self) -> bool {
        self.entry && (self.folder || self.data)
    }
}

impl Search {
    /// Looks for an object too: its E record with this directory and name, and its D record if
    /// it is a file.
    pub fn want(&mut self, gfid: Gfid, parent: Gfid, name: &[u8], folder: bool) {
        let wanted = Wanted { place: place(parent, name), folder, entry: false, data: false };
        if self.wanted.insert(gfid, wanted).is_none() {
            self.missing += 1;
        }
    }

    /// Reads the slices of a brick that ended at or after a moment, in seconds since 1970, and
    /// were not read before; answers when the latest one with a wanted record ended.
    ///
    /// # Errors
    /// [`ChangelogsError`] where the brick has no changelogs or one cannot be read.
    pub fn read(&mut self, brick: &Path, since: i64) -> Result<Option<u32>, ChangelogsError> {
        let listed = Changelogs::of(brick)?;
        let mut latest = None;
        for file in listed.between(Some(since), Some(i64::from(u32::MAX))) {
            if !self.read.insert(file.path.clone()) {
                continue;
            }
            let mut found = false;
            let outcome = read(&file.path, |item| {
                if let Item::Record(record) = item {
                    found |= self.take(record.gfid, &record.change);
                }
                ControlFlow::Continue(())
            });
            outcome.map_err(|error| ChangelogsError::unreadable(&file.path, error))?;
            if found {
                latest = latest.max(file.end);
            }
        }
        Ok(latest)
    }

    fn take(&mut self, gfid: Gfid, change: &Change<'_>) -> bool {
        let Some(wanted) = self.wanted.get_mut(&gfid) else { return false };
        let before = wanted.is_recorded();
        match change {
            Change::Data => wanted.data = true,
            Change::Metadata { .. } => return false,
            Change::Entry(entry) => {
                let made = matches!(entry.fop, Fop::CREATE | Fop::MKNOD | Fop::MKDIR);
                let there = place(entry.place.parent, &entry.place.name) == wanted.place;
                wanted.entry |= made && there;
            }
        }
        if wanted.is_recorded() && !before {
            self.missing -= 1;
        }
        true
    }

    /// How many were not recorded yet.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Whether an object was recorded.
    #[must_use]
    pub fn is_recorded(&self, gfid: Gfid) -> bool {
        self.wanted.get(&gfid).is_some_and(Wanted::is_recorded)
    }
}

/// A directory and a name in 64 bits: millions are kept.
fn place(parent: Gfid, name: &[u8]) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(parent.as_bytes());
    hash.update(name);
    hash.digest()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::format::changelog::{Entry, Place};

    fn entry(fop: Fop, parent: Gfid, name: &'static [u8]) -> Change<'static> {
        let place = Place { parent, name: Cow::Borrowed(name) };
        Change::Entry(Entry { fop, owner: None, place, to: None, path: None })
    }

    #[test]
    fn a_file_needs_both_records_and_the_right_place() {
        let (file, dir) = (Gfid::from_bytes([7; 16]), Gfid::from_bytes([8; 16]));
        let mut search = Search::default();
        search.want(file, dir, b"f", false);
        search.want(dir, Gfid::ROOT, b"d", true);
        assert!(search.take(file, &Change::Data));
        for elsewhere in [
            entry(Fop::CREATE, dir, b"g"),
            entry(Fop::CREATE, Gfid::ROOT, b"f"),
            entry(Fop::UNLINK, dir, b"f"),
        ] {
            search.take(file, &elsewhere);
            assert!(!search.is_recorded(file), "{elsewhere:?}");
        }
        search.take(file, &entry(Fop::MKNOD, dir, b"f"));
        assert!(search.is_recorded(file) && search.missing() == 1);
        search.take(dir, &entry(Fop::MKDIR, Gfid::ROOT, b"d"));
        assert_eq!(search.missing(), 0);
        assert!(!search.take(Gfid::ROOT, &Change::Data));
    }
}
