//! From a path on a brick to its gfid and those of its ancestors.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;

use super::answer::{Ancestor, ObjectKind};
use super::handle::kind_of;
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, gfid_of, open_in};

/// What is at a path of a brick.
#[derive(Clone, Debug)]
pub(super) struct Located {
    /// The path below the brick root, without doubled slashes and dots.
    pub(super) path: Name,
    pub(super) kind: ObjectKind,
    /// Its gfid, if it has one.
    pub(super) gfid: Option<Gfid>,
    /// From its directory up to the root.
    pub(super) ancestors: Arc<[Ancestor]>,
}

/// What is at a path on each brick.
pub(super) type Places = Vec<Result<Located, Errno>>;

/// Walks a path down from the root, one name at a time, without following symlinks.
///
/// # Errors
/// `EINVAL` for a path with `..`, `ENOTDIR` if something on the way is not a directory, and any
/// other error of the system.
pub(super) fn locate_path(brick: &BrickRoot, path: &Name) -> Result<Located, Errno> {
    let names: Vec<&[u8]> = names_of(below_root(brick, path.as_bytes())).collect();
    if names.contains(&b"..".as_slice()) {
        return Err(Errno::INVAL);
    }
    let Some((last, folders)) = names.split_last() else {
        let (kind, gfid) = (ObjectKind::Directory, Some(Gfid::ROOT));
        return Ok(Located { path: Name::from("."), kind, gfid, ancestors: Arc::default() });
    };
    let mut ancestors = vec![Ancestor { gfid: Some(Gfid::ROOT), name: Name::from(".") }];
    let mut held: Option<OwnedFd> = None;
    for name in folders {
        let from = held.as_ref().map_or(brick.root().as_fd(), OwnedFd::as_fd);
        let next = open_in(from, name, true)?;
        ancestors.push(Ancestor { gfid: gfid_of(next.as_fd(), b"")?, name: Name::from(name) });
        held = Some(next);
    }
    let from = held.as_ref().map_or(brick.root().as_fd(), OwnedFd::as_fd);
    let stat = statat(from, *last, AtFlags::SYMLINK_NOFOLLOW)?;
    ancestors.reverse();
    Ok(Located {
        path: Name::from(names.join(&b'/')),
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
        gfid: gfid_of(from, last)?,
        ancestors: ancestors.into(),
    })
}

/// The names of a path, without empty ones and single dots.
fn names_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').filter(|name| !matches!(*name, b"" | b"."))
}

/// The part of an absolute path that is below the brick, else the path as it is.
fn below_root<'p>(brick: &BrickRoot, path: &'p [u8]) -> &'p [u8] {
    let root = brick.full_path().as_os_str().as_encoded_bytes();
    match path.strip_prefix(root.strip_suffix(b"/").unwrap_or(root)) {
        Some(rest) if rest.is_empty() || rest.starts_with(b"/") => rest,
        _ => path,
    }
}
