//! Proves the arrival: recorded by the bricks, passed by the session, present on the secondary.

mod bricks;
mod sent;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::TriggerSyncError;
use super::target::Target;
use crate::domain::{Brick, Gfid, Name, SecondaryUrl, twin};
use crate::scan::Meter;
use crate::scan::cluster::{Cluster, ClusterError};
use crate::scan::delivery::{BrickLocation, Wanted};
use crate::task::{Context, Phase, RunningPhase};
use bricks::Bricks;
use sent::Sent;
pub(super) use sent::read_list;

/// Between two queries of the bricks.
const POLL: Duration = Duration::from_secs(1);
/// How many objects that did not arrive are listed; all are counted.
const LISTED: usize = 1000;

/// What the proof showed.
#[derive(Debug, Default)]
pub struct Proof {
    /// Objects with records in the bricks' changelogs.
    pub recorded: u64,
    /// Objects without.
    pub not_recorded: u64,
    /// Whether the session has passed the records; `None` if that cannot be known.
    pub sent: Option<bool>,
    /// Objects that are the same on the secondary.
    pub arrived: u64,
    /// Objects that are on the secondary and differ.
    pub different: u64,
    /// Objects that are not on the secondary.
    pub missing: u64,
    /// The first objects that did not arrive.
    pub failed: Vec<FailedItem>,
    /// Why bricks that were needed could not be queried.
    pub blind: Option<String>,
}

/// An object that did not arrive.
#[derive(Debug, Serialize)]
pub struct FailedItem {
    /// Which.
    pub gfid: Gfid,
    /// Its path below the mount.
    #[serde(flatten, serialize_with = "twin::path")]
    pub path: Name,
    /// What is wrong.
    pub says: String,
}

impl Proof {
    /// Whether everything arrived.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.not_recorded + self.different + self.missing == 0 && self.sent != Some(false)
    }

    fn add_failed(&mut self, sent: &Sent, says: String) {
        if self.failed.len() < LISTED {
            self.failed.push(FailedItem { gfid: sent.gfid, path: sent.path(), says });
        }
    }
}

/// A proof under way; made before the run, because only later records count.
#[derive(Debug)]
pub(super) struct Verify {
    /// How long to wait for each of the three stages.
    patience: Duration,
    primary: Bricks,
}

/// A wait that ends after its patience, or when the task is stopped.
struct Wait<'a> {
    begin: Instant,
    patience: Duration,
    context: &'a Context,
    meter: Arc<Meter>,
    _phase: RunningPhase,
}

impl<'a> Wait<'a> {
    fn new(what: &'static str, all: usize, patience: Duration, context: &'a Context) -> Self {
        context.progress.line(what);
        let meter = Arc::new(Meter::default());
        let phase = context.progress.phase(Phase::objects(what, &meter, all as u64));
        Self { begin: Instant::now(), patience, context, meter, _phase: phase }
    }

    fn is_over(&self) -> bool {
        self.context.is_stopped() || self.begin.elapsed() > self.patience
    }

    /// Reports how many are done, and waits until the next query.
    fn until_next(&self, count: usize) {
        self.meter.entries.store(count as u64, Ordering::Relaxed);
        sleep(POLL);
    }
}

impl Verify {
    pub(super) fn begin(
        target: &Target,
        patience: Duration,
        context: &Context,
    ) -> Result<Self, TriggerSyncError> {
        let mut primary = Bricks::of(&target.sets);
        primary.begin(&context.tools);
        for why in &primary.left_out {
            context.progress.line(&format!("warning: {why}"));
        }
        if target.sets.is_empty() || !primary.are_whole() {
            let volume = target.mount.volume().to_owned();
            return Err(TriggerSyncError::Unseen { volume, why: primary.left_out.join("; ") });
        }
        Ok(Self { patience, primary })
    }

    pub(super) fn prove(mut self, target: &Target, sent: &[Sent], context: &Context) -> Proof {
        let mut proof = Proof::default();
        let session = target.session.as_ref();
        let secondary_id = session.and_then(|session| session.secondary_id);
        self.find_records(sent, secondary_id, context, &mut proof);
        proof.sent = self.wait_for_session(secondary_id, context);
        let Some(session) = session else {
            proof.blind = Some("the session that sends them is not known".to_owned());
            return proof;
        };
        match secondary_bricks(&session.secondary, context) {
            Ok(mut secondary) => match self.find_arrivals(target, sent, &mut secondary, context) {
                Some(left) => add_arrivals(&mut proof, sent.len(), left),
                None => proof.blind = Some(secondary.bricks.left_out.join("; ")),
            },
            Err(error) => proof.blind = Some(error.to_string()),
        }
        proof
    }

    /// Waits for rollovers until everything is recorded or the patience is over.
    fn find_records(
        &mut self,
        sent: &[Sent],
        secondary: Option<uuid::Uuid>,
        context: &Context,
        proof: &mut Proof,
    ) {
        let wanted: Vec<Wanted> = sent.iter().map(Sent::wanted).collect();
        self.primary.want(&context.tools, &wanted);
        let mut recorded: HashSet<Gfid> = HashSet::new();
        let what = "waiting for the bricks to roll over their changelogs";
        let wait = Wait::new(what, sent.len(), self.patience, context);
        loop {
            recorded.extend(self.primary.look(&context.tools, secondary));
            if recorded.len() >= wanted.len() || wait.is_over() {
                break;
            }
            wait.until_next(recorded.len());
        }
        proof.recorded = recorded.len() as u64;
        proof.not_recorded = (sent.len() - recorded.len()) as u64;
        // A brick that cannot be queried may hold the records: then nothing is known to be missing.
        if proof.not_recorded > 0 && !self.primary.are_whole() {
            proof.blind = Some(self.primary.left_out.join("; "));
            return;
        }
        for it in sent.iter().filter(|it| !recorded.contains(&it.gfid)) {
            proof.add_failed(it, "not recorded by the bricks".to_owned());
        }
    }

    /// Waits until the session has passed the records; `None` if its marks are not known.
    fn wait_for_session(
        &mut self,
        secondary: Option<uuid::Uuid>,
        context: &Context,
    ) -> Option<bool> {
        secondary?;
        let what = "waiting until the session's stime passes these records";
        let wait = Wait::new(what, 0, self.patience, context);
        loop {
            if self.primary.is_past() {
                return Some(true);
            }
            if wait.is_over() {
                return Some(false);
            }
            wait.until_next(0);
            self.primary.look(&context.tools, secondary);
        }
    }

    /// Compares the objects on both sides until all are the same or the patience is over: gsyncd
    /// sends data after the entries. Returns those that are not the same, each with its problem,
    /// `None` if it is missing; `None` as a whole if some bricks cannot be read.
    fn find_arrivals<'s>(
        &self,
        target: &Target,
        sent: &'s [Sent],
        secondary: &mut SecondaryBricks,
        context: &Context,
    ) -> Option<Vec<(&'s Sent, Option<String>)>> {
        let mut left: Vec<&Sent> = sent.iter().collect();
        let wait = Wait::new("checking the secondary", sent.len(), self.patience, context);
        loop {
            let gfids: Vec<Gfid> = left.iter().map(|it| it.gfid).collect();
            let found = secondary.bricks.arrivals(&context.tools, &gfids);
            if !secondary.bricks.are_whole() {
                return None;
            }
            let problem = |it: &Sent| {
                found.get(&it.gfid).map(|at| it.problem(&target.mount, at, secondary.has_sizes))
            };
            left.retain(|it| problem(it) != Some(None));
            if left.is_empty() || wait.is_over() {
                return Some(left.iter().map(|it| (*it, problem(it).flatten())).collect());
            }
            wait.until_next(sent.len() - left.len());
        }
    }
}

/// Adds to the proof what has arrived and what has not.
fn add_arrivals(proof: &mut Proof, sent: usize, left: Vec<(&Sent, Option<String>)>) {
    proof.arrived = (sent - left.len()) as u64;
    for (it, problem) in left {
        if let Some(problem) = problem {
            proof.different += 1;
            proof.add_failed(it, problem);
        } else {
            proof.missing += 1;
            proof.add_failed(it, "missing on the secondary".to_owned());
        }
    }
}

/// The bricks of the secondary that hold data.
struct SecondaryBricks {
    bricks: Bricks,
    /// Whether a file's size on them is the file's: not on dispersed or sharded volumes.
    has_sizes: bool,
}

fn secondary_bricks(
    secondary: &SecondaryUrl,
    context: &Context,
) -> Result<SecondaryBricks, ClusterError> {
    let cluster = Cluster::of_secondary(&context.tools, secondary)?;
    let volume = cluster.volume(&secondary.volume)?;
    let locations = |set: &[Brick]| -> Vec<BrickLocation> {
        let whole = set.iter().filter(|brick| !brick.arbiter);
        whole.map(|brick| (cluster.host_of(brick), brick.dir.clone())).collect()
    };
    // A brick of a dispersed or sharded volume holds only a part of each file.
    let has_sizes = !volume.is_dispersed() && !volume.is_on("features.shard");
    let bricks = Bricks::of(&volume.sets().map(locations).collect::<Vec<_>>());
    Ok(SecondaryBricks { bricks, has_sizes })
}
