//! What trigger-sync works on: the mount, its volume, its session and its bricks.

use super::TriggerSyncOptions;
use super::error::TriggerSyncError;
use crate::domain::{Brick, Name, Session, UserError as _, Volume};
use crate::scan::brick::BrickRoot;
use crate::scan::cluster::{Cluster, ClusterError, Host};
use crate::scan::delivery::BrickLocation;
use crate::scan::mount::{MountError, MountRoot};
use crate::task::{Context, Failure};

/// A mount that forwards xattrs to the bricks, and what glusterd knows of its volume.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) mount: MountRoot,
    /// The volume; `None` if glusterd cannot be asked.
    pub(super) volume: Option<Volume>,
    /// The session, if there is exactly one or one was named.
    pub(super) session: Option<Session>,
    /// Bricks of the volume on this node.
    pub(super) bricks: Vec<BrickRoot>,
    /// Where all its bricks are, as far as known; the bricks of a set hold the same files.
    pub(super) sets: Vec<Vec<BrickLocation>>,
}

impl Target {
    /// Finds the target and checks that trigger-sync can work on it.
    pub(super) fn find(options: &TriggerSyncOptions, context: &Context) -> Result<Self, Failure> {
        if !rustix::process::geteuid().is_root() {
            return Err(MountError::NotRoot.into());
        }
        let mount = MountRoot::open(&options.mount)?;
        mount.prove_it_passes_on()?;
        let mut target =
            Self { mount, volume: None, session: None, bricks: Vec::new(), sets: Vec::new() };
        for dir in &options.bricks {
            let brick = BrickRoot::open(dir)?;
            target.refuse_other_brick(&brick)?;
            target.bricks.push(brick);
        }
        if let Some(error) = target.query_cluster(options, context)? {
            context.progress.line(&format!("warning: {error}"));
            for hint in error.hints() {
                context.progress.line(&format!("  hint: {hint}"));
            }
            context.progress.line("  cannot check that a session runs and changes are recorded");
        }
        if target.sets.is_empty() {
            target.sets = standalone_bricks(&target.bricks);
        }
        Ok(target)
    }

    /// The session's other side as the CLI names it.
    pub(super) fn secondary(&self) -> Option<String> {
        self.session.as_ref().map(|session| session.secondary.to_string())
    }

    fn refuse_other_brick(&self, brick: &BrickRoot) -> Result<(), TriggerSyncError> {
        let same = self.mount.volume_id().is_none_or(|id| *id.as_bytes() == brick.volume());
        if same {
            return Ok(());
        }
        Err(TriggerSyncError::OtherBrick {
            brick: (**brick.name()).clone(),
            mount: self.mount.name(),
        })
    }

    /// Asks this node's glusterd, then the one that the mount came from; returns why neither could
    /// be asked.
    fn query_cluster(
        &mut self,
        options: &TriggerSyncOptions,
        context: &Context,
    ) -> Result<Option<ClusterError>, Failure> {
        let server = self.mount.server().map(|server| Host::Peer(server.to_owned()));
        let mut unasked = None;
        for host in std::iter::once(Host::Here).chain(server) {
            let here = host == Host::Here;
            let asked = Cluster::of(&context.tools, host)
                .and_then(|cluster| Ok((cluster.volume(self.mount.volume())?, cluster)));
            match asked {
                Ok((volume, cluster)) if self.is_mounted(&volume) => {
                    self.set_volume(volume, &cluster, here)?;
                    self.choose_session(options, cluster.sessions()?)?;
                    return Ok(None);
                }
                Ok((volume, _)) if !here => {
                    let (mount, volume) = (self.mount.name(), volume.name);
                    return Err(TriggerSyncError::OtherVolume { mount, volume }.into());
                }
                Ok(_) => {}
                Err(error) => unasked = unasked.or(Some(error)),
            }
        }
        Ok(unasked)
    }

    fn is_mounted(&self, volume: &Volume) -> bool {
        self.mount.volume_id().is_none_or(|id| id == volume.id)
    }

    /// Sets the volume, and those of its bricks that are on this node.
    fn set_volume(
        &mut self,
        volume: Volume,
        cluster: &Cluster<'_>,
        here: bool,
    ) -> Result<(), TriggerSyncError> {
        if !volume.is_on("changelog.changelog") {
            return Err(TriggerSyncError::ChangelogOff { volume: volume.name });
        }
        let locations = |set: &[Brick]| -> Vec<BrickLocation> {
            set.iter().map(|brick| (cluster.host_of(brick), brick.dir.clone())).collect()
        };
        self.sets = volume.sets().map(locations).collect();
        if self.bricks.is_empty() && here {
            let own = volume.bricks.iter().filter(|brick| cluster.host_of(brick) == Host::Here);
            let own = own.filter_map(|brick| BrickRoot::open(&brick.dir).ok());
            self.bricks = own.filter(|brick| volume.is_of(brick.volume())).collect();
        }
        self.volume = Some(volume);
        Ok(())
    }

    fn choose_session(
        &mut self,
        options: &TriggerSyncOptions,
        sessions: Vec<Session>,
    ) -> Result<(), TriggerSyncError> {
        let volume = self.mount.volume();
        let mut own: Vec<_> = sessions.into_iter().filter(|it| it.primary == volume).collect();
        if own.is_empty() {
            return Err(TriggerSyncError::NoSession { volume: volume.to_owned() });
        }
        let there_are: Vec<_> = own.iter().map(|it| it.secondary.to_string()).collect();
        if let Some(wanted) = &options.session {
            own.retain(|it| it.secondary.is_same(wanted));
            if own.is_empty() {
                let what = format!("no session replicates {volume} to {wanted}");
                return Err(TriggerSyncError::WhichSession { what, there_are });
            }
        }
        if own.len() > 1 && (options.stop_session || options.verify.is_some()) {
            let what = format!("several sessions replicate {volume}: name one");
            return Err(TriggerSyncError::WhichSession { what, there_are });
        }
        // Several sessions read the same records; only one of them can be stopped or watched.
        self.session = own.pop().filter(|_| there_are.len() == 1 || options.session.is_some());
        Ok(())
    }

    /// Warns that a running session may read the first records too early.
    pub(super) fn warn_if_running(&self, options: &TriggerSyncOptions, context: &Context) {
        let running = self.session.as_ref().filter(|session| !session.is_stopped());
        if let Some(session) = running.filter(|_| !options.stop_session) {
            let name = Name::from(format!("{} {}", session.primary, session.secondary));
            let name = name.lossy();
            let line = |text: &str| context.progress.line(text);
            line(&format!("note: session {name} runs; it may read the first records before the"));
            line("  last are written. --stop-session stops it meanwhile.");
        }
    }
}

/// The bricks that are known if glusterd cannot be asked: those of this node, each a set of its own.
fn standalone_bricks(bricks: &[BrickRoot]) -> Vec<Vec<BrickLocation>> {
    bricks.iter().map(|brick| vec![(Host::Here, brick.path().to_owned())]).collect()
}
