//! `georepair runbook`: prints the embedded runbooks.

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::report;
use crate::report::Runbooks;
use crate::task::Failure;

/// What `runbook` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The runbook to print; without it, all are listed
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let runbooks = match &args.name {
        Some(name) => Runbooks::one(name)?,
        None => Runbooks::all(),
    };
    report::print(&runbooks, &global.style())?;
    Ok(Outcome::Fine)
}
