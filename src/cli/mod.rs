//! The command line: flags in, exit code out.

mod args;
mod clock;
mod cmd;
mod confirm;
pub(crate) mod failure;
mod follow_up;
mod global;
mod interrupt;
mod prompt;
mod resolve_stream;
mod run_plan;
mod stdin_batches;

use std::process::ExitCode;

use clap::Parser as _;

use crate::task::Failure;
pub use args::Args;
use args::Command;
use failure::Outcome;

/// Runs the command line and returns the process's exit code.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return failure::usage(&error),
    };
    let ended = std::panic::catch_unwind(|| run(&args));
    failure::exit_code(ended.unwrap_or_else(|_| Err(Failure::bug())))
}

fn run(args: &Args) -> Result<Outcome, Failure> {
    if let Some(jobs) = args.global.jobs {
        // Fails only if the threads run already, and nothing before this starts them.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs.get()).build_global();
    }
    match &args.command {
        Command::Diagnose(it) => cmd::diagnose::run(it, &args.global),
        Command::ResolveGfid(it) => cmd::resolve_gfid::run(it, &args.global),
        Command::Changelog(it) => cmd::changelog::run(it, &args.global),
        Command::Reset(it) => cmd::reset::run(it, &args.global),
        Command::Apply(it) => cmd::apply::run(it, &args.global),
        Command::Runs(it) => cmd::runs::run(it, &args.global),
        Command::Audit(it) => cmd::audit::run(it, &args.global),
        Command::TriggerSync(it) => cmd::trigger_sync::run(it, &args.global),
        Command::Runbook(it) => cmd::runbook::run(it, &args.global),
        Command::Agent(it) => cmd::agent::run(it, &args.global),
    }
}
