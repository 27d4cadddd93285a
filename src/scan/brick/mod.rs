//! A brick: proven to be one when it is opened, and never left on the way down.
//!
//! Xattrs of objects are read by `rustix`, from a held descriptor into a buffer on the stack: there
//! are millions. The `xattr` crate reads and writes single xattrs by path: marks and the changelog
//! index here, everything in `apply`.

mod error;
mod openat;
mod walk;

pub(in crate::scan) use walk::{Folder, Trail, Unread, Visitor, WalkEntry, walk};

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fgetxattr, fstat, open, openat, statat};
use rustix::io::Errno;

pub use error::BrickError;
pub(super) use openat::{
    DirFd, gfid_at, gfid_of, open_in, open_path_in, read_entries, read_entries_until,
};

use crate::domain::{Gfid, Name};

/// The magic number of a FUSE mount in `statfs` (`linux/magic.h`).
const FUSE: u64 = 0x6573_5546;

/// A brick's root directory, held open.
///
/// It exists only for a directory that has `trusted.glusterfs.volume-id` and the root's
/// handle below `.glusterfs`, so a mistyped path never reads as an empty brick. Everything below
/// is opened relative to the held descriptors without following a symlink, and the brick may be
/// stopped, detached or mounted from a snapshot.
#[derive(Debug)]
pub struct BrickRoot {
    path: PathBuf,
    full_path: PathBuf,
    name: Arc<Name>,
    root: Arc<OwnedFd>,
    handles: OwnedFd,
    handles_path: Vec<u8>,
    inode: u64,
    device: u64,
    volume: [u8; 16],
}

impl BrickRoot {
    /// Opens a brick by the path of its root directory.
    ///
    /// # Errors
    /// [`BrickError`] if there is nothing, if it is not a brick, and if the reader may not
    /// see `trusted.*` xattrs.
    pub fn open(path: &Path) -> Result<Self, BrickError> {
        let name = Name::from(path.as_os_str().as_encoded_bytes());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(path, flags, Mode::empty()).map_err(|source| match source {
            Errno::ACCESS | Errno::PERM => BrickError::NotPermitted { path: name.clone() },
            source => BrickError::Absent { path: name.clone(), source },
        })?;
        let volume = volume_id(&root, path, &name)?;
        let handles = openat(&root, ".glusterfs", flags | OFlags::NOFOLLOW, Mode::empty())
            .map_err(|source| match source {
                Errno::ACCESS | Errno::PERM => BrickError::NotPermitted { path: name.clone() },
                source => BrickError::NoHandles { path: name.clone(), source },
            })?;
        let unreadable = |source| BrickError::Unreadable { path: name.clone(), source };
        let stat = fstat(&root).map_err(unreadable)?;
        let (inode, device) = (stat.st_ino, stat.st_dev);
        // Not canonical: `/proc/PID/root`, a way into containers, is not a symlink that can be read.
        let full_path = std::path::absolute(path).map_err(|error| BrickError::Unreadable {
            path: name.clone(),
            source: Errno::from_io_error(&error).unwrap_or(Errno::INVAL),
        })?;
        let path = path.to_owned();
        let root = Arc::new(root);
        let name = Arc::new(name);
        let mut handles_path = full_path.as_os_str().as_encoded_bytes().to_vec();
        handles_path.extend_from_slice(b"/.glusterfs/");
        let brick =
            Self { path, full_path, name, root, handles, handles_path, inode, device, volume };
        brick.prove_root_handle()?;
        Ok(brick)
    }

    /// The path, as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path from the file system's root.
    pub(super) fn full_path(&self) -> &Path {
        &self.full_path
    }

    /// The path, for display.
    #[must_use]
    pub fn name(&self) -> &Arc<Name> {
        &self.name
    }

    /// The volume's id, from `trusted.glusterfs.volume-id`.
    #[must_use]
    pub fn volume(&self) -> [u8; 16] {
        self.volume
    }

    /// Checks that the brick is still there: the root's handle can be read, and its path leads to it.
    ///
    /// Asked again after anything was missing, for an unmounted brick answers like an empty one.
    ///
    /// # Errors
    /// [`BrickError::Vanished`].
    pub fn check_present(&self) -> Result<(), BrickError> {
        let here = statat(rustix::fs::CWD, &self.full_path, AtFlags::empty());
        let same = here.is_ok_and(|at| at.st_ino == self.inode && at.st_dev == self.device);
        match self.prove_root_handle() {
            Ok(()) if same => Ok(()),
            _ => Err(BrickError::Vanished { path: (*self.name).clone() }),
        }
    }

    /// Whether its root has an entry of this name.
    #[must_use]
    pub fn holds(&self, name: &[u8]) -> bool {
        statat(&self.root, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Directories and files that the brick's file system holds, as an upper bound for progress.
    #[must_use]
    pub fn inodes(&self) -> Option<u64> {
        let stat = rustix::fs::fstatvfs(&self.root).ok()?;
        stat.f_files.checked_sub(stat.f_ffree).filter(|&count| count > 0)
    }

    pub(super) fn root(&self) -> &Arc<OwnedFd> {
        &self.root
    }

    pub(super) fn handles(&self) -> BorrowedFd<'_> {
        self.handles.as_fd()
    }

    /// A handle's path from the file system's root, for xattrs: Linux reads them relative to a
    /// descriptor only since 6.13, and the way round by `/proc/self/fd` takes twice as long.
    /// Only root can change what is below `.glusterfs`; that the path still leads to this brick
    /// is for [`BrickRoot::check_present`] to say.
    pub(super) fn handle_path(&self, handle: &[u8]) -> Vec<u8> {
        [self.handles_path.as_slice(), handle].concat()
    }

    /// The device that every handle and its names share, since a handle is a hard link.
    pub(super) fn device(&self) -> u64 {
        self.device
    }

    fn prove_root_handle(&self) -> Result<(), BrickError> {
        let handle = Gfid::ROOT.handle();
        let below = handle.strip_prefix(".glusterfs").unwrap_or(&handle);
        let proof: Result<Stat, Errno> = statat(&self.handles, below, AtFlags::SYMLINK_NOFOLLOW);
        match proof {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => Ok(()),
            Err(source) if source != Errno::NOENT => {
                Err(BrickError::Unreadable { path: (*self.name).clone(), source })
            }
            _ => Err(BrickError::NoRootHandle { path: (*self.name).clone() }),
        }
    }
}

/// Reads the volume's id from the root; the error says what the directory is instead of a brick.
fn volume_id(root: &OwnedFd, path: &Path, name: &Name) -> Result<[u8; 16], BrickError> {
    let mut id = [0; 16];
    let missing = match fgetxattr(root, "trusted.glusterfs.volume-id", &mut id) {
        Ok(16) => return Ok(id),
        Ok(_) | Err(Errno::RANGE | Errno::NODATA | Errno::OPNOTSUPP) => None,
        Err(source) => Some(source),
    };
    let path_shown = name.clone();
    if rustix::fs::fstatfs(root).is_ok_and(|stat| u64::try_from(stat.f_type) == Ok(FUSE)) {
        return Err(BrickError::Mount { path: path_shown });
    }
    if !rustix::process::geteuid().is_root() {
        return Err(BrickError::NotPermitted { path: path_shown });
    }
    match missing {
        Some(source) => Err(BrickError::Unreadable { path: path_shown, source }),
        None => Err(BrickError::NoVolumeId { path: path_shown, brick: brick_above(path) }),
    }
}

/// The nearest directory above that looks like a brick: people may give a folder inside one.
fn brick_above(path: &Path) -> Option<PathBuf> {
    let full = path.canonicalize().ok()?;
    full.ancestors().skip(1).find(|dir| dir.join(".glusterfs").is_dir()).map(Path::to_owned)
}

/// A path below a held directory for calls that take no descriptor (`lgetxattr`).
pub(super) fn below(fd: BorrowedFd<'_>, rest: &[u8]) -> Vec<u8> {
    let mut path = format!("/proc/self/fd/{}/", fd.as_raw_fd()).into_bytes();
    path.extend_from_slice(rest);
    path
}
