//! From names to handles: does each object have a gfid, and does its handle lead back to it?

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;
use xxhash_rust::xxh64::xxh64;

use super::checksum::Checksum;
use super::first_n::FirstN;
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, DirFd, Folder, Trail, Visitor, WalkEntry, gfid_of};
use crate::scan::resolve::{Claim, handle_of, handle_text, read_handle, read_keys};

/// `posix_set_gfid2path_xattr` gives none to a file with more names (`MAX_GFID2PATH_LINK_SUP`).
const MOST_RECORDED: u64 = 500;

/// What is not as it should be about a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Trouble {
    /// The object has no gfid.
    NoGfid,
    /// There is no handle for its gfid.
    NoHandle,
    /// Its handle leads elsewhere.
    Elsewhere,
    /// Its gfid2path xattrs and its names differ.
    Records,
}

/// The outcome of checking one name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileState {
    /// All is well, with one of so many names.
    Sound(Gfid, u64),
    /// It is gone.
    Gone,
    /// Something seems wrong and is checked again; how many names a sound handle implies.
    Doubt(Trouble, Option<Gfid>, u64),
    /// It cannot be read.
    Unreadable(Errno),
}

/// A name to check again.
#[derive(Clone, Debug)]
pub(super) struct Doubt {
    pub(super) path: Name,
    pub(super) trouble: Trouble,
    pub(super) gfid: Option<Gfid>,
    pub(super) folder: bool,
    place: DirFd,
    trail: Arc<Trail>,
    name: Box<[u8]>,
}

/// All that looking at names needs and gives.
#[derive(Debug)]
pub(super) struct Names<'a> {
    pub(super) brick: &'a BrickRoot,
    pub(super) tally: &'a Checksum,
    pub(super) doubts: Mutex<[FirstN<Doubt>; 4]>,
    /// Names of all kinds.
    pub(super) seen: AtomicU64,
    pub(super) folders: AtomicU64,
    /// Whether any object has a gfid2path xattr.
    pub(super) recorded: AtomicBool,
    /// How many names could not be read, and the first of them.
    pub(super) unreadable: Mutex<(u64, Option<(Name, Errno)>)>,
}

impl Eq for Doubt {}

impl PartialEq for Doubt {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Ord for Doubt {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.path.cmp(&other.path)
    }
}

impl PartialOrd for Doubt {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Names<'a> {
    pub(super) fn new(brick: &'a BrickRoot, tally: &'a Checksum) -> Self {
        Self {
            brick,
            tally,
            doubts: Mutex::default(),
            seen: AtomicU64::new(0),
            folders: AtomicU64::new(0),
            recorded: AtomicBool::new(false),
            unreadable: Mutex::default(),
        }
    }

    /// Looks again at a name that was in doubt; a doubt only if the trouble is the same.
    pub(super) fn again(&self, doubt: &Doubt) -> Option<Doubt> {
        let own = doubt.place.open(false).ok()?;
        let look = if doubt.folder {
            self.folder_at(own.as_fd(), &doubt.trail)
        } else {
            let parent = gfid_of(own.as_fd(), b"").ok().flatten();
            let at = statat(&own, &*doubt.name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            self.object_at(own.as_fd(), parent, &doubt.name, at.st_ino)
        };
        match look {
            FileState::Doubt(trouble, gfid, _) if trouble == doubt.trouble => {
                Some(Doubt { gfid, ..doubt.clone() })
            }
            _ => None,
        }
    }

    /// Looks at a file, symlink or special file by one of its names.
    fn object_at(
        &self,
        dir: BorrowedFd<'_>,
        parent: Option<Gfid>,
        name: &[u8],
        inode: u64,
    ) -> FileState {
        let gfid = match gfid_of(dir, name) {
            Ok(Some(gfid)) => gfid,
            Ok(None) => return FileState::Doubt(Trouble::NoGfid, None, 0),
            Err(Errno::NOENT) => return FileState::Gone,
            Err(error) => return FileState::Unreadable(error),
        };
        let handle = handle_of(gfid);
        let names = match statat(self.brick.handles(), &*handle, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(at) if at.st_ino == inode && at.st_dev == self.brick.device() => {
                at.st_nlink.saturating_sub(1)
            }
            Ok(_) => return FileState::Doubt(Trouble::Elsewhere, Some(gfid), 0),
            Err(Errno::NOENT | Errno::NOTDIR) => {
                return FileState::Doubt(Trouble::NoHandle, Some(gfid), 0);
            }
            Err(error) => return FileState::Unreadable(error),
        };
        let Some(parent) = parent else { return FileState::Sound(gfid, names) };
        match self.records(&handle, parent, name) {
            Ok((count, own)) if count > 0 => {
                self.recorded.store(true, Ordering::Relaxed);
                if count <= names && (own || names > MOST_RECORDED) {
                    return FileState::Sound(gfid, names);
                }
                FileState::Doubt(Trouble::Records, Some(gfid), names)
            }
            Ok(_) if names > MOST_RECORDED => FileState::Sound(gfid, names),
            Ok(_) => FileState::Doubt(Trouble::Records, Some(gfid), names),
            Err(Errno::NOENT) => FileState::Gone,
            Err(error) => FileState::Unreadable(error),
        }
    }

    /// How many names an object's gfid2path xattrs record, and whether this is one of them.
    fn records(&self, handle: &[u8], parent: Gfid, name: &[u8]) -> Result<(u64, bool), Errno> {
        use std::io::Write as _;
        let mut entry = Vec::with_capacity(37 + name.len());
        // Writing to memory does not fail.
        let _ = write!(entry, "{parent}/");
        entry.extend_from_slice(name);
        let key = format!("{:016x}", xxh64(&entry, 0));
        read_keys(&self.brick.handle_path(handle), |keys| {
            let keys = keys.split(|&byte| byte == 0);
            let mut found = (0, false);
            for own in keys.filter_map(|key| key.strip_prefix(b"trusted.gfid2path.")) {
                found = (found.0 + 1, found.1 | (own == key.as_bytes()));
            }
            found
        })
    }

    /// Looks at a directory by the descriptor it was opened with.
    fn folder_at(&self, own: BorrowedFd<'_>, trail: &Trail) -> FileState {
        let gfid = match gfid_of(own, b"") {
            Ok(Some(gfid)) => gfid,
            Ok(None) => return FileState::Doubt(Trouble::NoGfid, None, 0),
            Err(error) => return FileState::Unreadable(error),
        };
        let text = match read_handle(self.brick, gfid) {
            Ok(text) => text,
            Err(Errno::NOENT | Errno::NOTDIR) => {
                return FileState::Doubt(Trouble::NoHandle, Some(gfid), 0);
            }
            Err(Errno::INVAL) => return FileState::Doubt(Trouble::Elsewhere, Some(gfid), 0),
            Err(error) => return FileState::Unreadable(error),
        };
        let right = match trail.above.as_ref().map(|above| above.gfid) {
            None => gfid == Gfid::ROOT && text == b"../../..",
            Some(Some(parent)) => text == handle_text(parent, &trail.name),
            // Its parent has no gfid, which is a finding by itself.
            Some(None) => Claim::of_handle(&text).is_some_and(|claim| claim.name == trail.name),
        };
        if right {
            FileState::Sound(gfid, 1)
        } else {
            FileState::Doubt(Trouble::Elsewhere, Some(gfid), 0)
        }
    }

    fn note(&self, look: FileState, folder: &Folder, name: Option<&[u8]>) {
        let path = || match name {
            Some(name) => folder.trail.path(name),
            None => folder.trail.own_path(),
        };
        match look {
            FileState::Sound(gfid, names) => self.tally.name(gfid, names),
            FileState::Gone => {}
            FileState::Doubt(trouble, gfid, names) => {
                let doubt = Doubt {
                    path: path(),
                    trouble,
                    gfid,
                    folder: name.is_none(),
                    place: folder.place.clone(),
                    trail: Arc::clone(&folder.trail),
                    name: name.unwrap_or_default().into(),
                };
                // The handle of an object whose records alone are in doubt is right.
                if let Some(gfid) = gfid.filter(|_| names > 0) {
                    self.tally.name(gfid, names);
                }
                let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(sample) = doubts.get_mut(trouble as usize) {
                    sample.push(doubt);
                }
            }
            FileState::Unreadable(error) => {
                let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
                unreadable.0 += 1;
                let path = path();
                if unreadable.1.as_ref().is_none_or(|(first, _)| path < *first) {
                    unreadable.1 = Some((path, error));
                }
            }
        }
    }
}

impl Visitor for Names<'_> {
    fn folder(&self, folder: &Folder) {
        self.folders.fetch_add(1, Ordering::Relaxed);
        self.note(self.folder_at(folder.own.as_fd(), &folder.trail), folder, None);
    }

    fn entries(&self, folder: &Folder, entries: &[WalkEntry<'_>]) {
        self.seen.fetch_add(entries.len() as u64, Ordering::Relaxed);
        let parent = folder.trail.gfid;
        for entry in entries.iter().filter(|entry| entry.kind != FileType::Directory) {
            let look = self.object_at(folder.own.as_fd(), parent, entry.name, entry.inode);
            self.note(look, folder, Some(entry.name));
        }
    }
}
