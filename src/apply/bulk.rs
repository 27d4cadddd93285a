//! Executes a bulk step, batch by batch; resuming continues with the first open batch.

use std::path::Path;
use std::time::Duration;

use super::error::ApplyError;
use super::executor::{Batch, Executor, Executors};
use super::journal::Journal;
use super::manifest::ManifestReader;
use super::progress::{BulkState, Record, StepState};
use super::step::check_guards;
use super::watch::Watch;
use crate::plan::{Action, BATCH, Bulk, Change, Item, Manifest, Object, State, Step};

/// How often a paused step checks whether it may continue.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A bulk step that is executed.
pub(super) struct BulkRun<'a> {
    pub(super) step: &'a Step,
    pub(super) bulk: &'a Bulk,
    pub(super) manifest: &'a Manifest,
    /// The directory with the list.
    pub(super) folder: &'a Path,
}

impl BulkRun<'_> {
    /// Executes all batches that the journal does not list as done.
    pub(super) fn execute(
        &self,
        journal: &mut Journal,
        executors: &mut dyn Executors,
        watch: &mut dyn Watch,
    ) -> Result<(), ApplyError> {
        let step = self.step;
        let midway = journal.progress().has_changed_anything();
        let unread = |source| ApplyError::Manifest { step: step.id, source };
        let mut reader = ManifestReader::open(self.folder, self.manifest).map_err(unread)?;
        let executor =
            executors.on(&step.node).map_err(|source| ApplyError::failed(step, midway, source))?;
        check_guards(step, midway, executor)?;
        if *journal.progress().step(step.id) == StepState::Waiting {
            journal.started(step.id, None)?;
        }
        let mut state = journal.progress().bulk(step.id);
        reader.skip(state.batches * BATCH as u64).map_err(unread)?;
        loop {
            let items = reader.batch(self.bulk).map_err(unread)?;
            if items.is_empty() {
                break;
            }
            self.wait(executor, watch)?;
            let batch = match self.bulk {
                Bulk::Changes => self.change(&items, &state, journal, executor)?,
                Bulk::TriggerSync { .. } => executor
                    .perform_batch(self.bulk, &items)
                    .map_err(|source| ApplyError::failed(step, true, source))?,
            };
            journal.batch_done(step.id, state.batches, batch)?;
            state = journal.progress().bulk(step.id);
            watch.advances(step, state.done + state.failed);
        }
        Ok(journal.succeeded(step.id)?)
    }

    /// Waits until the pace allows the next batch.
    fn wait(&self, executor: &mut dyn Executor, watch: &mut dyn Watch) -> Result<(), ApplyError> {
        loop {
            if watch.interrupted() {
                return Err(ApplyError::Interrupted { step: self.step.id });
            }
            let why = executor.must_wait(self.bulk);
            match why.map_err(|source| ApplyError::failed(self.step, true, source))? {
                None => return Ok(()),
                Some(why) => watch.waits(self.step, &why),
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Executes one batch of changes, each as a step is: observe, journal, act, verify.
    fn change(
        &self,
        items: &[Item],
        state: &BulkState,
        journal: &mut Journal,
        executor: &mut dyn Executor,
    ) -> Result<Batch, ApplyError> {
        let failed = |source| ApplyError::failed(self.step, true, source);
        let changes: Vec<&Change> = items.iter().filter_map(Item::change).collect();
        let objects: Vec<&Object> = changes.iter().map(|change| &change.object).collect();
        let now = executor.observe_each(&objects).map_err(failed)?;
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
        let due = changes.iter().zip(&now).filter(|(change, now)| change.wanted != **now);
        let due: Vec<Action> = due.map(|(change, _)| change.action()).collect();
        executor.perform_each(&due).map_err(failed)?;
        let objects: Vec<&Object> = due.iter().map(|action| &action.object).collect();
        let now = executor.observe_each(&objects).map_err(failed)?;
        for (action, now) in due.iter().zip(&now) {
            if action.wanted != *now {
                return Err(ApplyError::no_effect(self.step, action, now));
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
            Some(was) if now != was && *now != change.wanted => {
                Err(ApplyError::drifted(self.step, &change.action(), Some(was), now))
            }
            _ => Ok(()),
        }
    }
}
