//! Cuts a stream into chunks at record borders, in bounded memory.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

use crate::format::logline;

/// Bytes read before a border is searched: large enough to keep every core busy, small enough that
/// a batch of one per core fits in memory.
const WANTED: usize = 1 << 20;
/// Bytes after which a record is cut at the end of a line.
const LONGEST: usize = 8 << 20;
/// Bytes kept of a line longer than that.
const KEPT: usize = 64 << 10;

/// A run of whole records.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The bytes, ending with a newline unless the stream ends without.
    pub(super) bytes: Vec<u8>,
    /// Bytes of an overlong line that were skipped.
    pub(super) skipped: u64,
}

/// Cuts a stream into chunks.
#[derive(Debug)]
pub(super) struct Chunks<R> {
    source: R,
    carry: Vec<u8>,
    ended: bool,
}

impl<R: Read> Chunks<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, carry: Vec::new(), ended: false }
    }

    /// The next run of whole records; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let mut bytes = std::mem::take(&mut self.carry);
        bytes.reserve((WANTED + 4096).saturating_sub(bytes.len()));
        let mut wanted = WANTED;
        while !self.ended {
            self.fill(&mut bytes, wanted)?;
            if self.ended {
                break;
            }
            if let Some(border) = last_border(&bytes) {
                self.carry = bytes.split_off(border);
                return Ok(Some(Chunk { bytes, skipped: 0 }));
            }
            if bytes.len() >= LONGEST {
                return self.cut(bytes).map(Some);
            }
            wanted = bytes.len() * 2;
        }
        Ok((!bytes.is_empty()).then_some(Chunk { bytes, skipped: 0 }))
    }

    /// The bytes of an unfinished last line or record, once the stream ended.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        let missing = wanted.saturating_sub(bytes.len()).max(4096);
        let read = (&mut self.source).take(missing as u64).read_to_end(bytes)?;
        self.ended = read < missing;
        Ok(())
    }

    /// A record that is too long ends at its last whole line; a line that is too long is cut.
    fn cut(&mut self, mut bytes: Vec<u8>) -> io::Result<Chunk> {
        if let Some(newline) = memrchr(b'\n', &bytes) {
            self.carry = bytes.split_off(newline + 1);
            return Ok(Chunk { bytes, skipped: 0 });
        }
        let mut skipped = (bytes.len() - KEPT) as u64;
        bytes.truncate(KEPT);
        bytes.push(b'\n');
        let mut window = vec![0; WANTED];
        loop {
            let read = self.source.read(&mut window)?;
            let part = window.get(..read).unwrap_or_default();
            self.ended = read == 0;
            match memchr(b'\n', part) {
                Some(newline) => {
                    skipped += newline as u64;
                    self.carry = part.get(newline + 1..).unwrap_or_default().to_vec();
                    return Ok(Chunk { bytes, skipped });
                }
                None if self.ended => return Ok(Chunk { bytes, skipped: skipped - 1 }),
                None => skipped += read as u64,
            }
        }
    }
}

/// Where the last record of a buffer begins; `None` if only the first does.
pub(super) fn last_border(bytes: &[u8]) -> Option<usize> {
    let mut end = bytes.len();
    while let Some(newline) = memrchr(b'\n', bytes.get(..end)?) {
        let next = bytes.get(newline + 1..)?;
        if logline::begins_record(next) {
            return Some(newline + 1);
        }
        end = newline;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: &[u8]) -> Vec<Chunk> {
        let mut chunks = Chunks::new(text);
        std::iter::from_fn(|| chunks.next().unwrap()).collect()
    }

    #[test]
    fn cuts_only_before_records() {
        let record =
            b"[2026-11-21 03:00:01.1] E [s(worker /b):2:f] <top>: FAIL: \n  tail\n  tail\n";
        let text = record.repeat(60_000);
        let got = chunks(&text);
        assert!(got.len() > 3);
        assert!(got.iter().all(|chunk| chunk.bytes.starts_with(b"[2026")));
        assert_eq!(got.iter().flat_map(|chunk| chunk.bytes.clone()).collect::<Vec<_>>(), text);
    }

    #[test]
    fn passes_over_the_rest_of_an_endless_line() {
        let mut text = vec![b'x'; 30 << 20];
        text.extend_from_slice(b"\nnext line\n");
        let got = chunks(&text);
        assert!(got.iter().all(|chunk| chunk.bytes.len() <= LONGEST));
        assert_eq!(got.last().unwrap().bytes, b"next line\n");
        let total: u64 = got.iter().map(|chunk| chunk.bytes.len() as u64 + chunk.skipped).sum();
        assert_eq!(total, text.len() as u64 + 1 - 1);
    }

    #[test]
    fn reads_streams_that_answer_in_small_pieces() {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let len = self.0.len().min(7).min(into.len());
                into[..len].copy_from_slice(&self.0[..len]);
                self.0 = &self.0[len..];
                Ok(len)
            }
        }
        let mut chunks = Chunks::new(Slow(b"one\ntwo\nthree"));
        assert_eq!(chunks.next().unwrap().unwrap().bytes, b"one\ntwo\nthree");
        assert!(chunks.next().unwrap().is_none());
    }
}
