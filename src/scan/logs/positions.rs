//! How far each log was read: the next run reads only what is new.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Bytes at the start of a file that identify it, since another file may get its inode.
const HEAD: usize = 256;

/// How far a file was read. It is identified by its inode and its first bytes, not by its name: a
/// rotated log keeps both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Position {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
    /// Hash of the first bytes.
    pub head: u64,
    /// How many bytes were hashed.
    pub head_len: usize,
    /// How far it was read.
    pub offset: u64,
}

/// The positions of all files read so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Positions {
    files: Vec<Position>,
}

impl Position {
    /// The identity of a file, with its start as position.
    ///
    /// # Errors
    /// The error of the file.
    pub fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        let mut head = [0; HEAD];
        let head_len = file.read_at(&mut head, 0)?;
        let hash = xxh3_64(head.get(..head_len).unwrap_or_default());
        Ok(Self { dev: meta.dev(), ino: meta.ino(), head: hash, head_len, offset: 0 })
    }
}

impl Positions {
    /// The offset from which to read a file; 0 for a new one and for one that was truncated.
    #[must_use]
    pub fn offset(&self, file: &File) -> u64 {
        let Ok(meta) = file.metadata() else { return 0 };
        let known =
            self.files.iter().find(|known| (known.dev, known.ino) == (meta.dev(), meta.ino()));
        let same = known.filter(|known| {
            let mut head = vec![0; known.head_len];
            file.read_exact_at(&mut head, 0).is_ok() && xxh3_64(&head) == known.head
        });
        same.map(|known| known.offset).filter(|&offset| offset <= meta.size()).unwrap_or(0)
    }

    /// Records how far a file was read.
    pub fn remember(&mut self, position: Position) {
        self.files.retain(|known| (known.dev, known.ino) != (position.dev, position.ino));
        self.files.push(position);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn goes_on_after_a_rotation_and_begins_again_after_a_truncation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gsyncd.log");
        let mut file = File::options().read(true).append(true).create(true).open(&path).unwrap();
        file.write_all(b"one\ntwo\n").unwrap();
        let mut position = Position::of(&file).unwrap();
        position.offset = 8;
        let mut positions = Positions::default();
        positions.remember(position);
        let rotated = folder.path().join("gsyncd.log.1");
        std::fs::hard_link(&path, &rotated).unwrap();
        file.write_all(b"three\n").unwrap();
        assert_eq!(positions.offset(&File::open(&rotated).unwrap()), 8);
        file.set_len(3).unwrap();
        assert_eq!(positions.offset(&file), 0);
        let other = tempfile::tempfile().unwrap();
        assert_eq!(positions.offset(&other), 0);
    }
}
