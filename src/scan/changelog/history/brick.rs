//! The present state of a brick: the gfid at a path, the place of a directory.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::domain::{EntryId, Gfid, Name};

/// The gfid of the object at a path below the brick's root, without following a symlink.
pub(in crate::scan) fn gfid_at(brick: &Path, path: &[u8]) -> Option<Gfid> {
    let full = brick.join(std::ffi::OsStr::from_bytes(path));
    let value = xattr::get(full, "trusted.gfid").ok()??;
    <[u8; 16]>::try_from(value).ok().map(Gfid::from_bytes)
}

/// Where a directory is, by its handle: `../../pp/qq/<parent>/<name>`.
///
/// A user's own symlink has a hard link for a handle and may say anything; only a handle with a
/// single link is a directory's (glusterfs `posix_handle_soft`).
pub(in crate::scan) fn place_of(brick: &Path, directory: Gfid) -> Option<EntryId> {
    let handle = brick.join(directory.handle());
    let about = fs::symlink_metadata(&handle).ok()?;
    if !about.is_symlink() || about.nlink() != 1 {
        return None;
    }
    let target = fs::read_link(handle).ok()?;
    let rest = target.as_os_str().as_bytes().strip_prefix(b"../../")?;
    let (parent, name) = (rest.get(6..42)?, rest.get(42..)?.strip_prefix(b"/")?);
    let plain = !name.is_empty() && !name.contains(&b'/');
    plain.then_some(EntryId { parent: Gfid::from_text(parent)?, name: Name::from(name) })
}
