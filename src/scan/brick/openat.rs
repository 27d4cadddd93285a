//! A directory below a held one: however deep, never through a symlink.

use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{
    FileType, Mode, OFlags, RawDir, ResolveFlags, fgetxattr, lgetxattr, openat, openat2,
};
use rustix::io::Errno;

use super::below;
use crate::domain::Gfid;

/// Longest path that is opened in one call; the kernel's `PATH_MAX` is 4096.
const REACH: usize = 3800;

/// Where a directory is: a held ancestor, and the path from there.
///
/// Paths longer than the kernel takes are no limit: past [`REACH`] bytes the directory itself
/// becomes the held ancestor of what is below it.
#[derive(Clone, Debug)]
pub(in crate::scan) struct DirFd {
    anchor: Arc<OwnedFd>,
    tail: Vec<u8>,
}

impl DirFd {
    pub(in crate::scan) fn root(root: &Arc<OwnedFd>) -> Self {
        Self { anchor: Arc::clone(root), tail: Vec::new() }
    }

    /// The place of a child; `own` is this directory, open.
    pub(in crate::scan) fn child(&self, name: &[u8], own: &Arc<OwnedFd>) -> Self {
        if self.tail.len() + 1 + name.len() > REACH {
            return Self { anchor: Arc::clone(own), tail: name.to_vec() };
        }
        let mut tail = Vec::with_capacity(self.tail.len() + 1 + name.len());
        tail.extend_from_slice(&self.tail);
        if !tail.is_empty() {
            tail.push(b'/');
        }
        tail.extend_from_slice(name);
        Self { anchor: Arc::clone(&self.anchor), tail }
    }

    /// Opens the directory for reading; a mount on the way is crossed only with `mounts`.
    pub(in crate::scan) fn open(&self, mounts: bool) -> Result<OwnedFd, Errno> {
        let path = if self.tail.is_empty() { b".".as_slice() } else { &self.tail };
        open_in(self.anchor.as_fd(), path, mounts)
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

/// `openat2` refuses any flag beside `O_PATH` but these.
const WAY: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a directory below `dir` without following any symlink.
///
/// `ELOOP` and `ENOTDIR` mean that something on the way is not a directory.
pub(in crate::scan) fn open_in(
    dir: BorrowedFd<'_>,
    path: &[u8],
    mounts: bool,
) -> Result<OwnedFd, Errno> {
    open_below(dir, path, DIRECTORY, mounts)
}

/// The same for a directory that is only passed through (`O_PATH`), never across a mount.
pub(in crate::scan) fn open_path_in(dir: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    open_below(dir, path, WAY, false)
}

fn open_below(
    dir: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mounts: bool,
) -> Result<OwnedFd, Errno> {
    if path.len() > REACH
        && let Some(cut) = path.get(..REACH).and_then(|head| head.iter().rposition(|&b| b == b'/'))
        && let (Some(head), Some(tail)) = (path.get(..cut), path.get(cut + 1..))
    {
        let head = open_below(dir, head, flags, mounts)?;
        return open_below(head.as_fd(), tail, flags, mounts);
    }
    let mut how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    how.set(ResolveFlags::NO_XDEV, !mounts);
    match openat2(dir, path, flags, Mode::empty(), how) {
        Err(Errno::NOSYS | Errno::PERM) => open_step_by_step(dir, path, flags),
        other => other,
    }
}

/// What `openat2` does, for kernels before 5.6 and for containers that forbid it.
fn open_step_by_step(dir: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut held: Option<OwnedFd> = None;
    for name in path.split(|&byte| byte == b'/') {
        let from = held.as_ref().map_or(dir, AsFd::as_fd);
        held = Some(openat(from, name, flags, Mode::empty())?);
    }
    held.ok_or(Errno::NOENT)
}

/// Reads `trusted.gfid` of `name` in `dir` without following it, or of `dir` itself if empty.
///
/// # Errors
/// `ENOENT` and any other error of the system; no xattr, or one of a wrong size, is `None`.
pub(in crate::scan) fn gfid_of(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Gfid>, Errno> {
    if name.is_empty() {
        let mut bytes = [0; 16];
        as_gfid(fgetxattr(dir, "trusted.gfid", &mut bytes), bytes)
    } else {
        gfid_at(&below(dir, name))
    }
}

/// The same by a path whose last name is not followed.
pub(in crate::scan) fn gfid_at(path: &[u8]) -> Result<Option<Gfid>, Errno> {
    let mut bytes = [0; 16];
    as_gfid(lgetxattr(path, "trusted.gfid", &mut bytes), bytes)
}

fn as_gfid(read: Result<usize, Errno>, bytes: [u8; 16]) -> Result<Option<Gfid>, Errno> {
    match read {
        Ok(16) => Ok(Some(Gfid::from_bytes(bytes))),
        Ok(_) | Err(Errno::NODATA | Errno::RANGE | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Calls `each` with name, inode number and type of every entry of an open directory, and answers
/// how many there were; `.` and `..` are left out.
pub(in crate::scan) fn read_entries(
    dir: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], u64, FileType),
) -> Result<u64, Errno> {
    read_entries_until(dir, buffer, |name, inode, kind| {
        each(name, inode, kind);
        ControlFlow::Continue(())
    })
}

/// As [`read_entries`], until `each` breaks off.
pub(in crate::scan) fn read_entries_until(
    dir: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], u64, FileType) -> ControlFlow<()>,
) -> Result<u64, Errno> {
    buffer.clear();
    buffer.reserve(1 << 15);
    let mut entries = RawDir::new(dir, buffer.spare_capacity_mut());
    let mut count = 0;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            count += 1;
            if each(name, entry.ino(), entry.file_type()).is_break() {
                break;
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn hold(path: &std::path::Path) -> OwnedFd {
        openat(rustix::fs::CWD, path, DIRECTORY, Mode::empty()).unwrap()
    }

    #[test]
    fn all_ways_down_refuse_symlinks_alike() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        symlink("a", dir.path().join("link")).unwrap();
        symlink("/etc", dir.path().join("a/out")).unwrap();
        let held = hold(dir.path());
        for open in [
            |d, p| open_in(d, p, true),
            |d, p| open_step_by_step(d, p, DIRECTORY),
            |d, p| open_path_in(d, p),
        ] {
            assert!(open(held.as_fd(), b"a/b").is_ok());
            assert!(open(held.as_fd(), b".").is_ok());
            for bad in [&b"link/b"[..], b"a/out", b"link"] {
                let error = open(held.as_fd(), bad).unwrap_err();
                assert!(matches!(error, Errno::LOOP | Errno::NOTDIR), "{error}");
            }
            assert_eq!(open(held.as_fd(), b"a/none").unwrap_err(), Errno::NOENT);
        }
    }

    #[test]
    fn depth_past_path_max_is_no_limit() {
        let dir = tempfile::tempdir().unwrap();
        let root = Arc::new(hold(dir.path()));
        let mut place = DirFd::root(&root);
        let name = [b'd'; 200];
        for _ in 0..60 {
            let own = Arc::new(place.open(true).unwrap());
            rustix::fs::mkdirat(&own, &name[..], Mode::RWXU).unwrap();
            place = place.child(&name, &own);
        }
        assert!(place.open(true).is_ok());
        assert!(place.tail.len() <= REACH);
    }
}
