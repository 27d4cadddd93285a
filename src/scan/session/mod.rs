//! Inspects a session and all it depends on, from one node of the primary.

mod node;
mod readiness;

pub use readiness::{ProbeResult, Readiness, readiness};

use std::collections::BTreeMap;

pub use node::{SessionRequest, gsyncd_of, node_report};

use super::cluster::{Agent, Cluster, ClusterError, Host, Tools};
use crate::domain::{
    Brick, ClockOffset, NodeReport, NodeState, OtherSession, Release, SecondaryState, SecondaryUrl,
    Session, SessionState, Time, Volume, in_one_line,
};

/// Reported of a part whose inspection panicked.
const ABORTED: &str = "its inspection was aborted";

/// Inspects a session, its volumes and every node of the primary. What cannot be inspected is
/// reported in its place; only an unknown primary volume is an error.
///
/// `here` names this machine if no brick of the volume is on it; `clock` is its clock.
///
/// # Errors
/// [`ClusterError`] if this node's glusterd does not answer or does not know the volume.
pub fn session_state(
    tools: &Tools,
    primary: &str,
    secondary: &SecondaryUrl,
    here: &str,
    clock: fn() -> Time,
) -> Result<SessionState, ClusterError> {
    let cluster = Cluster::of(tools, Host::Here)?;
    let volume = cluster.volume(primary)?;
    let sessions = cluster.sessions()?;
    let ours = sessions.into_iter().filter(|it| it.primary == primary);
    let (mut same, others): (Vec<_>, Vec<_>) = ours.partition(|it| it.secondary.is_same(secondary));
    let session = same.pop();
    let settings = match session {
        Some(_) => cluster.settings(primary, secondary).unwrap_or_default(),
        None => BTreeMap::new(),
    };
    let lost = cluster.pool().iter().filter(|member| !member.connected);
    let local = volume.bricks.iter().find(|brick| cluster.host_of(brick) == Host::Here);
    let release = cluster.release()?;
    let (nodes, remote) = std::thread::scope(|scope| {
        let remote = scope.spawn(|| inspect_secondary(tools, secondary));
        let nodes = inspect_nodes(&cluster, tools, &SessionRequest::new(&volume, secondary), clock);
        (nodes, remote.join().unwrap_or_else(|_| Err(ABORTED.to_owned())))
    });
    Ok(SessionState {
        local_node: local.map_or_else(|| here.to_owned(), |brick| brick.node.clone()),
        lost_peers: lost.map(|member| member.name.clone()).collect(),
        unhealed: cluster.unhealed(&volume).ok(),
        down: cluster.down_bricks(&volume).ok(),
        // The old releases all print theirs: one that cannot be read is newer than any we know.
        release: Release::read(&release).unwrap_or(Release(u32::MAX, 0, 0)),
        primary: volume,
        secondary: secondary.clone(),
        session,
        others: others.into_iter().map(other).collect(),
        settings,
        nodes,
        remote,
    })
}

fn other(session: Session) -> OtherSession {
    let set = node::explicit_settings(&session.primary, &session.secondary);
    OtherSession { session, set }
}

fn inspect_secondary(tools: &Tools, secondary: &SecondaryUrl) -> Result<SecondaryState, String> {
    let inspect = || {
        let cluster = Cluster::of_secondary(tools, secondary)?;
        let volume = cluster.volume(&secondary.volume)?;
        let sessions = cluster.sessions()?.into_iter();
        let sessions = sessions.filter(|it| it.primary == secondary.volume).collect();
        let room = cluster.room(&volume).ok().flatten();
        Ok(SecondaryState { volume, sessions, room })
    };
    inspect().map_err(|error: ClusterError| in_one_line(&error))
}

fn inspect_nodes(
    cluster: &Cluster<'_>,
    tools: &Tools,
    request: &SessionRequest,
    clock: fn() -> Time,
) -> Vec<NodeState> {
    let mut by_node: BTreeMap<&str, Vec<&Brick>> = BTreeMap::new();
    for brick in &request.bricks {
        by_node.entry(&brick.node).or_default().push(brick);
    }
    std::thread::scope(|scope| {
        let inspections: Vec<_> = by_node
            .into_iter()
            .filter_map(|(name, bricks)| {
                let host = cluster.host_of(bricks.first()?);
                let one = move || inspect_node(tools, &host, &request.on(&bricks), clock);
                Some((name.to_owned(), scope.spawn(one)))
            })
            .collect();
        let done = inspections.into_iter().map(|(name, inspection)| {
            let (report, clock) =
                match inspection.join().unwrap_or_else(|_| Err(ABORTED.to_owned())) {
                    Ok((report, clock)) => (Ok(report), clock),
                    Err(why) => (Err(why), ClockOffset::default()),
                };
            NodeState { name, report, clock }
        });
        done.collect()
    })
}

/// A node's report, and its clock beside ours.
fn inspect_node(
    tools: &Tools,
    host: &Host,
    request: &SessionRequest,
    clock: fn() -> Time,
) -> Result<(NodeReport, ClockOffset), String> {
    if *host == Host::Here {
        return Ok((node_report(request, clock), ClockOffset::default()));
    }
    let mut agent = Agent::<(), NodeReport>::start(tools, host, &request.verb())
        .map_err(|error| in_one_line(&error))?;
    // With the connection open the round trip contains the inspection only. The node reads its clock
    // last, right before it answers.
    let before = clock().micros();
    let report = agent.call(&()).map_err(|error| in_one_line(&error))?;
    let after = clock().micros();
    let offset = ClockOffset::between(report.clock, before, after);
    Ok((report, offset))
}

impl SessionRequest {
    fn new(volume: &Volume, secondary: &SecondaryUrl) -> Self {
        let bricks = volume.bricks.clone();
        Self { primary: volume.name.clone(), secondary: secondary.clone(), bricks }
    }

    fn on(&self, bricks: &[&Brick]) -> Self {
        let bricks = bricks.iter().copied().cloned().collect();
        Self { bricks, ..self.clone() }
    }
}
