//! The write-ahead log of a run: checksummed JSON lines, each synced before the run goes on.

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
    /// Whatever the medium answers.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was appended survives a crash.
    ///
    /// # Errors
    /// Whatever the medium answers.
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

/// An open journal: what it says, and where the next line goes.
///
/// A line is `{"xxh3":"<16 hex>","record":{…}}`. The checksum covers the record's bytes and,
/// as its seed, the checksum before it: a line that is lost, doubled or moved shows.
pub struct Journal {
    log: Box<dyn Log>,
    ledger: RunProgress,
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
    /// A line is sound and cannot stand where it stands.
    #[error("line {line} of the journal is out of order")]
    OutOfOrder {
        /// Which, from 1.
        line: u64,
        /// Why.
        #[source]
        source: OutOfOrder,
    },
    /// It belongs to another plan.
    #[error("the journal belongs to a plan with the digest {journal}, and plan.json has {plan}")]
    OtherPlan {
        /// The digest in the journal.
        journal: String,
        /// The plan's.
        plan: String,
    },
    /// A newer version wrote it.
    #[error("the journal has format {format}; this version reads {FORMAT}")]
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
                vec!["df -h   is the state directory's file system full?".into()]
            }
            Self::Damaged { .. } | Self::OutOfOrder { .. } => vec![
                "nothing was changed; the run's journal.jsonl can be read with less".into(),
                "is its disk sound? georepair cannot tell what was done after that line".into(),
            ],
            _ => Vec::new(),
        }
    }
}

/// What was read of a journal's file.
pub struct Replayed {
    /// What its sound lines say.
    pub ledger: RunProgress,
    /// How many bytes are sound; what follows is a torn last line.
    pub sound: u64,
    chain: u64,
}

impl Journal {
    /// Begins a journal: writes and syncs its first line.
    ///
    /// # Errors
    /// [`JournalError::Unwritable`].
    pub fn begin(
        log: Box<dyn Log>,
        plan: &Plan,
        origin: Origin,
        clock: fn() -> Time,
    ) -> Result<Self, JournalError> {
        let mut journal = Self { log, ledger: RunProgress::default(), chain: 0, clock };
        let at = clock();
        journal.put(&Record::Began { format: FORMAT, plan: plan.digest(), origin, at })?;
        Ok(journal)
    }

    /// Goes on with a journal that was replayed; its torn end has been cut.
    #[must_use]
    pub fn go_on(log: Box<dyn Log>, replayed: Replayed, clock: fn() -> Time) -> Self {
        Self { log, ledger: replayed.ledger, chain: replayed.chain, clock }
    }

    /// What it says.
    #[must_use]
    pub fn ledger(&self) -> &RunProgress {
        &self.ledger
    }

    pub(super) fn put(&mut self, record: &Record) -> Result<(), JournalError> {
        let (line, chain) = line_of(record, self.chain).map_err(JournalError::Unwritable)?;
        let mut ledger = self.ledger.clone();
        ledger.take(record).map_err(|source| JournalError::OutOfOrder { line: 0, source })?;
        self.log.append(&line).map_err(JournalError::Unwritable)?;
        self.log.sync().map_err(JournalError::Unwritable)?;
        (self.ledger, self.chain) = (ledger, chain);
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

/// Reads a journal of a plan and calls `each` with its records and where their lines begin.
///
/// A torn last line is left out: one without its newline, or one that a crash left full of NUL
/// bytes. Anything else that is not sound is an error: to guess here could do a step twice or
/// forget how it was.
///
/// # Errors
/// [`JournalError`], all but `Unwritable`.
pub fn replay(
    mut reader: impl BufRead,
    plan: &Plan,
    mut each: impl FnMut(&Record, u64),
) -> Result<Replayed, JournalError> {
    let mut read = Replayed { ledger: RunProgress::default(), sound: 0, chain: 0 };
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
        let taken = read.ledger.take(&record);
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

/// The record of a line that has been replayed, and so proven, before.
pub(super) fn proven(line: &[u8]) -> Option<Record> {
    serde_json::from_slice(parts_of(line)?.1).ok()
}

/// A line's checksum and its record.
fn parts_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (digits, rest) = line.strip_prefix(HEAD)?.split_at_checked(16)?;
    Some((digits, rest.strip_prefix(NECK)?.strip_suffix(b"}\n")?))
}
