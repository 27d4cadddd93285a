//! Where trigger-sync works: the mount, its volume and session, and whether it makes sense there.

use anstream::eprintln;

use super::refusal::Refusal;
use super::verify::Seat;
use super::{Args, verify};
use crate::cli::global::Global;
use crate::domain::{Brick, Name, Session, UserError as _, Volume};
use crate::scan::brick::BrickRoot;
use crate::scan::cluster::{Cluster, ClusterError, Host, Tools};
use crate::scan::mount::{MountError, MountRoot};
use crate::task::Failure;

/// A mount that passes on what is set, and what glusterd says of its volume.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) mount: MountRoot,
    /// As glusterd tells it; nothing where it could not be asked.
    pub(super) volume: Option<Volume>,
    /// The session that is meant, where there is one.
    pub(super) session: Option<Session>,
    /// Bricks of the volume on this node.
    pub(super) bricks: Vec<BrickRoot>,
    /// Where all its bricks are, as far as known; those of a set hold the same files.
    pub(super) sets: Vec<Vec<Seat>>,
}

impl Site {
    /// Looks at everything that has to be right, and refuses with the way out.
    pub(super) fn look(args: &Args, tools: &Tools, global: &Global) -> Result<Self, Failure> {
        if !rustix::process::geteuid().is_root() {
            return Err(MountError::NotRoot.into());
        }
        let mount = MountRoot::open(&args.mount)?;
        mount.prove_it_passes_on()?;
        let mut site =
            Self { mount, volume: None, session: None, bricks: Vec::new(), sets: Vec::new() };
        for dir in &args.bricks {
            let brick = BrickRoot::open(dir)?;
            site.refuse_other_brick(&brick)?;
            site.bricks.push(brick);
        }
        match site.ask_cluster(args, tools)? {
            Ok(()) => {}
            Err(error) if !global.quiet => {
                eprintln!("warning: {error}");
                for hint in error.hints() {
                    eprintln!("  hint: {hint}");
                }
                eprintln!("  whether a session runs and changelogs are written is not known");
            }
            Err(_) => {}
        }
        if site.sets.is_empty() {
            site.sets = verify::alone(&site);
        }
        Ok(site)
    }

    /// The session's other side as the CLI names it.
    pub(super) fn secondary(&self) -> Option<String> {
        self.session.as_ref().map(|session| session.secondary.to_string())
    }

    fn refuse_other_brick(&self, brick: &BrickRoot) -> Result<(), Refusal> {
        let same = self.mount.volume_id().is_none_or(|id| *id.as_bytes() == brick.volume());
        if same {
            return Ok(());
        }
        Err(Refusal::OtherBrick { brick: (**brick.name()).clone(), mount: self.mount.name() })
    }

    /// Asks this node's glusterd, then the one that the mount came from; the inner error is what
    /// is left unknown.
    fn ask_cluster(
        &mut self,
        args: &Args,
        tools: &Tools,
    ) -> Result<Result<(), ClusterError>, Failure> {
        let server = self.mount.server().map(|server| Host::Peer(server.to_owned()));
        let mut unasked = None;
        for host in std::iter::once(Host::Here).chain(server) {
            let here = host == Host::Here;
            let asked = Cluster::of(tools, host)
                .and_then(|cluster| Ok((cluster.volume(self.mount.volume())?, cluster)));
            match asked {
                Ok((volume, cluster)) if self.is_mounted(&volume) => {
                    self.take(volume, &cluster, here)?;
                    self.choose_session(args, cluster.sessions()?)?;
                    return Ok(Ok(()));
                }
                Ok((volume, _)) if !here => {
                    let (mount, volume) = (self.mount.name(), volume.name);
                    return Err(Refusal::OtherVolume { mount, volume }.into());
                }
                Ok(_) => {}
                Err(error) => unasked = unasked.or(Some(error)),
            }
        }
        Ok(unasked.map_or(Ok(()), Err))
    }

    fn is_mounted(&self, volume: &Volume) -> bool {
        self.mount.volume_id().is_none_or(|id| id == volume.id)
    }

    /// Takes the volume as it is, and those of its bricks that this node has.
    fn take(&mut self, volume: Volume, cluster: &Cluster<'_>, here: bool) -> Result<(), Refusal> {
        if !volume.is_on("changelog.changelog") {
            return Err(Refusal::ChangelogOff { volume: volume.name });
        }
        let seats = |set: &[Brick]| -> Vec<Seat> {
            set.iter().map(|brick| (cluster.host_of(brick), brick.dir.clone())).collect()
        };
        self.sets = volume.sets().map(seats).collect();
        if self.bricks.is_empty() && here {
            let own = volume.bricks.iter().filter(|brick| cluster.host_of(brick) == Host::Here);
            let own = own.filter_map(|brick| BrickRoot::open(&brick.dir).ok());
            self.bricks = own.filter(|brick| volume.is_of(brick.volume())).collect();
        }
        self.volume = Some(volume);
        Ok(())
    }

    fn choose_session(&mut self, args: &Args, sessions: Vec<Session>) -> Result<(), Refusal> {
        let volume = self.mount.volume();
        let mut own: Vec<_> = sessions.into_iter().filter(|it| it.primary == volume).collect();
        if own.is_empty() {
            return Err(Refusal::NoSession { volume: volume.to_owned() });
        }
        let there_are: Vec<_> = own.iter().map(|it| it.secondary.to_string()).collect();
        if let Some(wanted) = &args.session {
            own.retain(|it| it.secondary.is_same(wanted));
            if own.is_empty() {
                let what = format!("no session replicates {volume} to {wanted}");
                return Err(Refusal::WhichSession { what, there_are });
            }
        }
        if own.len() > 1 && (args.stop_session || args.verify) {
            let what = format!("several sessions replicate {volume}: which one is meant?");
            return Err(Refusal::WhichSession { what, there_are });
        }
        // Several sessions read the same records; only one of them can be stopped or watched.
        self.session = own.pop().filter(|_| there_are.len() == 1 || args.session.is_some());
        Ok(())
    }

    /// Tells that a session runs, and what the other way is.
    pub(super) fn advise(&self, args: &Args, global: &Global) {
        let runs = self.session.as_ref().filter(|session| !session.is_stopped());
        if let Some(session) = runs.filter(|_| !args.stop_session && !global.quiet) {
            let name = Name::from(format!("{} {}", session.primary, session.secondary));
            eprintln!("note: session {} runs; it may read the first records", name.lossy());
            eprintln!("  before the last are written. --stop-session stops it meanwhile.");
        }
    }
}
