//! A session and all that it stands on, looked at from one node of the primary.

mod node;
mod readiness;

pub use readiness::{ProbeResult, Readiness, readiness};

use std::collections::BTreeMap;

pub use node::{Asked, gsyncd_of, sight};

use super::cluster::{Agent, Cluster, ClusterError, Host, Tools};
use crate::domain::{
    Brick, NodeReport, NodeState, OtherSession, Release, SecondaryState, SecondaryUrl, Session,
    SessionState, Time, Volume, in_one_line,
};

/// Looks at a session, its volumes and every node of the primary. What cannot be seen is said
/// in its place; only a volume that cannot be asked for at all is an error.
///
/// `here` is this machine's name where no brick of the volume tells it; `clock` tells the time.
///
/// # Errors
/// [`ClusterError`] where this node's glusterd does not answer or does not know the volume.
pub fn situation(
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
    let (nodes, far) = std::thread::scope(|scope| {
        let far = scope.spawn(|| far_side(tools, secondary));
        let nodes = look_at_nodes(&cluster, tools, &Asked::new(&volume, secondary), clock);
        (nodes, far.join().unwrap_or_else(|_| Err("the look at it broke off".to_owned())))
    });
    Ok(SessionState {
        own: local.map_or_else(|| here.to_owned(), |brick| brick.node.clone()),
        lost_peers: lost.map(|member| member.name.clone()).collect(),
        unhealed: cluster.unhealed(&volume).ok(),
        down: cluster.down_bricks(&volume).ok(),
        // A release that cannot be read is none of the old ones.
        release: Release::read(&release).unwrap_or(Release(u32::MAX, 0, 0)),
        primary: volume,
        secondary: secondary.clone(),
        session,
        others: others.into_iter().map(other).collect(),
        settings,
        nodes,
        far,
    })
}

fn other(session: Session) -> OtherSession {
    let set = node::set_here(&session.primary, &session.secondary);
    OtherSession { session, set }
}

fn far_side(tools: &Tools, secondary: &SecondaryUrl) -> Result<SecondaryState, String> {
    let look = || {
        let cluster = Cluster::of_secondary(tools, secondary)?;
        let volume = cluster.volume(&secondary.volume)?;
        let sessions = cluster.sessions()?.into_iter();
        let sessions = sessions.filter(|it| it.primary == secondary.volume).collect();
        let room = cluster.room(&volume).ok().flatten();
        Ok(SecondaryState { volume, sessions, room })
    };
    look().map_err(|error: ClusterError| in_one_line(&error))
}

fn look_at_nodes(
    cluster: &Cluster<'_>,
    tools: &Tools,
    asked: &Asked,
    clock: fn() -> Time,
) -> Vec<NodeState> {
    let mut by_node: BTreeMap<&str, Vec<&Brick>> = BTreeMap::new();
    for brick in &asked.bricks {
        by_node.entry(&brick.node).or_default().push(brick);
    }
    std::thread::scope(|scope| {
        let looks: Vec<_> = by_node
            .into_iter()
            .filter_map(|(name, bricks)| {
                let host = cluster.host_of(bricks.first()?);
                let look = scope.spawn(move || look_at(tools, &host, &asked.on(&bricks), clock));
                Some((name.to_owned(), look))
            })
            .collect();
        let done = looks.into_iter().map(|(name, look)| {
            let broken = || (Err("the look at it broke off".to_owned()), 0, 0);
            let (sight, ahead, blur) = look.join().unwrap_or_else(|_| broken());
            NodeState { name, sight, ahead, blur }
        });
        done.collect()
    })
}

/// A node's sight, how far its clock is ahead of ours, and how sure that is.
fn look_at(
    tools: &Tools,
    host: &Host,
    asked: &Asked,
    clock: fn() -> Time,
) -> (Result<NodeReport, String>, i64, i64) {
    if *host == Host::Here {
        return (Ok(sight(asked, clock)), 0, 0);
    }
    match ask(tools, host, asked, clock) {
        Ok((sight, before, after)) => {
            let ahead = sight.clock - (before + (after - before) / 2);
            (Ok(sight), ahead, (after - before) / 2)
        }
        Err(why) => (Err(why), 0, 0),
    }
}

fn ask(
    tools: &Tools,
    host: &Host,
    asked: &Asked,
    clock: fn() -> Time,
) -> Result<(NodeReport, i64, i64), String> {
    let mut agent = Agent::<(), NodeReport>::start(tools, host, &asked.verb())
        .map_err(|error| in_one_line(&error))?;
    // The connection is open: from here on it is the look alone that takes time. Its clock is read
    // last, right before it answers.
    let before = clock().micros();
    let sight = agent.call(&()).map_err(|error| in_one_line(&error))?;
    let after = clock().micros();
    Ok((sight, before, after))
}

impl Asked {
    fn new(volume: &Volume, secondary: &SecondaryUrl) -> Self {
        let bricks = volume.bricks.clone();
        Self { primary: volume.name.clone(), secondary: secondary.clone(), bricks }
    }

    fn on(&self, bricks: &[&Brick]) -> Self {
        let bricks = bricks.iter().copied().cloned().collect();
        Self { bricks, ..self.clone() }
    }
}
