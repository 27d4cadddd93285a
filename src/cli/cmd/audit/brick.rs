//! `georepair audit brick`: is this brick's `.glusterfs`, changelog index and stime sound?

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args as ClapArgs;
use uuid::Uuid;

use crate::check;
use crate::check::brick::KnownSession;
use crate::cli::clock::now;
use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::{AuditFinding, AuditHead, Mark, Volume};
use crate::report::{AuditList, TerminalProgress};
use crate::scan;
use crate::scan::Meter;
use crate::scan::brick::BrickRoot;
use crate::scan::cluster::{Cluster, ClusterError, Host, Tools};
use crate::scan::integrity::{Integrity, Records};
use crate::task::{Failure, Phase, Progress as _};

/// How long a rollover of changelogs may be under way before what it leaves counts.
const ROLLOVER: std::time::Duration = std::time::Duration::from_millis(700);

/// What `audit brick` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A brick's root directory on this node
    #[arg(value_name = "DIR", required = true)]
    bricks: Vec<PathBuf>,
    /// Where glusterd keeps its sessions
    #[arg(long, value_name = "DIR", default_value = "/var/lib/glusterd/geo-replication")]
    sessions_dir: PathBuf,
    /// Judge the bricks alone: ask neither glusterd nor other nodes
    #[arg(long)]
    offline: bool,
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let bricks: Result<Vec<_>, _> = args.bricks.iter().map(|dir| BrickRoot::open(dir)).collect();
    let bricks = bricks?;
    let tools = Tools::new(&global.gluster, &global.ssh)?;
    let mut audit = Audit {
        args,
        progress: global.progress(),
        list: AuditList::start(global.style())?,
        head: AuditHead::default(),
    };
    for brick in &bricks {
        audit.handles(brick)?;
        audit.history(brick)?;
        audit.list.flush()?;
        if audit.list.is_gone() {
            break;
        }
    }
    if args.offline {
        audit.head.notes.push("cannot see (--offline): volume options, other nodes".to_owned());
    } else if !audit.list.is_gone() {
        audit.surroundings(&bricks, &tools)?;
    }
    audit.finish()
}

/// An audit under way.
struct Audit<'a> {
    args: &'a Args,
    progress: TerminalProgress,
    list: AuditList<'static>,
    head: AuditHead,
}

impl Audit<'_> {
    /// `.glusterfs` against the namespace.
    fn handles(&mut self, brick: &BrickRoot) -> Result<(), Failure> {
        let meter = Arc::new(Meter::default());
        let found = {
            // Names and handles: twice what the file system counts.
            let most = brick.inodes().unwrap_or_default().saturating_mul(2);
            let _phase = self.progress.phase(Phase::names(&meter, most));
            scan::integrity::soundness(brick, &meter)?
        };
        self.push(brick, check::brick::handles(&found.flawed).collect())?;
        self.tell(brick, &found);
        Ok(())
    }

    /// The changelogs, their index, and the marks.
    fn history(&mut self, brick: &BrickRoot) -> Result<(), Failure> {
        let index = scan::changelog::history_index(brick.path(), || std::thread::sleep(ROLLOVER))?;
        let marks = scan::changelog::marks_of(brick.path())?;
        let stimes: Vec<Mark> = marks.iter().map(|marks| marks.stime).collect();
        self.push(brick, check::brick::history_index(&index, &stimes))?;
        let sessions = self.known_sessions(brick);
        let volume = Uuid::from_bytes(brick.volume()).to_string();
        let found = check::brick::marks(&marks, &volume, sessions.as_deref(), &index, now());
        self.push(brick, found)?;
        let name = brick.name();
        let (changelogs, files) = (index.changelogs, index.files.len());
        self.head.scope.push(if index.expected {
            format!("{name}: {changelogs} changelogs against {files} index files")
        } else {
            format!("{name}: no changelogs: nothing was ever recorded here")
        });
        if index.before > 0 {
            let before = index.before;
            self.head.notes.push(format!(
                "{name}: {before} changelogs are older than the index: no session can read them"
            ));
        }
        if sessions.is_none() {
            let dir = self.args.sessions_dir.display();
            self.head.notes.push(format!(
                "{name}: cannot see which sessions exist: no volume of its id beside {dir}"
            ));
        }
        self.head.unseen.extend(index.unseen.iter().map(|line| format!("{name}: {line}")));
        Ok(())
    }

    /// The sessions of this node's glusterd; nothing where it does not have the brick's volume.
    fn known_sessions(&self, brick: &BrickRoot) -> Option<Vec<KnownSession>> {
        let dir = self.args.sessions_dir.as_path();
        if !scan::cluster::has_volume(dir, Uuid::from_bytes(brick.volume())) {
            return None;
        }
        let full = brick.path().canonicalize().ok()?;
        let known = |it: scan::cluster::SessionFolder| {
            let worker = it.worker(&full);
            let settled = ["Active", "Passive"];
            let ran_here = worker.is_some_and(|it| settled.contains(&it.worker_status.as_str()));
            KnownSession { name: it.name, ids: it.ids, ran_here }
        };
        Some(scan::cluster::session_folders(dir).into_iter().map(known).collect())
    }

    /// What the bricks stand in: this node and the others, the volume, its sessions' other sides.
    fn surroundings(&mut self, bricks: &[BrickRoot], tools: &Tools) -> Result<(), Failure> {
        let dirs: Vec<_> = bricks.iter().map(|brick| brick.path().to_owned()).collect();
        self.site(tools, &Host::Here, &dirs)?;
        let cluster = match Cluster::of(tools, Host::Here) {
            Ok(cluster) => cluster,
            Err(error) => {
                self.cannot_see("the volume's options and the other nodes", &error);
                return Ok(());
            }
        };
        let mut volumes = cluster.volumes()?;
        volumes.retain(|volume| bricks.iter().any(|brick| volume.is_of(brick.volume())));
        for volume in &volumes {
            self.volume(tools, &cluster, volume)?;
        }
        let peers = cluster.pool().iter().filter(|peer| peer.name != "localhost");
        for peer in peers {
            self.site(tools, &Host::Peer(peer.name.clone()), &[])?;
        }
        Ok(())
    }

    fn volume(
        &mut self,
        tools: &Tools,
        cluster: &Cluster<'_>,
        volume: &Volume,
    ) -> Result<(), Failure> {
        let mut sessions = cluster.sessions()?;
        sessions.retain(|session| session.primary == volume.name);
        self.list.push(&check::setup::primary_options(volume, !sessions.is_empty()))?;
        for session in sessions {
            let other = Cluster::of_secondary(tools, &session.secondary)
                .and_then(|other| other.volume(&session.secondary.volume));
            match other {
                Ok(other) => self.list.push(&check::setup::both_options(volume, &other, true))?,
                Err(error) => self.cannot_see(&session.secondary.to_string(), &error),
            }
        }
        Ok(())
    }

    fn site(&mut self, tools: &Tools, host: &Host, dirs: &[PathBuf]) -> Result<(), Failure> {
        match scan::cluster::site(tools, host, dirs, &now) {
            Ok(site) => self.list.push(&check::setup::site(&site))?,
            Err(error) => self.cannot_see(&host.to_string(), &error),
        }
        Ok(())
    }

    fn cannot_see(&mut self, what: &str, error: &ClusterError) {
        self.head.notes.push(format!("cannot see {what}: {error}"));
    }

    fn push(&mut self, brick: &BrickRoot, findings: Vec<AuditFinding>) -> Result<(), Failure> {
        let name = &**brick.name();
        let on_brick = |it| AuditFinding { brick: Some(name.clone()), ..it };
        let findings: Vec<_> = findings.into_iter().map(on_brick).collect();
        Ok(self.list.push(&findings)?)
    }

    fn tell(&mut self, brick: &BrickRoot, found: &Integrity) {
        let name = brick.name();
        self.head.compared += found.names;
        let (names, handles) = (found.names, found.handles);
        self.head.scope.push(format!("{name}: {names} names against {handles} handles"));
        let of_brick = |line: &String| format!("{name}: {line}");
        self.head.unseen.extend(found.unseen.iter().map(of_brick));
        self.head.notes.extend(found.notes.iter().map(of_brick));
        if found.more > 0 {
            let more = found.more;
            self.head.notes.push(format!("{name}: {more} more doubts are not listed one by one"));
        }
        if found.records == Records::None {
            self.head.notes.push(format!(
                "{name}: no object has a gfid2path xattr (storage.gfid2path is off, or the files \
                 are older than release 3.12): whether they are true cannot be told"
            ));
        }
    }

    fn finish(self) -> Result<Outcome, Failure> {
        let outcome = if self.list.has_findings() {
            Outcome::Findings
        } else if self.head.unseen.is_empty() || self.list.is_gone() {
            Outcome::Fine
        } else {
            Outcome::Blind
        };
        self.list.finish(self.head)?;
        Ok(outcome)
    }
}
