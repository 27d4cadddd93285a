//! `georepair runs`: what was done, going on after a crash, taking it back, forgetting it.

use clap::{Args as ClapArgs, Subcommand};

use crate::apply::{RunState, Store, Summary};
use crate::cli::args::Global;
use crate::cli::confirm::confirm;
use crate::cli::failure::Outcome;
use crate::cli::run_plan::{ChangeArgs, carry_out, go_on};
use crate::cli::{follow_up, run_plan};
use crate::domain::{Kind, Time, UserError};
use crate::report;
use crate::report::{Document as _, PlanView, RunList, RunView};
use crate::task::{Failure, UsageError};

/// The commands about runs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// All runs, oldest first
    List,
    /// One run, step by step
    Show(Which),
    /// Go on with a run that stopped
    Resume(Resume),
    /// Take a run back: its objects as they were, last change first
    Undo(Undo),
    /// Forget runs and what they kept: nothing brings that back
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
    /// The run's name, or its beginning; without it, the newest unfinished
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Go on without asking
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
    /// All that ended before this (RFC 3339 or epoch seconds); unfinished runs stay
    #[arg(long, value_name = "TIME", conflicts_with = "runs")]
    before: Option<Time>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// A run that is taken back already, or being taken back.
#[derive(Debug, thiserror::Error)]
#[error("run {run} is taken back by run {by}")]
struct AlreadyUndone {
    run: uuid::Uuid,
    by: uuid::Uuid,
}

impl UserError for AlreadyUndone {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        vec![format!("georepair runs show {}", self.by)]
    }
}

pub(in crate::cli) fn run(command: &Command, global: &Global) -> Result<Outcome, Failure> {
    let store = Store::new(&global.state_dir);
    match command {
        Command::List => report::print(&RunList::new(store.list()?), &global.look())?,
        Command::Show(which) => {
            report::print(&RunView::new(store.find(&which.run)?), &global.look())?;
        }
        Command::Resume(it) => return resume(it, &store, global),
        Command::Undo(it) => return undo(it, &store, global),
        Command::Prune(it) => return prune(it, &store, global),
    }
    Ok(Outcome::Fine)
}

fn resume(args: &Resume, store: &Store, global: &Global) -> Result<Outcome, Failure> {
    let chosen = if let Some(name) = &args.run {
        store.find(name)?
    } else {
        let unfinished = |run: &Summary| {
            run.state == RunState::Unfinished && run.undone_by.is_none() && run.content.is_ok()
        };
        let newest = store.list()?.into_iter().rfind(unfinished);
        newest.ok_or(UsageError("no run is unfinished"))?
    };
    refuse_taken_back(&chosen)?;
    let (plan, _) = chosen.content?;
    if !args.yes {
        let _ = PlanView::new(&plan, Vec::new()).human(&global.look(), &mut anstream::stderr());
        confirm(&plan)?;
    }
    let run = store.open(chosen.id, run_plan::start())?;
    let carried = go_on(run, &mut run_plan::nodes(global)?, global)?;
    follow_up::see_to(&plan, carried, global)
}

fn undo(args: &Undo, store: &Store, global: &Global) -> Result<Outcome, Failure> {
    let chosen = store.find(&args.which.run)?;
    refuse_taken_back(&chosen)?;
    let lists = run_plan::scratch()?;
    let plan = store.undo(chosen.id, lists.path())?;
    let carried = carry_out(&plan, lists.path(), &args.change, global)?;
    follow_up::see_to(&plan, carried, global)
}

fn refuse_taken_back(run: &Summary) -> Result<(), AlreadyUndone> {
    match run.undone_by {
        Some(by) => Err(AlreadyUndone { run: run.id, by }),
        None => Ok(()),
    }
}

fn prune(args: &Prune, store: &Store, global: &Global) -> Result<Outcome, Failure> {
    let runs = match args.before {
        Some(before) => {
            let old = |run: &Summary| {
                let last = run.content.as_ref().ok().and_then(|(_, ledger)| ledger.last());
                run.state != RunState::Unfinished && last.is_some_and(|last| last < before)
            };
            store.list()?.into_iter().filter(old).collect()
        }
        None => args.runs.iter().map(|name| store.find(name)).collect::<Result<Vec<_>, _>>()?,
    };
    let ids: Vec<_> = runs.iter().map(|run| run.id).collect();
    let plan = store.prune_plan(&ids, &run_plan::host_name())?;
    Ok(carry_out(&plan, &global.state_dir, &args.change, global)?.outcome())
}
