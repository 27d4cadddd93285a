//! The proof: recorded by the bricks, passed by the session, arrived on the secondary.

mod bricks;
mod listed;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anstream::eprintln;

use super::refusal::Refusal;
use super::site::Site;
use crate::apply::ManifestError;
use crate::cli::global::Global;
use crate::cli::interrupt;
use crate::domain::{Gfid, SecondaryUrl};
use crate::plan::Manifest;
use crate::report::{FailedItem, Proof, TerminalProgress};
use crate::scan::Meter;
use crate::scan::cluster::{Cluster, ClusterError, Host, Tools};
use crate::scan::delivery::Wanted;
use crate::task::{Phase, Progress as _, RunningPhase};
use bricks::Bricks;
pub(super) use bricks::Seat;
use listed::Sent;

/// Between two looks at the bricks.
const LOOK: Duration = Duration::from_secs(1);

/// What to prove, with what.
#[derive(Debug)]
pub(super) struct Verify<'a> {
    site: &'a Site,
    tools: &'a Tools,
    quiet: bool,
    /// How long to wait for each of the three.
    patience: Duration,
    primary: Bricks,
}

/// A wait, until it is over in one way or another.
struct Wait {
    begin: Instant,
    patience: Duration,
    interrupted: Arc<AtomicBool>,
    meter: Arc<Meter>,
    _phase: RunningPhase,
}

impl Wait {
    fn is_over(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || self.begin.elapsed() > self.patience
    }

    /// Tells how many there are, and waits until the next look.
    fn until_next(&self, count: usize) {
        self.meter.entries.store(count as u64, Ordering::Relaxed);
        sleep(LOOK);
    }
}

impl<'a> Verify<'a> {
    /// Makes ready before the run: only what is recorded from here on counts.
    pub(super) fn begin(
        site: &'a Site,
        tools: &'a Tools,
        patience: u64,
        global: &Global,
    ) -> Result<Self, Refusal> {
        let mut primary = Bricks::of(&site.sets);
        primary.begin(tools);
        if !global.quiet {
            for why in &primary.unasked {
                eprintln!("warning: {why}");
            }
        }
        if site.sets.is_empty() || !primary.are_whole() {
            let volume = site.mount.volume().to_owned();
            return Err(Refusal::Unseen { volume, why: primary.unasked.join("; ") });
        }
        let patience = Duration::from_secs(patience);
        Ok(Self { site, tools, quiet: global.quiet, patience, primary })
    }

    /// Proves a list.
    pub(super) fn prove(
        mut self,
        lists: &Path,
        manifest: &Manifest,
    ) -> Result<Proof, ManifestError> {
        let sent = listed::read(&self.site.mount, lists, manifest)?;
        let mut proof = Proof::default();
        self.find_records(&sent, &mut proof);
        proof.sent = self.wait_for_session();
        let session = self.site.session.as_ref();
        let Some(secondary) = session.map(|session| session.secondary.clone()) else {
            proof.blind("which session carries them is not known".to_owned());
            return Ok(proof);
        };
        match self.over_there(&secondary) {
            Ok((bricks, sizes)) => self.find_arrivals(&sent, bricks, sizes, &mut proof),
            Err(error) => proof.blind(error.to_string()),
        }
        Ok(proof)
    }

    fn wait(&self, what: &str, all: usize) -> Wait {
        if !self.quiet {
            eprintln!("{what}");
        }
        let meter = Arc::new(Meter::default());
        let progress = TerminalProgress { quiet: self.quiet };
        Wait {
            begin: Instant::now(),
            patience: self.patience,
            interrupted: interrupt::flag(),
            _phase: progress.phase(Phase::objects("waiting", &meter, all as u64)),
            meter,
        }
    }

    /// Waits for rollovers until all is recorded or no more can be hoped for.
    fn find_records(&mut self, sent: &[Sent], proof: &mut Proof) {
        let wanted: Vec<Wanted> = sent.iter().map(Sent::wanted).collect();
        self.primary.want(self.tools, &wanted);
        let mut recorded: HashSet<Gfid> = HashSet::new();
        let wait = self.wait("waiting for the bricks to roll over their changelogs", sent.len());
        let secondary = self.secondary_id();
        loop {
            recorded.extend(self.primary.look(self.tools, secondary));
            if recorded.len() >= wanted.len() || wait.is_over() {
                break;
            }
            wait.until_next(recorded.len());
        }
        proof.recorded = recorded.len() as u64;
        proof.not_recorded = (sent.len() - recorded.len()) as u64;
        if proof.not_recorded > 0 && !self.primary.are_whole() {
            proof.blind(self.primary.unasked.join("; "));
            return;
        }
        for it in sent.iter().filter(|it| !recorded.contains(&it.gfid)) {
            proof.tell(mishap(it, "not recorded by the bricks".to_owned()));
        }
    }

    /// Waits until the session is past the records; nothing where it is not known.
    fn wait_for_session(&mut self) -> Option<bool> {
        let secondary = self.secondary_id();
        secondary?;
        let wait = self.wait("waiting for the session to come past them", 0);
        loop {
            if self.primary.is_past() {
                return Some(true);
            }
            if wait.is_over() {
                return Some(false);
            }
            wait.until_next(0);
            self.primary.look(self.tools, secondary);
        }
    }

    fn secondary_id(&self) -> Option<uuid::Uuid> {
        self.site.session.as_ref().and_then(|session| session.secondary_id)
    }

    /// The bricks of the secondary that hold data, and whether their sizes are the files'.
    fn over_there(&self, secondary: &SecondaryUrl) -> Result<(Bricks, bool), ClusterError> {
        let cluster = Cluster::of_secondary(self.tools, secondary)?;
        let volume = cluster.volume(&secondary.volume)?;
        let seats = |set: &[crate::domain::Brick]| -> Vec<Seat> {
            let whole = set.iter().filter(|brick| !brick.arbiter);
            whole.map(|brick| (cluster.host_of(brick), brick.dir.clone())).collect()
        };
        let sizes = !volume.is_dispersed() && !volume.is_on("features.shard");
        Ok((Bricks::of(&volume.sets().map(seats).collect::<Vec<_>>()), sizes))
    }

    /// Data follows the entries: what is on its way may need a moment more.
    fn find_arrivals(&self, sent: &[Sent], mut bricks: Bricks, sizes: bool, proof: &mut Proof) {
        let mut left: Vec<&Sent> = sent.iter().collect();
        let mount = &self.site.mount;
        let wait = self.wait("looking at the secondary", sent.len());
        loop {
            let gfids: Vec<Gfid> = left.iter().map(|it| it.gfid).collect();
            let found = bricks.arrivals(self.tools, &gfids);
            if !bricks.are_whole() {
                proof.blind(bricks.unasked.join("; "));
                return;
            }
            let there = |it: &Sent| found.get(&it.gfid);
            left.retain(|it| there(it).is_none_or(|now| it.amiss(mount, now, sizes).is_some()));
            if left.is_empty() || wait.is_over() {
                proof.arrived = (sent.len() - left.len()) as u64;
                for it in left {
                    let amiss = there(it).map(|now| it.amiss(mount, now, sizes));
                    match amiss {
                        None => proof.missing += 1,
                        Some(_) => proof.different += 1,
                    }
                    let says = amiss.map(Option::unwrap_or_default);
                    proof.tell(mishap(it, says.unwrap_or_else(|| "not there".to_owned())));
                }
                return;
            }
            wait.until_next(sent.len() - left.len());
        }
    }
}

/// The bricks that are known where glusterd could not be asked: those of this node, each for itself.
pub(super) fn alone(site: &Site) -> Vec<Vec<Seat>> {
    let seats = site.bricks.iter().map(|brick| vec![(Host::Here, brick.path().to_owned())]);
    seats.collect()
}

fn mishap(sent: &Sent, says: String) -> FailedItem {
    FailedItem { gfid: sent.gfid, path: sent.path(), says }
}
