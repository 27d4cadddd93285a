//! `georepair audit ready`: would a session work here?

use clap::Args as ClapArgs;

use crate::check;
use crate::check::CheckStatus;
use crate::cli::clock::now;
use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::SecondaryUrl;
use crate::report;
use crate::report::ReadyList;
use crate::scan;
use crate::scan::cluster::Tools;
use crate::task::Failure;

/// What `audit ready` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The volume to replicate
    #[arg(value_name = "PRIMARY")]
    primary: String,
    /// The secondary, `[USER@]HOST::VOLUME`
    #[arg(value_name = "SECONDARY")]
    secondary: SecondaryUrl,
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let tools = Tools::new(&global.gluster, &global.ssh)?;
    let found = scan::session::readiness(&tools, &args.primary, &args.secondary, &now)?;
    let list = ReadyList::new(
        args.primary.clone(),
        args.secondary.to_string(),
        check::setup::ready(&found),
    );
    report::print(&list, &global.style())?;
    Ok(match list.verdict() {
        CheckStatus::Pass => Outcome::Fine,
        CheckStatus::Unseen => Outcome::Blind,
        CheckStatus::Warn | CheckStatus::Fail => Outcome::Findings,
    })
}
