//! `georepair runs`: list, show, resume, undo and delete runs.

use clap::{Args as ClapArgs, Subcommand};

use crate::apply::{Store, undo_of_run};
use crate::cli::confirm::confirm;
use crate::cli::failure::Outcome;
use crate::cli::global::{Global, host_name};
use crate::cli::run_plan::{ChangeArgs, carry_out};
use crate::cli::{follow_up, run_plan};
use crate::domain::Time;
use crate::report;
use crate::report::{Document as _, PlanView, RunList, RunView};
use crate::task::Failure;
use crate::task::run::{find_run, runs_before};

/// The commands about runs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List all runs, oldest first
    List,
    /// Show a run step by step
    Show(Which),
    /// Resume a run that stopped
    Resume(Resume),
    /// Undo a run: restore what it changed, last change first
    Undo(Undo),
    /// Delete records and saved originals of runs (cannot be undone)
    Prune(Prune),
}

/// A run.
#[derive(ClapArgs, Debug)]
pub struct Which {
    /// The run's name, or its beginning
    #[arg(value_name = "RUN")]
    run: String,
}

/// What `runs resume` takes.
#[derive(ClapArgs, Debug)]
pub struct Resume {
    /// The run's name, or its beginning [default: the newest unfinished run]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Resume without asking
    #[arg(long)]
    yes: bool,
}

/// What `runs undo` takes.
#[derive(ClapArgs, Debug)]
pub struct Undo {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    change: ChangeArgs,
}

/// What `runs prune` takes.
#[derive(ClapArgs, Debug)]
pub struct Prune {
    /// The runs' names, or their beginnings
    #[arg(value_name = "RUN", required_unless_present = "before")]
    runs: Vec<String>,
    /// All that ended before this (RFC 3339 or epoch seconds); unfinished runs are kept
    #[arg(long, value_name = "TIME", conflicts_with = "runs")]
    before: Option<Time>,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(in crate::cli) fn run(command: &Command, global: &Global) -> Result<Outcome, Failure> {
    let store = Store::new(&global.state_dir);
    match command {
        Command::List => report::print(&RunList::new(store.list()?), &global.style())?,
        Command::Show(which) => {
            report::print(&RunView::new(store.find(&which.run)?), &global.style())?;
        }
        Command::Resume(it) => return resume(it, &store, global),
        Command::Undo(it) => return undo(it, &store, global),
        Command::Prune(it) => return prune(it, &store, global),
    }
    Ok(Outcome::Fine)
}

fn resume(args: &Resume, store: &Store, global: &Global) -> Result<Outcome, Failure> {
    let chosen = find_run(store, args.run.as_deref())?;
    let (plan, _) = chosen.content?;
    if !args.yes {
        let _ = PlanView::new(&plan, Vec::new()).human(&global.style(), &mut anstream::stderr());
        confirm(&plan)?;
    }
    let carried = run_plan::resume(chosen.id, global)?;
    follow_up::run_follow_up(&plan, carried, global)
}

fn undo(args: &Undo, store: &Store, global: &Global) -> Result<Outcome, Failure> {
    let chosen = find_run(store, Some(&args.which.run))?;
    let lists = run_plan::scratch()?;
    let plan = undo_of_run(store, chosen.id, lists.path())?;
    let carried = carry_out(&plan, lists.path(), &args.change, global)?;
    follow_up::run_follow_up(&plan, carried, global)
}

fn prune(args: &Prune, store: &Store, global: &Global) -> Result<Outcome, Failure> {
    let runs = match args.before {
        Some(before) => runs_before(store, before)?,
        None => args.runs.iter().map(|name| store.find(name)).collect::<Result<Vec<_>, _>>()?,
    };
    let ids: Vec<_> = runs.iter().map(|run| run.id).collect();
    let plan = store.prune_plan(&ids, &host_name())?;
    Ok(carry_out(&plan, &global.state_dir, &args.change, global)?.outcome())
}
