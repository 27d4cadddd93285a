//! A digest of a file's content, read without leaving a trace.

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, read, retry_on_intr};
use xxhash_rust::xxh3::Xxh3;

use crate::scan::brick::BrickRoot;

/// How much is in memory at once, in bytes.
const WINDOW: usize = 1 << 18;

/// The 128-bit xxh3 of a regular file's bytes.
///
/// # Errors
/// Whatever the system says.
pub(super) fn digest(brick: &BrickRoot, handle: &[u8]) -> Result<u128, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(brick.handles(), handle, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => openat(brick.handles(), handle, flags, Mode::empty())?,
        other => other?,
    };
    let mut digest = Xxh3::new();
    let mut window = vec![0; WINDOW];
    loop {
        let length = retry_on_intr(|| read(&file, window.as_mut_slice()))?;
        if length == 0 {
            return Ok(digest.digest128());
        }
        digest.update(window.get(..length).unwrap_or_default());
    }
}
