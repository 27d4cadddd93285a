//! Directories so deep that the kernel does not follow their chain of handles to the end.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, Stat, statat};
use rustix::io::Errno;

use crate::domain::Gfid;
use crate::scan::brick::{BrickRoot, DirFd};
use crate::scan::resolve::{Claim, read_handle};

/// More levels than any path has that a client could use.
const DEEPEST: usize = 1 << 16;

/// Finds a directory from the root down, by the names its handle and its ancestors' tell.
///
/// Answers with what stands there and a path for xattrs, good for as long as `Held` lives.
pub(super) fn find(brick: &BrickRoot, gfid: Gfid) -> Result<Option<(Stat, Held)>, Errno> {
    let mut names = Vec::new();
    let mut next = gfid;
    while next != Gfid::ROOT {
        let Some(claim) = Claim::of_handle(&read_handle(brick, next)?) else { return Ok(None) };
        names.push(claim.name);
        next = claim.parent;
        if names.len() > DEEPEST {
            return Ok(None);
        }
    }
    let mut place = DirFd::root(brick.root());
    let mut own = Arc::new(place.open(true)?);
    let Some((last, folders)) = names.split_first() else { return Ok(None) };
    for name in folders.iter().rev() {
        place = place.child(name, &own);
        own = Arc::new(place.open(true)?);
    }
    let stat = match statat(own.as_fd(), &**last, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        other => other?,
    };
    let mut path = format!("/proc/self/fd/{}/", own.as_raw_fd()).into_bytes();
    path.extend_from_slice(last);
    Ok(Some((stat, Held { path, _folder: own })))
}

/// A path that leads through a directory held open.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) path: Vec<u8>,
    _folder: Arc<OwnedFd>,
}
