//! What a journal's records say about each step: a pure state machine.

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
    /// Somebody went on with it.
    Resumed {
        /// Who and where.
        origin: Origin,
        /// When.
        at: Time,
    },
    /// The intent: the step will be done.
    Started {
        /// Which.
        step: StepId,
        /// How its object was; null for a bulk, whose batches say.
        before: Option<State>,
        /// When.
        at: Time,
    },
    /// A batch of a bulk step will be done.
    BatchStarted {
        /// Of which step.
        step: StepId,
        /// Which, from 0.
        batch: u64,
        /// How each of its objects was.
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
        /// Those that were not.
        failed: Vec<Failed>,
    },
    /// The result: the step is done, and was seen to be.
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
    /// The run stopped at the step; it stays as it is otherwise.
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
    /// The user, before any `sudo` where that is known.
    pub user: String,
    /// The command line.
    pub argv: Vec<String>,
}

/// How far a step is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum StepState {
    /// Nothing was done for it.
    #[default]
    Waiting,
    /// Begun, and no result was written down.
    Begun {
        /// How its object was; nothing for a bulk.
        before: Option<State>,
    },
    /// Done by this run.
    Done {
        /// How its object was; nothing for a bulk.
        before: Option<State>,
    },
    /// It was so already.
    AlreadySo,
}

/// How far a bulk step is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BulkState {
    /// How many batches are done.
    pub batches: u64,
    /// How many items were done in them.
    pub done: u64,
    /// How many could not be.
    pub failed: u64,
    /// How the objects of the begun batch were.
    pub open: Option<Vec<State>>,
}

/// All that a journal says, as of its last record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunProgress {
    began: Option<(Origin, Time)>,
    steps: BTreeMap<StepId, StepState>,
    bulks: BTreeMap<StepId, BulkState>,
    stopped: Option<(StepId, String)>,
    last: Option<Time>,
}

/// A record that cannot stand where it stands.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot follow what stands before it")]
pub struct OutOfOrder;

impl RunProgress {
    /// Takes in one record.
    ///
    /// # Errors
    /// [`OutOfOrder`] where no run could have written it after the others.
    pub fn take(&mut self, record: &Record) -> Result<(), OutOfOrder> {
        if self.began.is_none() != matches!(record, Record::Began { .. }) {
            return Err(OutOfOrder);
        }
        match record {
            Record::Began { origin, at, .. } => self.began = Some((origin.clone(), *at)),
            Record::Resumed { .. } => self.stopped = None,
            Record::Started { step, before, .. } => {
                self.expect(*step, &StepState::Waiting)?;
                self.steps.insert(*step, StepState::Begun { before: before.clone() });
            }
            Record::AlreadySo { step, .. } => {
                self.expect(*step, &StepState::Waiting)?;
                self.steps.insert(*step, StepState::AlreadySo);
            }
            Record::Succeeded { step, .. } => {
                let StepState::Begun { before } = self.step(*step) else { return Err(OutOfOrder) };
                let before = before.clone();
                self.steps.insert(*step, StepState::Done { before });
            }
            Record::BatchStarted { step, batch, before } => {
                let bulk = self.begun_bulk(*step, *batch)?;
                bulk.open = Some(before.clone());
            }
            Record::BatchDone { step, batch, done, failed } => {
                let bulk = self.begun_bulk(*step, *batch)?;
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

    fn expect(&self, step: StepId, state: &StepState) -> Result<(), OutOfOrder> {
        let earlier = (1..step.0).all(|id| self.is_done(StepId(id)));
        if earlier && self.step(step) == state { Ok(()) } else { Err(OutOfOrder) }
    }

    fn begun_bulk(&mut self, step: StepId, batch: u64) -> Result<&mut BulkState, OutOfOrder> {
        if *self.step(step) != (StepState::Begun { before: None }) {
            return Err(OutOfOrder);
        }
        let bulk = self.bulks.entry(step).or_default();
        if bulk.batches == batch { Ok(bulk) } else { Err(OutOfOrder) }
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

    /// Whether any step was begun, so that the world may have been changed.
    #[must_use]
    pub fn has_changed_anything(&self) -> bool {
        self.steps.values().any(|step| *step != StepState::AlreadySo)
    }

    /// How many steps are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.steps.keys().filter(|step| self.is_done(**step)).count()
    }

    /// Who began it and when.
    #[must_use]
    pub fn began(&self) -> Option<&(Origin, Time)> {
        self.began.as_ref()
    }

    /// Where and why it stopped last, if nobody went on since.
    #[must_use]
    pub fn stopped(&self) -> Option<&(StepId, String)> {
        self.stopped.as_ref()
    }

    /// When anything was last written down.
    #[must_use]
    pub fn last(&self) -> Option<Time> {
        self.last
    }
}

impl Record {
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
