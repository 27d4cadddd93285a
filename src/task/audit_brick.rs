//! Audits bricks: `.glusterfs`, the changelog index and the marks of each, then what surrounds them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{Context, Failure, Findings, Phase};
use crate::check;
use crate::check::brick::KnownSession;
use crate::domain::{AuditFinding, AuditHead, Mark, Volume};
use crate::scan;
use crate::scan::Meter;
use crate::scan::brick::BrickRoot;
use crate::scan::cluster::{Cluster, ClusterError, Host};
use crate::scan::integrity::{Integrity, Records};

/// How long a rollover of changelogs takes at most: what it leaves unfinished until then is no fault.
const ROLLOVER: Duration = Duration::from_millis(700);

/// Which bricks to audit, and what to ask.
#[derive(Clone, Debug)]
pub struct AuditBrickOptions {
    /// The root directories of bricks on this node.
    pub bricks: Vec<PathBuf>,
    /// Where glusterd keeps its sessions.
    pub sessions_dir: PathBuf,
    /// Whether to ask neither glusterd nor other nodes.
    pub offline: bool,
}

/// Audits bricks one after the other; never writes.
///
/// # Errors
/// [`Failure`] if a brick cannot be read, or the findings cannot be taken.
pub fn audit_bricks(
    options: &AuditBrickOptions,
    findings: &mut dyn Findings,
    context: &Context,
) -> Result<AuditHead, Failure> {
    let bricks: Result<Vec<_>, _> = options.bricks.iter().map(|dir| BrickRoot::open(dir)).collect();
    let bricks = bricks?;
    let mut audit = Audit { options, context, findings, head: AuditHead::default() };
    for brick in &bricks {
        audit.handles(brick)?;
        audit.history(brick)?;
        if audit.findings.is_gone() {
            return Ok(audit.head);
        }
    }
    if options.offline {
        audit.head.notes.push("not checked (--offline): volume options, other nodes".to_owned());
    } else {
        audit.surroundings(&bricks)?;
    }
    Ok(audit.head)
}

/// An audit under way.
struct Audit<'a> {
    options: &'a AuditBrickOptions,
    context: &'a Context,
    findings: &'a mut dyn Findings,
    head: AuditHead,
}

impl Audit<'_> {
    /// `.glusterfs` against the namespace.
    fn handles(&mut self, brick: &BrickRoot) -> Result<(), Failure> {
        let meter = Arc::new(Meter::default());
        // Names and handles: twice what the file system counts.
        let most = brick.inodes().unwrap_or_default().saturating_mul(2);
        let phase = self.context.progress.phase(Phase::names(&meter, most));
        let found = scan::integrity::soundness(brick, &meter)?;
        drop(phase);
        self.push(brick, check::brick::handles(&found.flawed).collect())?;
        self.describe_handles(brick, &found);
        Ok(())
    }

    fn describe_handles(&mut self, brick: &BrickRoot, found: &Integrity) {
        let name = brick.name();
        self.head.compared += found.names;
        let (names, handles) = (found.names, found.handles);
        self.head.scope.push(format!("{name}: {names} names, {handles} handles"));
        let of_brick = |line: &String| format!("{name}: {line}");
        self.head.unseen.extend(found.unseen.iter().map(of_brick));
        self.head.notes.extend(found.notes.iter().map(of_brick));
        if found.more > 0 {
            let more = found.more;
            self.head.notes.push(format!("{name}: {more} more suspects are not listed one by one"));
        }
        if found.records == Records::None {
            self.head.notes.push(format!(
                "{name}: no object has a gfid2path xattr (storage.gfid2path is off, or the files \
                 are older than release 3.12): these records cannot be checked"
            ));
        }
    }

    /// The changelogs, their index, and the marks.
    fn history(&mut self, brick: &BrickRoot) -> Result<(), Failure> {
        let index = scan::changelog::history_index(brick.path(), || std::thread::sleep(ROLLOVER))?;
        let marks = scan::changelog::marks_of(brick.path())?;
        let stimes: Vec<Mark> = marks.iter().map(|marks| marks.stime).collect();
        self.push(brick, check::brick::history_index(&index, &stimes))?;
        let sessions = known_sessions(&self.options.sessions_dir, brick);
        let volume = Uuid::from_bytes(brick.volume()).to_string();
        let now = (self.context.clock)();
        self.push(brick, check::brick::marks(&marks, &volume, sessions.as_deref(), &index, now))?;
        let name = brick.name();
        let (changelogs, files) = (index.changelogs, index.files.len());
        self.head.scope.push(if index.expected {
            format!("{name}: {changelogs} changelogs, {files} index files")
        } else {
            format!("{name}: no changelogs: no change was ever recorded on this brick")
        });
        if index.before > 0 {
            let before = index.before;
            self.head.notes.push(format!(
                "{name}: {before} changelogs are older than the index: no session can read them"
            ));
        }
        if sessions.is_none() {
            let dir = self.options.sessions_dir.display();
            self.head.notes.push(format!(
                "{name}: the sessions are not known: no volume with this brick's id beside {dir}"
            ));
        }
        self.head.unseen.extend(index.unseen.iter().map(|line| format!("{name}: {line}")));
        Ok(())
    }

    /// This node and the others, the volume's options, the other sides of its sessions.
    fn surroundings(&mut self, bricks: &[BrickRoot]) -> Result<(), Failure> {
        let dirs: Vec<_> = bricks.iter().map(|brick| brick.path().to_owned()).collect();
        self.node(&Host::Here, &dirs)?;
        let cluster = match Cluster::of(&self.context.tools, Host::Here) {
            Ok(cluster) => cluster,
            Err(error) => {
                self.not_checked("the volume's options and the other nodes", &error);
                return Ok(());
            }
        };
        let mut volumes = cluster.volumes()?;
        volumes.retain(|volume| bricks.iter().any(|brick| volume.is_of(brick.volume())));
        for volume in &volumes {
            self.volume(&cluster, volume)?;
        }
        let peers = cluster.pool().iter().filter(|peer| peer.name != "localhost");
        for peer in peers {
            self.node(&Host::Peer(peer.name.clone()), &[])?;
        }
        Ok(())
    }

    fn volume(&mut self, cluster: &Cluster<'_>, volume: &Volume) -> Result<(), Failure> {
        let mut sessions = cluster.sessions()?;
        sessions.retain(|session| session.primary == volume.name);
        self.findings.push(&check::setup::primary_options(volume, !sessions.is_empty()))?;
        for session in sessions {
            let other = Cluster::of_secondary(&self.context.tools, &session.secondary)
                .and_then(|other| other.volume(&session.secondary.volume));
            match other {
                Ok(other) => {
                    self.findings.push(&check::setup::both_options(volume, &other, true))?;
                }
                Err(error) => self.not_checked(&session.secondary.to_string(), &error),
            }
        }
        Ok(())
    }

    fn node(&mut self, host: &Host, dirs: &[PathBuf]) -> Result<(), Failure> {
        match scan::cluster::probe_node(&self.context.tools, host, dirs, &self.context.clock) {
            Ok(node) => self.findings.push(&check::setup::node_findings(&node))?,
            Err(error) => self.not_checked(&host.to_string(), &error),
        }
        Ok(())
    }

    fn not_checked(&mut self, what: &str, error: &ClusterError) {
        self.head.notes.push(format!("not checked: {what}: {error}"));
    }

    fn push(&mut self, brick: &BrickRoot, found: Vec<AuditFinding>) -> Result<(), Failure> {
        let name = &**brick.name();
        let on_brick = |it| AuditFinding { brick: Some(name.clone()), ..it };
        let found: Vec<_> = found.into_iter().map(on_brick).collect();
        self.findings.push(&found)
    }
}

/// The sessions of this node's glusterd; `None` if it does not have the brick's volume.
fn known_sessions(dir: &Path, brick: &BrickRoot) -> Option<Vec<KnownSession>> {
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
