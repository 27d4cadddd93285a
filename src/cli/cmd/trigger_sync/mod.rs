//! `georepair trigger-sync`: has gsyncd send what is asked for again, directories first.

mod gfids;
mod input;
mod refusal;
mod site;
mod verify;

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use anstream::eprintln;
use clap::Args as ClapArgs;

use crate::apply::ManifestWriter;
use crate::cli::failure::Outcome;
use crate::cli::global::{Global, host_name};
use crate::cli::run_plan::{ChangeArgs, RunOutcome, carry_out};
use crate::domain::{Gfid, SecondaryUrl};
use crate::plan::recipe::TriggerSync;
use crate::plan::{Item, Manifest, NodePath, Pace, Plan, Trigger};
use crate::report;
use crate::report::{Proof, TriggerSyncReport};
use crate::scan::Meter;
use crate::scan::cluster::Tools;
use crate::scan::mount::{Selection, TreeCounts, TreeEntry, collect};
use crate::task::run::FinishedRun;
use crate::task::{Failure, Phase, Progress as _};
use gfids::Whereabouts;
use input::TriggerRequest;
use refusal::Refusal;
use site::Site;
use verify::Verify;

/// How many are under way at once where nobody says.
const JOBS: usize = 32;

/// What `trigger-sync` takes.
#[derive(ClapArgs, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// The mount point of the primary volume
    #[arg(long, value_name = "DIR")]
    mount: PathBuf,
    /// What is to be sent, a directory with all below it; `-` reads a list from standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same by its gfid
    #[arg(long = "gfid", value_name = "GFID")]
    gfids: Vec<Gfid>,
    /// A list of paths and gfids, one a line, or the JSON of a diagnosis or an audit
    #[arg(long, value_name = "FILE")]
    from_file: Vec<PathBuf>,
    /// Lists end each path with a NUL byte
    #[arg(short = '0', long)]
    null: bool,
    /// Take directories without what is below them
    #[arg(long)]
    no_recurse: bool,
    /// Take the directories above too, from the top: where the secondary may lack them
    #[arg(long)]
    with_ancestors: bool,
    /// A brick on this node, to find gfids and count records; those of the volume by default
    #[arg(long = "brick", value_name = "DIR")]
    bricks: Vec<PathBuf>,
    /// The session that is meant, where the volume has several
    #[arg(long, value_name = "[USER@]HOST::VOLUME")]
    session: Option<SecondaryUrl>,
    /// Stop the session before, and start it again after
    #[arg(long)]
    stop_session: bool,
    /// Wait while more records than this are pending on a brick of this node
    #[arg(long, value_name = "RECORDS")]
    max_backlog: Option<u64>,
    /// Wait while this file is there
    #[arg(long, value_name = "FILE")]
    pause_file: Option<PathBuf>,
    /// Afterwards look for the records, wait until they were sent, look at the secondary
    #[arg(long)]
    verify: bool,
    /// How long to wait for the records, for the session, and for the arrival, each
    #[arg(long, value_name = "SECONDS", default_value = "300", requires = "verify")]
    patience: u64,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let tools = Tools::new(&global.gluster, &global.ssh)?;
    let site = Site::look(args, &tools, global)?;
    let wishes = TriggerRequest::read(args, &site.mount)?;
    if wishes.is_empty() {
        let nothing =
            TriggerSyncReport::nothing(site.mount.name(), site.mount.volume(), site.secondary());
        report::print(&nothing, &global.style())?;
        return Ok(Outcome::Fine);
    }
    let jobs = global.jobs.or(NonZeroUsize::new(JOBS)).unwrap_or(NonZeroUsize::MIN);
    let lists = tempfile::tempdir().map_err(list_error)?;
    let found = Whereabouts::of(&wishes.gfids, &site, &global.progress())?;
    let paths = wishes.paths.into_iter().chain(found.paths.iter().cloned());
    let selection = Selection::new(paths, !args.no_recurse, args.with_ancestors);
    let (manifest, mut tally) = list(&site, &selection, jobs, lists.path(), global)?;
    found.tell(&mut tally);
    tell(&tally, global);
    site.advise(args, global);
    let plan = plan(args, &site, jobs, manifest.clone())?;
    let verify = args.verify.then(|| Verify::begin(&site, &tools, args.patience, global));
    let verify = verify.transpose()?;
    let (run, failed) = match carry_out(&plan, lists.path(), &args.change, global)? {
        // What was asked for and is not there is something to look into, plan or no plan.
        RunOutcome::Shown(Outcome::Fine) if tally.unseen() > 0 => return Ok(Outcome::Findings),
        RunOutcome::Shown(outcome) => return Ok(outcome),
        RunOutcome::Done(FinishedRun { run, failed, .. }) => (run, failed),
    };
    let proof = verify.map(|verify| verify.prove(lists.path(), &manifest)).transpose()?;
    let (mount, volume) = (site.mount.name(), site.mount.volume().to_owned());
    let secondary = site.secondary();
    let run = Some(run);
    let told = TriggerSyncReport { mount, volume, secondary, run, tally, failed, proof };
    report::print(&told, &global.style())?;
    Ok(outcome(&told))
}

fn outcome(told: &TriggerSyncReport) -> Outcome {
    let whole = told.proof.as_ref().is_none_or(Proof::is_whole);
    if told.proof.as_ref().is_some_and(Proof::is_blind) {
        Outcome::Blind
    } else if whole && told.failed + told.tally.unseen() == 0 {
        Outcome::Fine
    } else {
        Outcome::Findings
    }
}

/// Collects what is to be sent into a list.
fn list(
    site: &Site,
    selection: &Selection,
    jobs: NonZeroUsize,
    folder: &std::path::Path,
    global: &Global,
) -> Result<(Manifest, TreeCounts), Failure> {
    let mut writer = ManifestWriter::create(folder, "objects.jsonl")?;
    let meter = Arc::new(Meter::default());
    let phase = global.progress().phase(Phase::names(&meter, 0));
    let tally = collect(&site.mount, selection, jobs.get(), &meter, &mut |entry| {
        let TreeEntry { path, folder, gfid } = entry;
        let trigger = Trigger { at: NodePath::from(path), folder, gfid: Some(gfid) };
        writer.push(&Item::Trigger(trigger)).map_err(io::Error::other)
    })?;
    drop(phase);
    Ok((writer.finish()?, tally))
}

fn list_error(source: io::Error) -> Refusal {
    Refusal::List { path: crate::domain::Name::from("a temporary directory"), source }
}

fn plan(args: &Args, site: &Site, jobs: NonZeroUsize, manifest: Manifest) -> Result<Plan, Refusal> {
    let volume = site.mount.volume().to_owned();
    let bricks: Vec<NodePath> =
        site.bricks.iter().map(|brick| NodePath::from(brick.path())).collect();
    if args.max_backlog.is_some() && bricks.is_empty() {
        return Err(Refusal::NoBrick { what: "--max-backlog", volume });
    }
    let bricks = if args.max_backlog.is_some() { bricks } else { Vec::new() };
    let pause_file = args.pause_file.clone().map(NodePath::from);
    let wish = TriggerSync {
        node: host_name(),
        mount: NodePath::from(site.mount.path()),
        id: site.volume.as_ref().map(|volume| volume.id),
        volume,
        secondary: site.secondary(),
        stop: args.stop_session,
        manifest,
        pace: Pace { jobs, max_backlog: args.max_backlog, bricks, pause_file },
    };
    Ok(wish.plan())
}

/// Tells what will be sent, and what trigger-sync can do nothing for.
fn tell(tally: &TreeCounts, global: &Global) {
    if global.quiet {
        return;
    }
    let (folders, files) = (tally.folders, tally.files);
    eprintln!("to be sent: directories: {folders}, files: {files}");
    for (count, what) in [
        (tally.symlinks, "symlinks cannot be triggered"),
        (tally.specials, "fifos, sockets and devices cannot be triggered"),
        (tally.further_links, "further names of these files (hard links) cannot be triggered"),
    ] {
        if count > 0 {
            eprintln!("  left out: {count} {what}; georepair repair sends them");
        }
    }
    if tally.linked > 0 {
        eprintln!("  {} of the files have several names: one of each will arrive", tally.linked);
    }
    for (path, error) in &tally.notes {
        eprintln!("  not seen: {path}: {error}");
    }
    let untold = tally.unseen().saturating_sub(tally.notes.len() as u64);
    if untold > 0 {
        eprintln!("  and {untold} more that could not be seen");
    }
}
