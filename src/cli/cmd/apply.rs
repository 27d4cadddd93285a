//! `georepair apply`: runs a saved plan.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use crate::apply::read_plan;
use crate::cli::failure::Outcome;
use crate::cli::follow_up;
use crate::cli::global::Global;
use crate::cli::run_plan::{ChangeArgs, carry_out};
use crate::task::Failure;

/// What `apply` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The plan, as saved by --plan-out; its lists must be beside it
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let plan = read_plan(&args.plan)?;
    let lists = args.plan.parent().filter(|folder| !folder.as_os_str().is_empty());
    let lists = lists.unwrap_or(Path::new("."));
    let carried = carry_out(&plan, lists, &args.change, global)?;
    follow_up::run_follow_up(&plan, carried, global)
}
