//! Whether objects were recorded anew: their E and D records in the slices after one moment.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::domain::{Fop, Gfid};
use crate::format::changelog::{Change, Item};
use crate::scan::changelog::{Changelogs, ChangelogsError, read};

/// An object whose records are looked for: its E record at this place, and its D record if it is
/// a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Which.
    pub gfid: Gfid,
    /// Where it must have been made, as [`place`] tells.
    pub place: u64,
    /// Whether it is a directory.
    pub folder: bool,
}

/// A directory and a name in 64 bits: millions are kept, and sent to peers.
#[must_use]
pub fn place(parent: Gfid, name: &[u8]) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(parent.as_bytes());
    hash.update(name);
    hash.digest()
}

/// What is looked for on the bricks of one node, and what of it was found.
#[derive(Debug, Default)]
pub(super) struct Search {
    open: HashMap<Gfid, Open>,
    read: HashSet<PathBuf>,
}

/// An object of which a record is still missing.
#[derive(Debug)]
struct Open {
    wanted: Wanted,
    entry: bool,
    data: bool,
}

impl Search {
    pub(super) fn want(&mut self, wanted: Wanted) {
        self.open.insert(wanted.gfid, Open { wanted, entry: false, data: false });
    }

    /// Reads the slices of a brick that ended after `after`, in seconds since 1970, and were not
    /// read before. Adds to `found` what is complete now; answers when the last slice with a
    /// record of interest ended.
    ///
    /// # Errors
    /// [`ChangelogsError`] where the brick has no changelogs or one cannot be read.
    pub(super) fn read(
        &mut self,
        brick: &Path,
        after: Option<u32>,
        found: &mut Vec<Gfid>,
    ) -> Result<Option<u32>, ChangelogsError> {
        let listed = Changelogs::of(brick)?;
        let mut last = None;
        let new = listed.files.iter().filter(|file| file.end.is_some() && file.end > after);
        for file in new {
            if self.read.contains(&file.path) {
                continue;
            }
            let mut met = false;
            let outcome = read(&file.path, |item| {
                if let Item::Record(record) = item {
                    met |= self.take(record.gfid, &record.change, found);
                }
                ControlFlow::Continue(())
            });
            outcome.map_err(|error| ChangelogsError::unreadable(&file.path, error))?;
            self.read.insert(file.path.clone());
            if met {
                last = last.max(file.end);
            }
        }
        Ok(last)
    }

    /// Whether the record is one of those looked for.
    fn take(&mut self, gfid: Gfid, change: &Change<'_>, found: &mut Vec<Gfid>) -> bool {
        let Some(open) = self.open.get_mut(&gfid) else { return false };
        match change {
            Change::Metadata { .. } => return false,
            Change::Data => open.data = true,
            Change::Entry(entry) => {
                let made = [Fop::CREATE, Fop::MKNOD, Fop::MKDIR].contains(&entry.fop);
                if !made || place(entry.place.parent, &entry.place.name) != open.wanted.place {
                    return false;
                }
                open.entry = true;
            }
        }
        if open.entry && (open.wanted.folder || open.data) {
            self.open.remove(&gfid);
            found.push(gfid);
        }
        true
    }
}

/// When the latest finished slice of a brick ended; nothing where there is none yet.
pub(super) fn newest(brick: &Path) -> Result<Option<u32>, ChangelogsError> {
    Ok(Changelogs::of(brick)?.files.iter().filter_map(|file| file.end).max())
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
        let (mut search, mut found) = (Search::default(), Vec::new());
        search.want(Wanted { gfid: file, place: place(dir, b"f"), folder: false });
        search.want(Wanted { gfid: dir, place: place(Gfid::ROOT, b"d"), folder: true });
        assert!(search.take(file, &Change::Data, &mut found));
        for elsewhere in [
            entry(Fop::CREATE, dir, b"g"),
            entry(Fop::CREATE, Gfid::ROOT, b"f"),
            entry(Fop::UNLINK, dir, b"f"),
        ] {
            assert!(!search.take(file, &elsewhere, &mut found), "{elsewhere:?}");
        }
        assert_eq!(found, []);
        search.take(file, &entry(Fop::MKNOD, dir, b"f"), &mut found);
        assert_eq!(found, [file]);
        search.take(dir, &entry(Fop::MKDIR, Gfid::ROOT, b"d"), &mut found);
        assert_eq!(found, [file, dir]);
        assert!(!search.take(file, &Change::Data, &mut found), "it is done with");
        assert!(!search.take(Gfid::ROOT, &Change::Data, &mut found));
    }

    #[test]
    fn only_slices_that_ended_later_are_read_and_each_once() {
        let brick = tempfile::tempdir().unwrap();
        let folder = brick.path().join(".glusterfs/changelogs");
        std::fs::create_dir_all(&folder).unwrap();
        let gfid = Gfid::from_bytes([7; 16]);
        let slice = |end: u32| {
            let mut text = b"GlusterFS Changelog | version: v1.2 | encoding : 2\n".to_vec();
            text.extend(format!("E{gfid}\0").bytes());
            text.extend(format!("4\x0016877\x000\x000\0{}/d\0\0", Gfid::ROOT).bytes());
            text.extend(format!("D{gfid}\0").bytes());
            let mut file = std::fs::File::create(folder.join(format!("CHANGELOG.{end}"))).unwrap();
            std::io::Write::write_all(&mut file, &text).unwrap();
        };
        slice(1000);
        assert_eq!(newest(brick.path()).unwrap(), Some(1000));
        let (mut search, mut found) = (Search::default(), Vec::new());
        search.want(Wanted { gfid, place: place(Gfid::ROOT, b"d"), folder: false });
        assert_eq!(search.read(brick.path(), Some(1000), &mut found).unwrap(), None);
        assert_eq!(found, []);
        slice(1003);
        assert_eq!(search.read(brick.path(), Some(1000), &mut found).unwrap(), Some(1003));
        assert_eq!(found, [gfid]);
        assert_eq!(search.read(brick.path(), Some(1000), &mut found).unwrap(), None);
    }
}
