//! Follows live logs as they grow, through rotation and truncation.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::chunks::last_border;
use super::summary::{LogSummary, Window};
use super::{LogFile, name_of, open};
use crate::scan::meter::Meter;

/// Bytes read of one file at a time, to bound memory; the rest follows with the next poll.
const MOST: u64 = 64 << 20;

/// Follows files as they grow.
#[derive(Debug, Default)]
pub struct Follower {
    tails: BTreeMap<PathBuf, Tail>,
}

/// The end of one file.
#[derive(Debug)]
struct Tail {
    file: File,
    case: Option<PathBuf>,
    offset: u64,
    line: u64,
    /// An unfinished record, or one that may still grow.
    pending: Vec<u8>,
}

impl Follower {
    /// Follows a file from an offset, before which it has `line` lines.
    ///
    /// # Errors
    /// The error of the file. Compressed files do not grow and are ignored.
    pub fn follow(&mut self, log: &LogFile, offset: u64, line: u64) -> io::Result<()> {
        let file = open(&log.path)?;
        if log.path.extension().is_none_or(|extension| extension != "gz") {
            let tail = Tail { file, case: log.case.clone(), offset, line, pending: Vec::new() };
            self.tails.insert(log.path.clone(), tail);
        }
        Ok(())
    }

    /// Summaries of what is new in the files and in files that were added since.
    pub fn poll(&mut self, files: &[LogFile]) -> Vec<LogSummary> {
        for log in files {
            if !self.tails.contains_key(&log.path) {
                let _ = self.follow(log, 0, 0);
            }
        }
        self.tails.iter_mut().filter_map(|(path, tail)| tail.poll(path)).collect()
    }
}

impl Tail {
    fn poll(&mut self, path: &Path) -> Option<LogSummary> {
        let grown = self.grow().unwrap_or(0);
        if grown == 0 && self.pending.is_empty() {
            return self.reopen(path).then(|| self.poll(path)).flatten();
        }
        let border =
            if grown > 0 { last_border(&self.pending).unwrap_or(0) } else { self.pending.len() };
        let rest = self.pending.split_off(border);
        let ready = std::mem::replace(&mut self.pending, rest);
        if ready.is_empty() {
            return None;
        }
        let case = self.case.as_deref().map(name_of);
        let mut summary = LogSummary::unread(name_of(path), case);
        summary.lines = self.line;
        let read = summary.read(ready.as_slice(), &Window::default(), &Meter::default());
        self.line = summary.lines;
        read.is_ok().then_some(summary)
    }

    /// Reads what was appended; a file that shrank is read from its start.
    fn grow(&mut self) -> io::Result<usize> {
        let size = self.file.metadata()?.size();
        if size < self.offset {
            (self.offset, self.line) = (0, 0);
            self.pending.clear();
        }
        self.file.seek(SeekFrom::Start(self.offset))?;
        let read = (&mut self.file).take(MOST).read_to_end(&mut self.pending)?;
        self.offset += read as u64;
        Ok(read)
    }

    /// Switches to the new file once the old one was rotated and read to its end.
    fn reopen(&mut self, path: &Path) -> bool {
        let Ok(file) = open(path) else { return false };
        let same = match (file.metadata(), self.file.metadata()) {
            (Ok(new), Ok(old)) => (new.dev(), new.ino()) == (old.dev(), old.ino()),
            _ => true,
        };
        if !same {
            (self.file, self.offset, self.line) = (file, 0, 0);
        }
        !same
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const LINE: &str =
        "[2026-11-21 03:00:01.1] E [m(worker /b):1:process] _G: META FAILED: ({}, 1)\n";

    fn lines(summary: &[LogSummary]) -> Vec<(u64, u64)> {
        summary
            .iter()
            .flat_map(|summary| summary.incidents.iter())
            .map(|incident| (incident.seen.count, incident.evidence[0].line))
            .collect()
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test rotates its own log")]
    fn reads_on_through_growth_rotation_and_truncation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gsyncd.log");
        let append = |text: &str| {
            let mut file = File::options().append(true).create(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append(LINE);
        let files = [LogFile { path: path.clone(), case: None, from: 0 }];
        let mut follower = Follower::default();
        follower.follow(&files[0], LINE.len() as u64, 1).unwrap();
        assert!(follower.poll(&files).is_empty());
        append(LINE);
        append(&LINE[..30]);
        assert_eq!(lines(&follower.poll(&files)), [(1, 2)]);
        append(&LINE[30..]);
        assert!(follower.poll(&files).is_empty(), "a record may still grow");
        assert_eq!(lines(&follower.poll(&files)), [(1, 3)]);
        std::fs::rename(&path, folder.path().join("gsyncd.log.1")).unwrap();
        append(LINE);
        assert!(lines(&follower.poll(&files)).is_empty());
        assert_eq!(lines(&follower.poll(&files)), [(1, 1)]);
        File::create(&path).unwrap();
        append(&LINE.replace("({}, 1)", "()"));
        follower.poll(&files);
        assert_eq!(lines(&follower.poll(&files)), [(1, 1)]);
    }
}
