//! What all commands that change something share: their flags, and the way from plan to run.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use uuid::Uuid;

use super::confirm::confirm;
use super::failure::Outcome;
use super::global::Global;
use super::interrupt;
use crate::apply;
use crate::apply::{Origin, StoreError};
use crate::plan::Plan;
use crate::report;
use crate::report::{Document as _, PlanView};
use crate::task::run::{FinishedRun, Runner};
use crate::task::{Context, Failure};

/// Flags of every command that changes anything.
#[derive(ClapArgs, Clone, Debug, Default)]
#[command(next_help_heading = "Options of commands that change something")]
pub(super) struct ChangeArgs {
    /// Print the exact plan and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Save the plan instead of running it; run it with `georepair apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(super) plan_out: Option<PathBuf>,
    /// Write a shell script for each node instead of running the plan
    #[arg(long, value_name = "DIR")]
    pub(super) script: Option<PathBuf>,
    /// Run the plan without asking
    #[arg(long, conflicts_with_all = ["dry_run", "plan_out", "script"])]
    pub(super) yes: bool,
}

/// Outcome of executing a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RunOutcome {
    /// It was only shown or saved.
    Shown(Outcome),
    /// It was run to its end.
    Done(FinishedRun),
}

impl RunOutcome {
    /// How the command ends.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Shown(outcome) => outcome,
            Self::Done(FinishedRun { failed: 0, .. }) => Outcome::Fine,
            Self::Done(_) => Outcome::Findings,
        }
    }
}

/// Shows a plan; unless that is all that was wanted, asks for confirmation and runs it.
///
/// `lists` is the directory with the lists of the plan's bulk steps.
pub(super) fn carry_out(
    plan: &Plan,
    lists: &Path,
    change: &ChangeArgs,
    global: &Global,
) -> Result<RunOutcome, Failure> {
    let context = global.context()?;
    let progress = &context.progress;
    if let Some(folder) = &change.script {
        apply::write_scripts(plan, lists, folder)?;
        report::print(&PlanView::new(plan, Vec::new()), &global.style())?;
        progress.line(&format!("scripts written to {}", folder.display()));
        return Ok(RunOutcome::Shown(Outcome::Fine));
    }
    let mut runner = runner(&context, global);
    let view = PlanView::new(plan, runner.preflight(plan)?);
    if let Some(file) = &change.plan_out {
        apply::save_plan(plan, lists, file)?;
        progress.line(&format!("plan saved. To run it: georepair apply {}", file.display()));
    }
    if change.dry_run || change.plan_out.is_some() || !view.would_change() {
        report::print(&view, &global.style())?;
        let findings = change.dry_run && view.would_change();
        return Ok(RunOutcome::Shown(if findings { Outcome::Findings } else { Outcome::Fine }));
    }
    if !change.yes {
        // If standard error fails, nobody sees the question either, and nobody answers it.
        let _ = view.human(&global.style(), &mut anstream::stderr());
        confirm(plan)?;
    }
    interrupt::watch();
    let done = runner.run(plan, lists)?;
    tell_end(done, &context);
    Ok(RunOutcome::Done(done))
}

/// Resumes a run.
pub(super) fn resume(run: Uuid, global: &Global) -> Result<RunOutcome, Failure> {
    let context = global.context()?;
    interrupt::watch();
    let done = runner(&context, global).resume(run)?;
    tell_end(done, &context);
    Ok(RunOutcome::Done(done))
}

fn runner<'a>(context: &'a Context, global: &Global) -> Runner<'a> {
    Runner::new(context, &global.state_dir, origin(&context.host))
}

fn tell_end(done: FinishedRun, context: &Context) {
    let FinishedRun { run, failed, reversible } = done;
    if failed > 0 {
        context.progress.line(&format!("{failed} items failed: georepair runs show {run}"));
    }
    context.progress.line(&if reversible {
        format!("done. To undo: georepair runs undo {run}")
    } else {
        format!("done: georepair runs show {run}")
    });
}

/// A directory for the lists of a plan until its run takes them over.
pub(super) fn scratch() -> Result<tempfile::TempDir, StoreError> {
    let failed = |source| StoreError::File { path: std::env::temp_dir(), source };
    tempfile::tempdir().map_err(failed)
}

/// Who runs this command.
#[expect(clippy::disallowed_methods, reason = "the environment comes in here")]
fn origin(host: &str) -> Origin {
    let argv = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let uid = || format!("uid {}", rustix::process::getuid().as_raw());
    let tool = env!("CARGO_PKG_VERSION").to_owned();
    Origin { tool, host: host.to_owned(), user: user.unwrap_or_else(uid), argv }
}
