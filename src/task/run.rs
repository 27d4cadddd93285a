//! Runs plans: preflight, run, resume, undo; the runs and their journals are kept in a store.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Context, Failure, Phase, RunningPhase, UsageError};
use crate::apply;
use crate::apply::{
    ApplyError, Lease, Nodes, Origin, Run, RunState, Start, Store, Summary, Watch, preflight,
};
use crate::domain::{Kind, Name, Time, UserError};
use crate::plan::{Plan, Step};
use crate::scan::Meter;

/// Between two lines that say what a step waits for.
const REMIND: Duration = Duration::from_secs(10);

/// Runs plans on this machine and its peers.
pub struct Runner<'a> {
    context: &'a Context,
    state_dir: PathBuf,
    store: Store,
    nodes: Nodes,
    origin: Origin,
}

/// A run that came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FinishedRun {
    /// The run.
    pub run: Uuid,
    /// How many items of its bulk steps failed.
    pub failed: u64,
    /// Whether it can be undone.
    pub reversible: bool,
}

/// A run stopped before its end: the error of its step, with the commands that continue.
#[derive(Debug)]
struct StoppedRun {
    run: Uuid,
    reversible: bool,
    error: ApplyError,
}

impl fmt::Display for StoppedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

// It shows the step's error as its own, so its cause is that error's cause.
impl Error for StoppedRun {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl UserError for StoppedRun {
    fn kind(&self) -> Kind {
        self.error.kind()
    }

    fn hints(&self) -> Vec<String> {
        let mut hints = self.error.hints();
        let run = self.run;
        hints.push(format!("georepair runs show {run}     shows what was done and what was not"));
        hints.push(format!("georepair runs resume {run}   continues from here"));
        if self.reversible {
            hints.push(format!("georepair runs undo {run}     undoes what was done"));
        }
        hints
    }
}

/// A run stopped by a panic: the system is in the middle of a change.
#[derive(Debug, thiserror::Error)]
#[error("a bug in georepair stopped run {run} before its end")]
struct CrashedRun {
    run: Uuid,
}

impl UserError for CrashedRun {
    fn kind(&self) -> Kind {
        Kind::Midway
    }

    fn hints(&self) -> Vec<String> {
        let run = self.run;
        vec![
            "please report it with the lines above".to_owned(),
            format!("georepair runs show {run}     shows what was done and what was not"),
            format!("georepair runs resume {run}   continues from here"),
        ]
    }
}

/// Executes the steps of a run; a panic is a failure that names the run.
fn guarded(
    run: Uuid,
    reversible: bool,
    steps: impl FnOnce() -> Result<(), ApplyError>,
) -> Result<(), Failure> {
    // What the closure leaves behind is not used again: the journal on disk is the truth.
    match catch_unwind(AssertUnwindSafe(steps)) {
        Ok(ended) => ended.map_err(|error| StoppedRun { run, reversible, error }.into()),
        Err(_) => Err(CrashedRun { run }.into()),
    }
}

/// The run was undone, or is being undone.
#[derive(Debug, thiserror::Error)]
#[error("run {run} was already undone by run {by}")]
struct AlreadyUndone {
    run: Uuid,
    by: Uuid,
}

impl UserError for AlreadyUndone {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        vec![format!("georepair runs show {}", self.by)]
    }
}

impl<'a> Runner<'a> {
    /// Keeps its runs in `state_dir`; `origin` goes into their journals.
    #[must_use]
    pub fn new(context: &'a Context, state_dir: &Path, origin: Origin) -> Self {
        let store = Store::new(state_dir);
        // A lease names the directory to peers: it must not depend on where we were started.
        let state_dir = std::path::absolute(state_dir).unwrap_or_else(|_| state_dir.to_owned());
        let nodes = Nodes::new(context.tools.clone(), origin.host.clone());
        Self { context, state_dir, store, nodes, origin }
    }

    /// Which steps of a plan have nothing to do as things are now.
    ///
    /// # Errors
    /// [`Failure`] if a node cannot be reached, or the plan no longer matches the system.
    pub fn preflight(&mut self, plan: &Plan) -> Result<Vec<bool>, Failure> {
        Ok(preflight(plan, &mut self.nodes)?)
    }

    /// Runs a plan from its beginning; `lists` is the directory with the lists of its bulk steps.
    ///
    /// # Errors
    /// [`Failure`]; the hints name the command that resumes or undoes the run.
    pub fn run(&mut self, plan: &Plan, lists: &Path) -> Result<FinishedRun, Failure> {
        let run = self.store.create(Uuid::now_v7(), plan, lists, self.start())?;
        self.execute(run)
    }

    /// Continues a run that stopped.
    ///
    /// # Errors
    /// [`Failure`], as for [`Runner::run`].
    pub fn resume(&mut self, run: Uuid) -> Result<FinishedRun, Failure> {
        let run = self.store.open(run, self.start())?;
        self.execute(run)
    }

    fn start(&self) -> Start {
        Start { origin: self.origin.clone(), clock: self.context.clock }
    }

    fn execute(&mut self, mut run: Run) -> Result<FinishedRun, Failure> {
        self.context.progress.line(&format!("run {}", run.id));
        let runs = std::iter::once(run.id).chain(run.plan.undoes).collect();
        let state_dir = self.state_dir.as_path().into();
        self.nodes.carry_out(Lease { state_dir, runs, token: Uuid::now_v7() });
        let mut watch = StepReporter::new(self.context, &run.plan);
        let reversible = run.plan.point_of_no_return().is_none();
        guarded(run.id, reversible, || {
            apply::run(&run.plan, &mut run.journal, &mut self.nodes, &mut watch, &run.folder)
        })?;
        drop(watch);
        let items = |step: &Step| run.journal.progress().bulk(step.id).failed;
        let failed = run.plan.steps.iter().map(items).sum();
        Ok(FinishedRun { run: run.id, failed, reversible })
    }
}

/// The run of this name, or of this beginning of a name; without one, the newest unfinished.
///
/// # Errors
/// [`Failure`] if there is no such run, or it was undone.
pub fn find_run(store: &Store, name: Option<&str>) -> Result<Summary, Failure> {
    let run = if let Some(name) = name {
        store.find(name)?
    } else {
        let unfinished = |run: &Summary| {
            run.state == RunState::Unfinished && run.undone_by.is_none() && run.content.is_ok()
        };
        let newest = store.list()?.into_iter().rfind(unfinished);
        newest.ok_or(UsageError("no unfinished run"))?
    };
    match run.undone_by {
        Some(by) => Err(AlreadyUndone { run: run.id, by }.into()),
        None => Ok(run),
    }
}

/// The runs that ended before a time; unfinished ones are left out.
///
/// # Errors
/// [`Failure`] if the store cannot be read.
pub fn runs_before(store: &Store, before: Time) -> Result<Vec<Summary>, Failure> {
    let is_old = |run: &Summary| {
        let last = run.content.as_ref().ok().and_then(|(_, progress)| progress.last());
        run.state != RunState::Unfinished && last.is_some_and(|last| last < before)
    };
    Ok(store.list()?.into_iter().filter(is_old).collect())
}

/// Reports the steps of a run.
struct StepReporter<'a> {
    context: &'a Context,
    steps: usize,
    meter: Arc<Meter>,
    phase: Option<RunningPhase>,
    reminded: Option<Instant>,
}

impl<'a> StepReporter<'a> {
    fn new(context: &'a Context, plan: &Plan) -> Self {
        let (steps, meter) = (plan.steps.len(), Arc::default());
        Self { context, steps, meter, phase: None, reminded: None }
    }
}

impl Watch for StepReporter<'_> {
    fn begins(&mut self, step: &Step) {
        let says = Name::from(step.does.says());
        let (id, all, node) = (step.id, self.steps, &step.node);
        self.context.progress.line(&format!("step {id} of {all}  {node}: {}", says.lossy()));
        if let Some(manifest) = step.does.manifest() {
            self.meter = Arc::default();
            let phase = Phase::objects("items", &self.meter, manifest.count);
            self.phase = Some(self.context.progress.phase(phase));
        }
    }

    fn advances(&mut self, _step: &Step, items: u64) {
        self.meter.entries.store(items, Ordering::Relaxed);
    }

    fn waits(&mut self, _step: &Step, why: &str) {
        if self.reminded.is_none_or(|at| at.elapsed() > REMIND) {
            self.context.progress.line(&format!("waiting: {}", Name::from(why).lossy()));
            self.reminded = Some(Instant::now());
        }
    }

    fn ends(&mut self, _step: &Step, changed: bool) {
        self.phase = None;
        if !changed {
            self.context.progress.line("  already done");
        }
    }

    fn interrupted(&self) -> bool {
        self.context.is_stopped()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_run_names_the_command_that_resumes_it() {
        let crashed = guarded(Uuid::nil(), true, || panic!("on purpose")).unwrap_err();
        assert_eq!(crashed.kind, Kind::Midway);
        let resume = format!("georepair runs resume {}", Uuid::nil());
        assert!(crashed.hints.iter().any(|hint| hint.starts_with(&resume)), "{crashed:?}");
    }
}
