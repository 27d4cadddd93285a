//! `georepair diagnose`: which gfids fail, why, since when, and what to do.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::args::Global;
use crate::cli::failure::{Failure, Outcome};

/// What `diagnose` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Log files, or folders to search for them [default: the standard places of both sides]
    #[arg(value_name = "LOG|DIR")]
    logs: Vec<PathBuf>,
}

pub(in crate::cli) fn run(_args: &Args, _global: &Global) -> Result<Outcome, Failure> {
    Ok(Outcome::Fine)
}
