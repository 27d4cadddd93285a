//! The progress of each step according to a journal's records: a pure state machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::executor::Failed;
use crate::domain::Time;
use crate::plan::{Plan, State, StepId};

/// The format of the journals that this version writes and reads.
pub(super) const FORMAT: u32 = 1;

/// One line of a journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Record {
    /// The first line: what is run, where and by whom.
    Began {
        /// The journal's format.
        format: u32,
        /// xxh3 of the plan's text.
        plan: String,
        /// Where it comes from.
        origin: Origin,
        /// When.
        at: Time,
    },
    /// The run was resumed.
    Resumed {
        /// Who and where.
        origin: Origin,
        /// When.
        at: Time,
    },
    /// The intent: the step will be executed.
    Started {
        /// Which.
        step: StepId,
        /// The earlier state of its object; null for a list, whose batches have them.
        before: Option<State>,
        /// When.
        at: Time,
    },
    /// The intent: a batch of a bulk step will be executed.
    BatchStarted {
        /// Of which step.
        step: StepId,
        /// Which, from 0.
        batch: u64,
        /// The earlier state of each of its objects.
        before: Vec<State>,
    },
    /// A batch is done.
    BatchDone {
        /// Of which step.
        step: StepId,
        /// Which, from 0.
        batch: u64,
        /// How many items were done.
        done: u64,
        /// Those that failed.
        failed: Vec<Failed>,
    },
    /// The result: the step is done, and verified.
    Succeeded {
        /// Which.
        step: StepId,
        /// When.
        at: Time,
    },
    /// Nothing had to be done for the step.
    AlreadySo {
        /// Which.
        step: StepId,
        /// When.
        at: Time,
    },
    /// The run stopped at the step.
    Stopped {
        /// Which.
        step: StepId,
        /// Why, in words.
        why: String,
        /// When.
        at: Time,
    },
}

/// Who runs a plan, and where.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The tool's version.
    pub tool: String,
    /// The machine.
    pub host: String,
    /// The user, before any `sudo` if that is known.
    pub user: String,
    /// The command line.
    pub argv: Vec<String>,
}

/// How far a step is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum StepState {
    /// Not started.
    #[default]
    Waiting,
    /// Started, without a result.
    Begun {
        /// The earlier state of its object; `None` for a list.
        before: Option<State>,
    },
    /// Done by this run.
    Done {
        /// The earlier state of its object; `None` for a list.
        before: Option<State>,
    },
    /// Nothing had to be done.
    AlreadySo,
}

/// How far a bulk step is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BulkState {
    /// How many batches are done.
    pub batches: u64,
    /// How many of their items were done.
    pub done: u64,
    /// How many failed.
    pub failed: u64,
    /// The earlier states of the objects of the started batch.
    pub open: Option<Vec<State>>,
}

/// The progress of a run, as of the last record of its journal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunProgress {
    began: Option<(Origin, Time)>,
    steps: BTreeMap<StepId, StepState>,
    bulks: BTreeMap<StepId, BulkState>,
    stopped: Option<(StepId, String)>,
    last: Option<Time>,
}

/// A record that no run could have written after the ones before it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unexpected record: {record} {state}")]
pub struct OutOfOrder {
    /// What the record says, quoted.
    pub record: &'static str,
    /// The state in which it cannot come.
    pub state: String,
}

impl RunProgress {
    /// Applies one record.
    ///
    /// # Errors
    /// [`OutOfOrder`] if no run could have written it after the others.
    pub fn apply(&mut self, record: &Record) -> Result<(), OutOfOrder> {
        let illegal = |state: String| OutOfOrder { record: record.name(), state };
        match (record, &self.began) {
            (Record::Began { .. }, Some(_)) => {
                return Err(illegal("in a journal that already has it".to_owned()));
            }
            (Record::Began { .. }, None) | (_, Some(_)) => {}
            (_, None) => return Err(illegal("before the record \"began\"".to_owned())),
        }
        match record {
            Record::Began { origin, at, .. } => self.began = Some((origin.clone(), *at)),
            Record::Resumed { .. } => self.stopped = None,
            Record::Started { step, before, .. } => {
                self.expect_next(*step).map_err(illegal)?;
                self.steps.insert(*step, StepState::Begun { before: before.clone() });
            }
            Record::AlreadySo { step, .. } => {
                self.expect_next(*step).map_err(illegal)?;
                self.steps.insert(*step, StepState::AlreadySo);
            }
            Record::Succeeded { step, .. } => {
                let StepState::Begun { before } = self.step(*step) else {
                    return Err(illegal(self.describe(*step)));
                };
                let before = before.clone();
                self.steps.insert(*step, StepState::Done { before });
            }
            Record::BatchStarted { step, batch, before } => {
                let bulk = self.open_bulk(*step, *batch).map_err(illegal)?;
                bulk.open = Some(before.clone());
            }
            Record::BatchDone { step, batch, done, failed } => {
                let bulk = self.open_bulk(*step, *batch).map_err(illegal)?;
                bulk.open = None;
                bulk.batches += 1;
                bulk.done += done;
                bulk.failed += u64::try_from(failed.len()).unwrap_or(u64::MAX);
            }
            Record::Stopped { step, why, .. } => self.stopped = Some((*step, why.clone())),
        }
        self.last = record.at().or(self.last);
        Ok(())
    }

    /// Steps start in their order, each once; otherwise the state that forbids it, in words.
    fn expect_next(&self, step: StepId) -> Result<(), String> {
        if *self.step(step) != StepState::Waiting {
            return Err(self.describe(step));
        }
        match (1..step.0).map(StepId).find(|earlier| !self.is_done(*earlier)) {
            Some(earlier) => Err(format!("for step {step}, before step {earlier} is done")),
            None => Ok(()),
        }
    }

    fn open_bulk(&mut self, step: StepId, batch: u64) -> Result<&mut BulkState, String> {
        if *self.step(step) != (StepState::Begun { before: None }) {
            return Err(self.describe(step));
        }
        let bulk = self.bulks.entry(step).or_default();
        if bulk.batches == batch {
            Ok(bulk)
        } else {
            let due = bulk.batches;
            Err(format!("for batch {batch} of step {step}, where batch {due} is next"))
        }
    }

    fn describe(&self, step: StepId) -> String {
        let state = match self.step(step) {
            StepState::Waiting => "was never started",
            StepState::Begun { before: None } => "has started as a list",
            StepState::Begun { before: Some(_) } => "has started",
            StepState::Done { .. } => "is done",
            StepState::AlreadySo => "had nothing to do",
        };
        format!("for step {step}, which {state}")
    }

    /// How far a step is.
    #[must_use]
    pub fn step(&self, step: StepId) -> &StepState {
        self.steps.get(&step).unwrap_or(&StepState::Waiting)
    }

    /// How far a bulk step is.
    #[must_use]
    pub fn bulk(&self, step: StepId) -> BulkState {
        self.bulks.get(&step).cloned().unwrap_or_default()
    }

    /// Whether nothing is left to do for a step.
    #[must_use]
    pub fn is_done(&self, step: StepId) -> bool {
        matches!(self.step(step), StepState::Done { .. } | StepState::AlreadySo)
    }

    /// Whether nothing is left to do for a plan.
    #[must_use]
    pub fn is_finished(&self, plan: &Plan) -> bool {
        plan.steps.iter().all(|step| self.is_done(step.id))
    }

    /// Whether any step was started, so that something may have changed.
    #[must_use]
    pub fn has_changed_anything(&self) -> bool {
        self.steps.values().any(|step| *step != StepState::AlreadySo)
    }

    /// How many steps are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.steps.keys().filter(|step| self.is_done(**step)).count()
    }

    /// Who started it, and when.
    #[must_use]
    pub fn began(&self) -> Option<&(Origin, Time)> {
        self.began.as_ref()
    }

    /// Where and why it stopped last, unless it was resumed since.
    #[must_use]
    pub fn stopped(&self) -> Option<&(StepId, String)> {
        self.stopped.as_ref()
    }

    /// When the last record was written.
    #[must_use]
    pub fn last(&self) -> Option<Time> {
        self.last
    }
}

impl Record {
    /// Its name in a journal, quoted.
    fn name(&self) -> &'static str {
        match self {
            Self::Began { .. } => "\"began\"",
            Self::Resumed { .. } => "\"resumed\"",
            Self::Started { .. } => "\"started\"",
            Self::BatchStarted { .. } => "\"batch-started\"",
            Self::BatchDone { .. } => "\"batch-done\"",
            Self::Succeeded { .. } => "\"succeeded\"",
            Self::AlreadySo { .. } => "\"already-so\"",
            Self::Stopped { .. } => "\"stopped\"",
        }
    }

    fn at(&self) -> Option<Time> {
        match self {
            Self::Began { at, .. }
            | Self::Resumed { at, .. }
            | Self::Started { at, .. }
            | Self::Succeeded { at, .. }
            | Self::AlreadySo { at, .. }
            | Self::Stopped { at, .. } => Some(*at),
            Self::BatchStarted { .. } | Self::BatchDone { .. } => None,
        }
    }
}
