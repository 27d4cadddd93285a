//! What every command that changes something shares: its flags, and the way from plan to run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anstream::eprintln;
use clap::Args as ClapArgs;
use uuid::Uuid;

use super::args::Global;
use super::confirm::confirm;
use super::failure::Outcome;
use super::interrupt;
use crate::apply;
use crate::apply::{
    ApplyError, Lease, Nodes, Origin, Run, Start, Store, StoreError, Watch, preflight,
};
use crate::domain::{Kind, Time, UserError};
use crate::plan::{Object, Plan, Step};
use crate::report;
use crate::report::{Document as _, PlanView, Progress};
use crate::scan::Meter;
use crate::scan::cluster::Tools;
use crate::task::Failure;

/// Flags of every command that changes anything.
#[derive(ClapArgs, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every change")]
pub(super) struct ChangeArgs {
    /// Compute everything, print the exact plan, change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Save the plan instead of running it; `georepair apply FILE` runs it
    #[arg(long, value_name = "FILE")]
    pub(super) plan_out: Option<PathBuf>,
    /// Write a shell script for each node instead of running the plan
    #[arg(long, value_name = "DIR")]
    pub(super) script: Option<PathBuf>,
    /// Run it without asking
    #[arg(long, conflicts_with_all = ["dry_run", "plan_out", "script"])]
    pub(super) yes: bool,
}

/// How far a plan was carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RunOutcome {
    /// It was only shown or saved.
    Shown(Outcome),
    /// It was run to its end.
    Done {
        /// The run.
        run: Uuid,
        /// How many items of its bulk steps could not be done.
        failed: u64,
    },
}

impl RunOutcome {
    /// How the command ends.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Shown(outcome) => outcome,
            Self::Done { failed: 0, .. } => Outcome::Fine,
            Self::Done { .. } => Outcome::Findings,
        }
    }
}

/// A run stopped before its end.
#[derive(Debug)]
pub(super) struct StoppedRun {
    run: Uuid,
    resumable: bool,
    source: ApplyError,
}

impl std::fmt::Display for StoppedRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for StoppedRun {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}

impl UserError for StoppedRun {
    fn kind(&self) -> Kind {
        self.source.kind()
    }

    fn hints(&self) -> Vec<String> {
        let mut hints = self.source.hints();
        let run = self.run;
        hints.push(format!("georepair runs show {run}     what was done and what was not"));
        hints.push(format!("georepair runs resume {run}   goes on from here"));
        if self.resumable {
            hints.push(format!("georepair runs undo {run}     takes back what was done"));
        }
        hints
    }
}

/// Shows a plan and, unless only that was asked for, has it confirmed and runs it.
///
/// `lists` is the directory with the lists of the plan's bulk steps.
pub(super) fn carry_out(
    plan: &Plan,
    lists: &Path,
    change: &ChangeArgs,
    global: &Global,
) -> Result<RunOutcome, Failure> {
    if let Some(folder) = &change.script {
        apply::write_scripts(plan, lists, folder)?;
        report::print(&PlanView::new(plan, Vec::new()), &global.look())?;
        tell(global, &format!("the scripts are in {}", folder.display()));
        return Ok(RunOutcome::Shown(Outcome::Fine));
    }
    let mut nodes = nodes(global)?;
    let view = PlanView::new(plan, preflight(plan, &mut nodes)?);
    if let Some(file) = &change.plan_out {
        apply::save_plan(plan, lists, file)?;
        tell(global, &format!("the plan is saved: georepair apply {}", file.display()));
    }
    if change.dry_run || change.plan_out.is_some() || !view.would_change() {
        report::print(&view, &global.look())?;
        let findings = change.dry_run && view.would_change();
        return Ok(RunOutcome::Shown(if findings { Outcome::Findings } else { Outcome::Fine }));
    }
    if !change.yes {
        // Standard error will not take it only where nobody sees the question either.
        let _ = view.human(&global.look(), &mut anstream::stderr());
        confirm(plan)?;
    }
    let run = Store::new(&global.state_dir).create(new_id(), plan, lists, start())?;
    go_on(run, &mut nodes, global)
}

/// Runs, or goes on with, a run that is locked.
pub(super) fn go_on(
    mut run: Run,
    nodes: &mut Nodes,
    global: &Global,
) -> Result<RunOutcome, Failure> {
    tell(global, &format!("run {}", run.id));
    let runs = std::iter::once(run.id).chain(run.plan.undoes).collect();
    let state_dir = std::path::absolute(&global.state_dir).unwrap_or(global.state_dir.clone());
    let state_dir = state_dir.as_path().into();
    nodes.carry_out(Lease { state_dir, runs, token: new_id() });
    let mut onlooker = RunDisplay::new(&run.plan, global.quiet);
    let ended = apply::run(&run.plan, &mut run.journal, nodes, &mut onlooker, &run.folder);
    drop(onlooker);
    if let Err(source) = ended {
        let resumable = run.plan.point_of_no_return().is_none();
        return Err(StoppedRun { run: run.id, resumable, source }.into());
    }
    let failed = run.plan.steps.iter().map(|step| run.journal.ledger().bulk(step.id).failed).sum();
    let id = run.id;
    if failed > 0 {
        tell(global, &format!("{failed} items could not be done: georepair runs show {id}"));
    }
    match run.plan.point_of_no_return() {
        None => tell(global, &format!("done; take it back: georepair runs undo {id}")),
        Some(_) => tell(global, &format!("done: georepair runs show {id}")),
    }
    Ok(RunOutcome::Done { run: id, failed })
}

/// A directory for the lists of a plan until its run takes them over.
pub(super) fn scratch() -> Result<tempfile::TempDir, StoreError> {
    let failed = |source| StoreError::File { path: std::env::temp_dir(), source };
    tempfile::tempdir().map_err(failed)
}

fn tell(global: &Global, text: &str) {
    if !global.quiet {
        eprintln!("{text}");
    }
}

/// This machine and its peers.
pub(super) fn nodes(global: &Global) -> Result<Nodes, Failure> {
    let tools = Tools::new(&global.gluster, &global.ssh)?;
    Ok(Nodes::new(tools, host_name()))
}

/// This machine's name, as steps on it are to name it.
pub(super) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A new run's name: by time, so that runs sort by their age.
pub(super) fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// Who runs this command, and the clock.
#[expect(clippy::disallowed_methods, reason = "the clock and the environment come in here")]
pub(super) fn start() -> Start {
    let argv = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let uid = || format!("uid {}", rustix::process::getuid().as_raw());
    let tool = env!("CARGO_PKG_VERSION").to_owned();
    let origin = Origin { tool, host: host_name(), user: user.unwrap_or_else(uid), argv };
    Start { origin, clock: || Time::from(jiff::Timestamp::now()) }
}

/// Tells how far a run is, and hears Ctrl-C.
struct RunDisplay {
    steps: usize,
    quiet: bool,
    interrupted: Arc<AtomicBool>,
    meter: Arc<Meter>,
    bar: Option<Progress>,
    waited: Option<Instant>,
}

impl RunDisplay {
    fn new(plan: &Plan, quiet: bool) -> Self {
        let interrupted = interrupt::watched();
        let (steps, meter) = (plan.steps.len(), Arc::default());
        Self { steps, quiet, interrupted, meter, bar: None, waited: None }
    }
}

impl Watch for RunDisplay {
    fn begins(&mut self, step: &Step) {
        if !self.quiet {
            let says = crate::domain::Name::from(step.action.says());
            eprintln!("step {} of {}  {}: {}", step.id, self.steps, step.node, says.lossy());
        }
        if let Object::Bulk { manifest, .. } = &step.action.object {
            self.meter = Arc::default();
            self.bar = Some(Progress::of_items(&self.meter, manifest.count, self.quiet));
        }
    }

    fn advances(&mut self, _step: &Step, items: u64) {
        self.meter.entries.store(items, Ordering::Relaxed);
    }

    fn waits(&mut self, _step: &Step, why: &str) {
        let due = self.waited.is_none_or(|at| at.elapsed() > Duration::from_secs(10));
        if due && !self.quiet {
            eprintln!("waiting: {}", crate::domain::Name::from(why).lossy());
            self.waited = Some(Instant::now());
        }
    }

    fn ends(&mut self, _step: &Step, changed: bool) {
        self.bar = None;
        if !changed && !self.quiet {
            eprintln!("  already so");
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
