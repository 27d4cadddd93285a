//! What every task works with: other programs, the clock, where it reports, when to stop.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::Time;
use crate::scan::Meter;
use crate::scan::cluster::Tools;

/// What a task works with.
pub struct Context {
    /// The gluster command, and ssh to other nodes.
    pub tools: Tools,
    /// This machine's name, as the steps of a plan name it.
    pub host: String,
    /// What time it is.
    pub clock: fn() -> Time,
    /// Raised to stop: a task ends after the current step or batch.
    pub stop: Arc<AtomicBool>,
    /// Where the task reports how far it is.
    pub progress: Box<dyn Progress>,
}

impl Context {
    /// One that reports nothing, with the epoch as its time.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self {
            tools: Tools::new(std::path::Path::new("gluster"), "ssh").expect("quotes close"),
            host: String::new(),
            clock: || Time::from_secs(0),
            stop: Arc::default(),
            progress: Box::new(()),
        }
    }

    /// Whether the task is asked to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("tools", &self.tools).finish_non_exhaustive()
    }
}

/// Where a task reports how far it is; `()` ignores everything.
pub trait Progress: Send + Sync {
    /// A phase begins; it lasts until the answer is dropped.
    fn phase(&self, _phase: Phase) -> RunningPhase {
        Box::new(())
    }

    /// One line: a step, what is waited for, a warning.
    fn line(&self, _text: &str) {}
}

impl Progress for () {}

/// A phase that goes on until this is dropped.
pub type RunningPhase = Box<dyn Any>;

/// A part of a task that takes time.
#[derive(Clone, Debug)]
pub struct Phase {
    /// What is done, such as `reading logs`.
    pub what: &'static str,
    /// What is counted.
    pub unit: Unit,
    /// How much there is, or at most is; 0 where it is not known.
    pub all: u64,
    /// How much is done.
    pub meter: Arc<Meter>,
}

/// What a phase counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Bytes, in [`Meter::consumed`].
    Bytes,
    /// Names, in [`Meter::entries`]; a phase knows only how many there are at most.
    Names,
    /// Objects, in [`Meter::entries`].
    Objects,
}

impl Phase {
    /// Reading log files of so many bytes.
    #[must_use]
    pub fn logs(meter: &Arc<Meter>, bytes: u64) -> Self {
        Self { what: "reading logs", unit: Unit::Bytes, all: bytes, meter: Arc::clone(meter) }
    }

    /// Scanning the names of bricks or of a mount, `most` at most.
    #[must_use]
    pub fn names(meter: &Arc<Meter>, most: u64) -> Self {
        Self { what: "scanning", unit: Unit::Names, all: most, meter: Arc::clone(meter) }
    }

    /// Anything else that is counted object by object.
    #[must_use]
    pub fn objects(what: &'static str, meter: &Arc<Meter>, all: u64) -> Self {
        Self { what, unit: Unit::Objects, all, meter: Arc::clone(meter) }
    }

    /// How much is done by now.
    #[must_use]
    pub fn done(&self) -> u64 {
        let counter = match self.unit {
            Unit::Bytes => &self.meter.consumed,
            Unit::Names | Unit::Objects => &self.meter.entries,
        };
        counter.load(Ordering::Relaxed)
    }
}
