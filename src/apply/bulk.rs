//! One step over very many objects: its list on disk, and its batches.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use xxhash_rust::xxh3::Xxh3Default;

use super::error::ApplyError;
use super::executor::{Batch, Executor, Executors};
use super::journal::Journal;
use super::progress::{BulkState, Record, StepState};
use super::step;
use super::step::Watch;
use crate::domain::{Kind, UserError};
use crate::plan::{Action, BATCH, Bulk, Change, Item, ItemError, Manifest, Object, State, Step};

/// How long between two looks whether a step that waits may go on.
const LOOK: Duration = Duration::from_millis(500);

/// The list of a bulk step cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be used.
    #[error("cannot use the list {path:?}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not the file that the plan was made with.
    #[error("the list {path:?} is not the one of the plan: {found} instead of {expected}")]
    Other {
        /// The file.
        path: PathBuf,
        /// What the plan says: count and digest.
        expected: String,
        /// What it has.
        found: String,
    },
    /// A line of it cannot be read.
    #[error(transparent)]
    Item(#[from] ItemError),
    /// Its name would leave the plan's directory.
    #[error("{name:?} is no name for a list")]
    Name {
        /// The name.
        name: String,
    },
}

impl UserError for ManifestError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }
}

/// Writes a list, item by item, in the order of the work.
pub struct ManifestWriter {
    path: PathBuf,
    name: String,
    out: BufWriter<File>,
    digest: Xxh3Default,
    count: u64,
}

/// Reads a list batch by batch.
pub struct ManifestReader {
    path: PathBuf,
    input: BufReader<File>,
    line: u64,
}

impl ManifestWriter {
    /// Begins a list of this name in a directory.
    ///
    /// # Errors
    /// [`ManifestError`], also where a file of this name stands there.
    pub fn create(folder: &Path, name: &str) -> Result<Self, ManifestError> {
        let path = place(folder, name)?;
        let file = File::create_new(&path);
        let file = file.map_err(|source| ManifestError::File { path: path.clone(), source })?;
        let out = BufWriter::with_capacity(1 << 16, file);
        Ok(Self { path, name: name.to_owned(), out, digest: Xxh3Default::new(), count: 0 })
    }

    /// Adds an item.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub fn push(&mut self, item: &Item) -> Result<(), ManifestError> {
        let line = item.to_line().map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.out.write_all(&line)?;
            Ok(line)
        });
        let line = line.map_err(|source| self.failed(source))?;
        self.digest.update(&line);
        self.count += 1;
        Ok(())
    }

    /// Syncs the list and answers with what the plan says of it.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub fn finish(mut self) -> Result<Manifest, ManifestError> {
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(|source| self.failed(source))?;
        let digest = format!("{:016x}", self.digest.digest());
        Ok(Manifest { file: self.name, count: self.count, digest })
    }

    fn failed(&self, source: io::Error) -> ManifestError {
        ManifestError::File { path: self.path.clone(), source }
    }
}

impl ManifestReader {
    /// Opens a list after proving, by one reading, that it is the plan's.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn open(folder: &Path, manifest: &Manifest) -> Result<Self, ManifestError> {
        let path = place(folder, &manifest.file)?;
        let failed = |source| ManifestError::File { path: path.clone(), source };
        let mut input = BufReader::with_capacity(1 << 16, File::open(&path).map_err(failed)?);
        let (mut digest, mut count) = (Xxh3Default::new(), 0);
        loop {
            let bytes = input.fill_buf().map_err(failed)?;
            if bytes.is_empty() {
                break;
            }
            digest.update(bytes);
            count += memchr::memchr_iter(b'\n', bytes).count() as u64;
            let length = bytes.len();
            input.consume(length);
        }
        let found = format!("{:016x}", digest.digest());
        if (count, &found) != (manifest.count, &manifest.digest) {
            let expected = format!("{} lines, xxh3 {}", manifest.count, manifest.digest);
            let found = format!("{count} lines, xxh3 {found}");
            return Err(ManifestError::Other { path, expected, found });
        }
        io::Seek::rewind(&mut input).map_err(failed)?;
        Ok(Self { path, input, line: 0 })
    }

    /// Where each batch begins, in bytes, from where the reader stands on.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub(super) fn offsets(&mut self) -> Result<Vec<u64>, ManifestError> {
        let (mut offsets, mut at) = (Vec::new(), 0);
        for line in 0_usize.. {
            let read = self.input.skip_until(b'\n').map_err(|source| self.failed(source))?;
            if read == 0 {
                break;
            }
            if line % BATCH == 0 {
                offsets.push(at);
            }
            at += read as u64;
        }
        Ok(offsets)
    }

    /// Goes to where a batch begins; line numbers in errors are counted from there.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub(super) fn seek(&mut self, offset: u64) -> Result<(), ManifestError> {
        self.line = 0;
        let sought = io::Seek::seek(&mut self.input, io::SeekFrom::Start(offset));
        sought.map(|_| ()).map_err(|source| self.failed(source))
    }

    /// Passes over so many lines.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub fn skip(&mut self, lines: u64) -> Result<(), ManifestError> {
        for _ in 0..lines {
            self.input.skip_until(b'\n').map_err(|source| self.failed(source))?;
            self.line += 1;
        }
        Ok(())
    }

    /// The next items, at most [`BATCH`]; none at the end.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn batch(&mut self, bulk: &Bulk) -> Result<Vec<Item>, ManifestError> {
        let mut items = Vec::new();
        let mut text = Vec::new();
        while items.len() < BATCH {
            text.clear();
            let read = self.input.read_until(b'\n', &mut text);
            if read.map_err(|source| self.failed(source))? == 0 {
                break;
            }
            self.line += 1;
            items.push(bulk.read_item(&text, self.line)?);
        }
        Ok(items)
    }

    fn failed(&self, source: io::Error) -> ManifestError {
        ManifestError::File { path: self.path.clone(), source }
    }
}

/// The path of a list; a name that would lead elsewhere is none.
pub(super) fn place(folder: &Path, name: &str) -> Result<PathBuf, ManifestError> {
    let path = folder.join(name);
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Err(ManifestError::Name { name: name.to_owned() });
    }
    Ok(path)
}

/// A bulk step at work.
pub(super) struct Work<'a> {
    pub(super) step: &'a Step,
    pub(super) bulk: &'a Bulk,
    pub(super) manifest: &'a Manifest,
    pub(super) folder: &'a Path,
}

impl Work<'_> {
    /// Does all batches that the journal does not say are done.
    pub(super) fn bring_about(
        &mut self,
        journal: &mut Journal,
        worlds: &mut dyn Executors,
        watch: &mut dyn Watch,
    ) -> Result<(), ApplyError> {
        let step = self.step;
        let midway = journal.ledger().has_changed_anything();
        let unread = |source| ApplyError::Manifest { step: step.id, source };
        let mut reader = ManifestReader::open(self.folder, self.manifest).map_err(unread)?;
        let world = worlds.on(&step.node).map_err(|source| step::failed(step, midway, source))?;
        step::check(step, midway, world)?;
        if *journal.ledger().step(step.id) == StepState::Waiting {
            journal.started(step.id, None)?;
        }
        let mut state = journal.ledger().bulk(step.id);
        reader.skip(state.batches * BATCH as u64).map_err(unread)?;
        loop {
            let items = reader.batch(self.bulk).map_err(unread)?;
            if items.is_empty() {
                break;
            }
            self.wait(world, watch)?;
            let batch = match self.bulk {
                Bulk::Changes => self.change(&items, &state, journal, world)?,
                Bulk::TriggerSync { .. } => world
                    .perform_batch(self.bulk, &items)
                    .map_err(|source| step::failed(step, true, source))?,
            };
            journal.batch_done(step.id, state.batches, batch)?;
            state = journal.ledger().bulk(step.id);
            watch.advances(step, state.done + state.failed);
        }
        Ok(journal.succeeded(step.id)?)
    }

    /// Waits until the pace allows the next batch.
    fn wait(&self, world: &mut dyn Executor, watch: &mut dyn Watch) -> Result<(), ApplyError> {
        loop {
            if watch.interrupted() {
                return Err(ApplyError::Interrupted { step: self.step.id });
            }
            let why = world.must_wait(self.bulk);
            match why.map_err(|source| step::failed(self.step, true, source))? {
                None => return Ok(()),
                Some(why) => watch.waits(self.step, &why),
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Does one batch of changes, each under the law of a step.
    fn change(
        &self,
        items: &[Item],
        state: &BulkState,
        journal: &mut Journal,
        world: &mut dyn Executor,
    ) -> Result<Batch, ApplyError> {
        let failed = |source| step::failed(self.step, true, source);
        let changes: Vec<&Change> = items.iter().filter_map(Item::change).collect();
        let objects: Vec<&Object> = changes.iter().map(|change| &change.object).collect();
        let now = world.observe_each(&objects).map_err(failed)?;
        for (change, now) in changes.iter().zip(&now) {
            if state.open.is_none() {
                self.refuse_drift(change, change.was.as_ref(), now)?;
            }
        }
        let before = state.open.clone().unwrap_or_else(|| now.clone());
        if state.open.is_some() {
            for ((change, now), before) in changes.iter().zip(&now).zip(&before) {
                self.refuse_drift(change, Some(before), now)?;
            }
        } else {
            journal.put(&Record::BatchStarted {
                step: self.step.id,
                batch: state.batches,
                before,
            })?;
        }
        let due = changes.iter().zip(&now).filter(|(change, now)| change.shall_be != **now);
        let due: Vec<Action> = due.map(|(change, _)| change.action()).collect();
        world.perform_each(&due).map_err(failed)?;
        let objects: Vec<&Object> = due.iter().map(|action| &action.object).collect();
        let now = world.observe_each(&objects).map_err(failed)?;
        for (action, now) in due.iter().zip(&now) {
            if action.shall_be != *now {
                return Err(step::no_effect(self.step, &action.object, &action.shall_be, now));
            }
        }
        Ok(Batch { done: changes.len() as u64, failed: Vec::new() })
    }

    fn refuse_drift(
        &self,
        change: &Change,
        was: Option<&State>,
        now: &State,
    ) -> Result<(), ApplyError> {
        match was {
            Some(was) if now != was && *now != change.shall_be => Err(step::drifted(
                self.step,
                &change.object,
                (was.to_string(), &change.shall_be, now),
            )),
            _ => Ok(()),
        }
    }
}
