//! Has gsyncd send files and directories again, parents first, and proves that they arrived.

mod error;
mod input;
mod resolve;
mod target;
mod verify;

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::{Context, Failure, Phase};
use crate::apply::ManifestWriter;
use crate::domain::{Gfid, Name, SecondaryUrl};
use crate::plan::recipe::TriggerSync;
use crate::plan::{Item, Manifest, NodePath, Pace, Plan, Trigger};
use crate::scan::Meter;
use crate::scan::mount::{Selection, TreeCounts, TreeEntry, collect};
use error::TriggerSyncError;
use input::TriggerRequest;
use resolve::ResolvedGfids;
use target::Target;
use verify::Verify;
pub use verify::{FailedItem, Proof};

/// Setting an xattr is a round trip to a brick: many at a time hide its latency.
const JOBS: NonZeroUsize = NonZeroUsize::new(32).expect("is not zero");

/// What to send again, and how.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct TriggerSyncOptions {
    /// The mount point of the primary volume.
    pub mount: PathBuf,
    /// Paths on the mount, or relative to it; `-` reads a list from standard input.
    pub paths: Vec<PathBuf>,
    /// Gfids of what else to send.
    pub gfids: Vec<Gfid>,
    /// Lists of paths and gfids, or JSON documents of findings; `-` is standard input.
    pub lists: Vec<PathBuf>,
    /// Whether the entries of lists end with a NUL byte instead of a newline.
    pub null: bool,
    /// Whether directories are sent without what is below them.
    pub no_recurse: bool,
    /// Whether the directories above are sent too.
    pub with_ancestors: bool,
    /// Bricks on this node; empty for those that glusterd names.
    pub bricks: Vec<PathBuf>,
    /// The session, if the volume has several.
    pub session: Option<SecondaryUrl>,
    /// Whether the session is stopped before and started after.
    pub stop_session: bool,
    /// Waits while more records than this are pending on a brick of this node.
    pub max_backlog: Option<u64>,
    /// Waits while this file exists.
    pub pause_file: Option<PathBuf>,
    /// How many objects are set at the same time [default: 32].
    pub jobs: Option<NonZeroUsize>,
    /// Whether to prove the arrival, and how long to wait for each of its three stages.
    pub verify: Option<Duration>,
}

/// What was collected, and the plan that sends it.
#[derive(Debug)]
pub struct Prepared {
    /// The plan; without steps if nothing was found.
    pub plan: Plan,
    /// What was collected and what was not.
    pub counts: TreeCounts,
    /// Whether only findings were given, and none names a gfid: there is nothing to do.
    pub is_empty: bool,
    target: Target,
    lists: TempDir,
    manifest: Manifest,
    verify: Option<Verify>,
}

/// Collects what to send and plans it; changes nothing.
///
/// # Errors
/// [`Failure`] if the mount, the volume or its session is not fit for it, or nothing is named.
pub fn prepare(options: &TriggerSyncOptions, context: &Context) -> Result<Prepared, Failure> {
    let target = Target::find(options, context)?;
    let request = TriggerRequest::read(options, &target.mount)?;
    let is_empty = request.is_empty();
    let lists = tempfile::tempdir().map_err(scratch_error)?;
    let resolved = ResolvedGfids::find(&request.gfids, &target, context)?;
    let paths = request.paths.into_iter().chain(resolved.paths.iter().cloned());
    let selection = Selection::new(paths, !options.no_recurse, options.with_ancestors);
    let jobs = options.jobs.unwrap_or(JOBS);
    let (manifest, mut counts) = list_objects(&target, &selection, jobs, lists.path(), context)?;
    resolved.count_lost(&mut counts);
    if !is_empty {
        report_counts(&counts, context);
        target.warn_if_running(options, context);
    }
    let pace = pace(options, &target, jobs)?;
    let plan = plan(&target, options.stop_session, pace, context, manifest.clone());
    let patience = options.verify.filter(|_| !is_empty);
    let verify = patience.map(|patience| Verify::begin(&target, patience, context)).transpose()?;
    Ok(Prepared { plan, counts, is_empty, target, lists, manifest, verify })
}

impl Prepared {
    /// The mount.
    #[must_use]
    pub fn mount(&self) -> Name {
        self.target.mount.name()
    }

    /// The primary volume.
    #[must_use]
    pub fn volume(&self) -> &str {
        self.target.mount.volume()
    }

    /// The session's other side, `[USER@]HOST::VOLUME`; `None` if it is not known.
    #[must_use]
    pub fn secondary(&self) -> Option<String> {
        self.target.secondary()
    }

    /// The directory with the lists of the plan's bulk steps.
    #[must_use]
    pub fn lists(&self) -> &Path {
        self.lists.path()
    }

    /// After the run: waits until everything arrived, or the patience is over. `None` if no proof
    /// was wanted.
    ///
    /// # Errors
    /// [`Failure`] if the list of what was sent cannot be read again.
    pub fn prove(&mut self, context: &Context) -> Result<Option<Proof>, Failure> {
        let Some(verify) = self.verify.take() else { return Ok(None) };
        let sent = verify::read_list(&self.target.mount, self.lists.path(), &self.manifest)?;
        Ok(Some(verify.prove(&self.target, &sent, context)))
    }
}

/// Collects what to send into a list.
fn list_objects(
    target: &Target,
    selection: &Selection,
    jobs: NonZeroUsize,
    folder: &Path,
    context: &Context,
) -> Result<(Manifest, TreeCounts), Failure> {
    let mut writer = ManifestWriter::create(folder, "objects.jsonl")?;
    let meter = Arc::new(Meter::default());
    let phase = context.progress.phase(Phase::names(&meter, 0));
    let counts = collect(&target.mount, selection, jobs.get(), &meter, &mut |entry| {
        let TreeEntry { path, folder, gfid } = entry;
        let trigger = Trigger { at: NodePath::from(path), folder, gfid: Some(gfid) };
        writer.push(&Item::Trigger(trigger)).map_err(io::Error::other)
    })?;
    drop(phase);
    Ok((writer.finish()?, counts))
}

fn scratch_error(source: io::Error) -> TriggerSyncError {
    TriggerSyncError::List { path: Name::from("a temporary directory"), source }
}

fn pace(
    options: &TriggerSyncOptions,
    target: &Target,
    jobs: NonZeroUsize,
) -> Result<Pace, TriggerSyncError> {
    let max_backlog = options.max_backlog;
    let mut bricks = Vec::new();
    if max_backlog.is_some() {
        bricks.extend(target.bricks.iter().map(|brick| NodePath::from(brick.path())));
        if bricks.is_empty() {
            let volume = target.mount.volume().to_owned();
            return Err(TriggerSyncError::NoBrick { what: "--max-backlog", volume });
        }
    }
    let pause_file = options.pause_file.clone().map(NodePath::from);
    Ok(Pace { jobs, max_backlog, bricks, pause_file })
}

fn plan(target: &Target, stop: bool, pace: Pace, context: &Context, manifest: Manifest) -> Plan {
    let recipe = TriggerSync {
        node: context.host.clone(),
        mount: NodePath::from(target.mount.path()),
        id: target.volume.as_ref().map(|volume| volume.id),
        volume: target.mount.volume().to_owned(),
        secondary: target.secondary(),
        stop,
        manifest,
        pace,
    };
    recipe.plan()
}

/// Reports what will be sent, and what trigger-sync cannot send.
fn report_counts(counts: &TreeCounts, context: &Context) {
    let line = |text: String| context.progress.line(&text);
    line(format!("to send: {} directories, {} files", counts.folders, counts.files));
    let left_out = [
        (counts.symlinks, "symlinks"),
        (counts.specials, "fifos, sockets and devices"),
        (counts.further_links, "further names (hard links) of these files"),
    ];
    for (count, what) in left_out.iter().filter(|(count, _)| *count > 0) {
        line(format!("  not sent: {count} {what}: trigger-sync cannot send them"));
    }
    if left_out.iter().any(|(count, _)| *count > 0) {
        line(
            "  a rename there and back sends one: mv X X.tmp && mv X.tmp X, on an ordinary".into(),
        );
        line("  mount of the primary (georepair runbook only-on-primary)".into());
    }
    if counts.linked > 0 {
        line(format!("  {} of the files have several names: one of each arrives", counts.linked));
    }
    for (path, error) in &counts.notes {
        line(format!("  cannot read {path}: {error}"));
    }
    let more = counts.unseen().saturating_sub(counts.notes.len() as u64);
    if more > 0 {
        line(format!("  and {more} more that cannot be read"));
    }
}
