//! `georepair trigger-sync`: has gsyncd send files and directories again, parents first.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::cli::run_plan::{ChangeArgs, RunOutcome, carry_out};
use crate::domain::{Gfid, SecondaryUrl};
use crate::report;
use crate::report::TriggerSyncReport;
use crate::task::Failure;
use crate::task::trigger_sync::{TriggerSyncOptions, prepare};

/// What `trigger-sync` takes.
#[derive(ClapArgs, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// The mount point of the primary volume
    #[arg(long, value_name = "DIR")]
    mount: PathBuf,
    /// What to send, a directory with everything below it; `-` reads a list from standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Send the object with this gfid; may be repeated
    #[arg(long = "gfid", value_name = "GFID")]
    gfids: Vec<Gfid>,
    /// Read paths and gfids, one a line, or the JSON of a diagnosis or an audit
    #[arg(long, value_name = "FILE")]
    from_file: Vec<PathBuf>,
    /// Entries of lists end with a NUL byte instead of a newline
    #[arg(short = '0', long)]
    null: bool,
    /// Send directories without what is below them
    #[arg(long)]
    no_recurse: bool,
    /// Send the directories above too, from the top: use it if the secondary may lack them
    #[arg(long)]
    with_ancestors: bool,
    /// A brick on this node, to find gfids and count records [default: those of the volume]
    #[arg(long = "brick", value_name = "DIR")]
    bricks: Vec<PathBuf>,
    /// The session, if the volume has several
    #[arg(long, value_name = "[USER@]HOST::VOLUME")]
    session: Option<SecondaryUrl>,
    /// Stop the session before, and start it again afterwards
    #[arg(long)]
    stop_session: bool,
    /// Wait while more records than this are pending on a brick of this node
    #[arg(long, value_name = "RECORDS")]
    max_backlog: Option<u64>,
    /// Wait while this file exists
    #[arg(long, value_name = "FILE")]
    pause_file: Option<PathBuf>,
    /// Afterwards wait until everything is recorded and sent, and check that it arrived
    #[arg(long)]
    verify: bool,
    /// How long --verify waits for each: the records, the session, the arrival
    #[arg(long, value_name = "SECONDS", default_value = "300", requires = "verify")]
    patience: u64,
    #[command(flatten)]
    change: ChangeArgs,
}

impl Args {
    fn options(&self, global: &Global) -> TriggerSyncOptions {
        TriggerSyncOptions {
            mount: self.mount.clone(),
            paths: self.paths.clone(),
            gfids: self.gfids.clone(),
            lists: self.from_file.clone(),
            null: self.null,
            no_recurse: self.no_recurse,
            with_ancestors: self.with_ancestors,
            bricks: self.bricks.clone(),
            session: self.session.clone(),
            stop_session: self.stop_session,
            max_backlog: self.max_backlog,
            pause_file: self.pause_file.clone(),
            jobs: global.jobs,
            verify: self.verify.then_some(Duration::from_secs(self.patience)),
        }
    }
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let context = global.context()?;
    let mut prepared = prepare(&args.options(global), &context)?;
    let unseen = prepared.counts.unseen();
    let mut report = TriggerSyncReport::new(&prepared);
    if !prepared.is_empty {
        let run = match carry_out(&prepared.plan, prepared.lists(), &args.change, global)? {
            // What was named and not found is a finding, plan or no plan.
            RunOutcome::Shown(Outcome::Fine) if unseen > 0 => return Ok(Outcome::Findings),
            RunOutcome::Shown(outcome) => return Ok(outcome),
            RunOutcome::Done(run) => run,
        };
        report.add_run(run, prepared.prove(&context)?);
    }
    report::print(&report, &global.style())?;
    Ok(if report.is_blind() {
        Outcome::Blind
    } else if report.is_whole() {
        Outcome::Fine
    } else {
        Outcome::Findings
    })
}
