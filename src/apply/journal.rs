//! The write-ahead log of a run: checksummed JSON lines, each synced before the run continues.

use std::fs::File;
use std::io::{self, BufRead, Write as _};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::executor::Batch;
use super::progress::{FORMAT, Origin, OutOfOrder, Record, RunProgress};
use crate::domain::{Kind, Time, UserError};
use crate::plan::{Plan, State, StepId};

/// Where a journal's lines go.
pub trait Log {
    /// Appends bytes; a crash may leave a part of them.
    ///
    /// # Errors
    /// The medium's error.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was appended survives a crash.
    ///
    /// # Errors
    /// The medium's error.
    fn sync(&mut self) -> io::Result<()>;
}

impl Log for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// An open journal: the run's progress, and where the next line goes.
///
/// A line is `{"xxh3":"<16 hex>","record":{…}}`. The checksum covers the record's bytes and,
/// as its seed, the checksum before it, so a lost, doubled or moved line is detected.
pub struct Journal {
    log: Box<dyn Log>,
    progress: RunProgress,
    chain: u64,
    clock: fn() -> Time,
}

/// A journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line could not be appended or synced.
    #[error("cannot write the journal")]
    Unwritable(#[source] io::Error),
    /// It cannot be read.
    #[error("cannot read the journal")]
    Unreadable(#[source] io::Error),
    /// A line that is not the last is damaged.
    #[error("line {line} of the journal (byte {offset}) is damaged")]
    Damaged {
        /// Which, from 1.
        line: u64,
        /// Where it begins.
        offset: u64,
    },
    /// A line is intact and cannot follow the ones before it.
    #[error("line {line} of the journal is out of order")]
    OutOfOrder {
        /// Which, from 1.
        line: u64,
        /// Why.
        #[source]
        source: OutOfOrder,
    },
    /// It belongs to another plan.
    #[error("the journal belongs to another plan: digest {journal}, expected {plan}")]
    OtherPlan {
        /// The digest in the journal.
        journal: String,
        /// The plan's.
        plan: String,
    },
    /// A newer version wrote it.
    #[error("the journal has format {format}; this version of georepair reads format {FORMAT}")]
    Format {
        /// Its format.
        format: u32,
    },
}

impl UserError for JournalError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unwritable(_) => Kind::Midway,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unwritable(_) => {
                vec!["df -h   shows whether the file system of the state directory is full".into()]
            }
            Self::Damaged { .. } | Self::OutOfOrder { .. } => vec![
                "nothing was changed; inspect the run's journal.jsonl with less".into(),
                "check the disk: what was done after that line is unknown".into(),
            ],
            _ => Vec::new(),
        }
    }
}

/// The content of a journal file.
pub struct Replayed {
    /// The progress according to its intact lines.
    pub progress: RunProgress,
    /// How many bytes are intact; a torn last line may follow.
    pub sound: u64,
    chain: u64,
}

impl Journal {
    /// Starts a journal: writes and syncs its first line.
    ///
    /// # Errors
    /// [`JournalError::Unwritable`].
    pub fn begin(
        log: Box<dyn Log>,
        plan: &Plan,
        origin: Origin,
        clock: fn() -> Time,
    ) -> Result<Self, JournalError> {
        let mut journal = Self { log, progress: RunProgress::default(), chain: 0, clock };
        let at = clock();
        journal.put(&Record::Began { format: FORMAT, plan: plan.digest(), origin, at })?;
        Ok(journal)
    }

    /// Continues a journal that was replayed; its torn end has been cut.
    #[must_use]
    pub fn go_on(log: Box<dyn Log>, replayed: Replayed, clock: fn() -> Time) -> Self {
        Self { log, progress: replayed.progress, chain: replayed.chain, clock }
    }

    /// The progress that it records.
    #[must_use]
    pub fn progress(&self) -> &RunProgress {
        &self.progress
    }

    pub(super) fn put(&mut self, record: &Record) -> Result<(), JournalError> {
        let (line, chain) = line_of(record, self.chain).map_err(JournalError::Unwritable)?;
        let mut progress = self.progress.clone();
        progress.apply(record).map_err(|source| JournalError::OutOfOrder { line: 0, source })?;
        self.log.append(&line).map_err(JournalError::Unwritable)?;
        self.log.sync().map_err(JournalError::Unwritable)?;
        (self.progress, self.chain) = (progress, chain);
        Ok(())
    }

    pub(super) fn resumed(&mut self, origin: Origin) -> Result<(), JournalError> {
        self.put(&Record::Resumed { origin, at: (self.clock)() })
    }

    pub(super) fn started(
        &mut self,
        step: StepId,
        before: Option<State>,
    ) -> Result<(), JournalError> {
        self.put(&Record::Started { step, before, at: (self.clock)() })
    }

    pub(super) fn batch_done(
        &mut self,
        step: StepId,
        batch: u64,
        how: Batch,
    ) -> Result<(), JournalError> {
        let Batch { done, failed } = how;
        self.put(&Record::BatchDone { step, batch, done, failed })
    }

    pub(super) fn succeeded(&mut self, step: StepId) -> Result<(), JournalError> {
        self.put(&Record::Succeeded { step, at: (self.clock)() })
    }

    pub(super) fn already_so(&mut self, step: StepId) -> Result<(), JournalError> {
        self.put(&Record::AlreadySo { step, at: (self.clock)() })
    }

    pub(super) fn stopped(&mut self, step: StepId, why: String) -> Result<(), JournalError> {
        self.put(&Record::Stopped { step, why, at: (self.clock)() })
    }
}

/// Reads a journal of a plan and calls `each` with its records and the offsets of their lines.
///
/// A torn last line is ignored: one without its newline, or one that a crash left full of NUL
/// bytes. Any other damage is an error: guessing here could repeat a step or lose its earlier
/// state.
///
/// # Errors
/// [`JournalError`], all but `Unwritable`.
pub fn replay(
    mut reader: impl BufRead,
    plan: &Plan,
    mut each: impl FnMut(&Record, u64),
) -> Result<Replayed, JournalError> {
    let mut read = Replayed { progress: RunProgress::default(), sound: 0, chain: 0 };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(JournalError::Unreadable)?;
        if length == 0 {
            break;
        }
        let Some((record, chain)) = record_of(&line, read.chain) else {
            let offset = read.sound;
            let last = reader.fill_buf().map_err(JournalError::Unreadable)?.is_empty();
            let torn = line.last() != Some(&b'\n') || line.contains(&0);
            if last && torn {
                break;
            }
            return Err(JournalError::Damaged { line: number, offset });
        };
        if let Record::Began { format, plan: journal, .. } = &record {
            check_first(*format, journal, plan)?;
        }
        let taken = read.progress.apply(&record);
        taken.map_err(|source| JournalError::OutOfOrder { line: number, source })?;
        each(&record, read.sound);
        read.chain = chain;
        read.sound += u64::try_from(length).unwrap_or(u64::MAX);
    }
    Ok(read)
}

fn check_first(format: u32, journal: &str, plan: &Plan) -> Result<(), JournalError> {
    if format != FORMAT {
        return Err(JournalError::Format { format });
    }
    let plan = plan.digest();
    if journal != plan {
        return Err(JournalError::OtherPlan { journal: journal.to_owned(), plan });
    }
    Ok(())
}

const HEAD: &[u8] = b"{\"xxh3\":\"";
const NECK: &[u8] = b"\",\"record\":";

fn line_of(record: &Record, chain: u64) -> io::Result<(Vec<u8>, u64)> {
    let body = serde_json::to_vec(record)?;
    let sum = xxh3_64_with_seed(&body, chain);
    let line = [HEAD, format!("{sum:016x}").as_bytes(), NECK, &body, b"}\n"].concat();
    Ok((line, sum))
}

fn record_of(line: &[u8], chain: u64) -> Option<(Record, u64)> {
    let (digits, body) = parts_of(line)?;
    let sum = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    if sum != xxh3_64_with_seed(body, chain) {
        return None;
    }
    Some((serde_json::from_slice(body).ok()?, sum))
}

/// The record of a line that was verified by an earlier replay.
pub(super) fn proven(line: &[u8]) -> Option<Record> {
    serde_json::from_slice(parts_of(line)?.1).ok()
}

/// A line's checksum and its record.
fn parts_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (digits, rest) = line.strip_prefix(HEAD)?.split_at_checked(16)?;
    Some((digits, rest.strip_prefix(NECK)?.strip_suffix(b"}\n")?))
}
