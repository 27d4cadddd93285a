//! Counters that hot loops bump and a progress bar samples.

use std::sync::atomic::AtomicU64;

/// How far a scan is.
#[derive(Debug, Default)]
pub struct Meter {
    /// Bytes read, after decompression.
    pub bytes: AtomicU64,
    /// Bytes consumed of files on disk: what a bar can measure against their sizes.
    pub consumed: AtomicU64,
    /// Lines read.
    pub lines: AtomicU64,
    /// Directories of a brick read.
    pub folders: AtomicU64,
    /// Names read in them.
    pub entries: AtomicU64,
}
