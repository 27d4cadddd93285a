//! What can be known of both sides before a session is created.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::paths::GLUSTERD_PORT;
use crate::domain::{Brick, SecondaryUrl, Time, Volume};
use crate::scan::cluster::{
    Cluster, ClusterError, Host, KeyAccess, NodeFacts, Space, Tools, door, reach, site,
};

/// Both sides, as far as they can be seen from this node.
#[derive(Debug)]
pub struct Readiness {
    /// The primary volume.
    pub primary: Volume,
    /// Whether the session exists already.
    pub in_session: bool,
    /// The secondary as it was asked for.
    pub url: SecondaryUrl,
    /// Whether glusterd's port answers over there.
    pub port: Result<u16, String>,
    /// The secondary volume, or why it cannot be seen.
    pub secondary: Result<Volume, ClusterError>,
    /// What the key of sessions opens; nothing where there is no key yet.
    pub door: Option<Result<KeyAccess, ClusterError>>,
    /// The primary's nodes.
    pub primary_sites: Vec<ProbeResult>,
    /// The secondary's nodes.
    pub secondary_sites: Vec<ProbeResult>,
}

/// A node, or why it cannot be seen.
#[derive(Debug)]
pub struct ProbeResult {
    /// The node's name, as in `gluster volume info`.
    pub node: String,
    /// What it has.
    pub site: Result<NodeFacts, ClusterError>,
}

/// Looks at both sides; `now` is this node's clock.
///
/// # Errors
/// [`ClusterError`] where the primary volume cannot be seen from here.
pub fn readiness(
    tools: &Tools,
    primary: &str,
    url: &SecondaryUrl,
    now: &dyn Fn() -> Time,
) -> Result<Readiness, ClusterError> {
    let here = Cluster::of(tools, Host::Here)?;
    let volume = here.volume(primary)?;
    let in_session = here.session(primary, url)?.is_some();
    let primary_sites = sites(tools, &here, &volume, now);
    let port =
        reach(&url.host, GLUSTERD_PORT).map(|()| GLUSTERD_PORT).map_err(|error| error.to_string());
    let there = Cluster::of_secondary(tools, url);
    let (secondary, secondary_sites) = match there {
        Ok(there) => match there.volume(&url.volume) {
            Ok(volume) => {
                let sites = sites(tools, &there, &volume, now);
                (Ok(volume), sites)
            }
            Err(error) => (Err(error), Vec::new()),
        },
        Err(error) => (Err(error), Vec::new()),
    };
    let has_key = |seen: &&ProbeResult| seen.site.as_ref().is_ok_and(|site| site.key);
    let key_here = primary_sites.iter().find(has_key).is_some();
    let user = url.user.as_deref().unwrap_or("root");
    let door = key_here.then(|| door(tools, &Host::Here, &format!("{user}@{}", url.host)));
    Ok(Readiness {
        primary: volume,
        in_session,
        url: url.clone(),
        port,
        secondary,
        door,
        primary_sites,
        secondary_sites,
    })
}

/// Asks every node of a volume once, about all its bricks of it.
fn sites(
    tools: &Tools,
    cluster: &Cluster<'_>,
    volume: &Volume,
    now: &dyn Fn() -> Time,
) -> Vec<ProbeResult> {
    let mut nodes: BTreeMap<&str, (Host, Vec<PathBuf>)> = BTreeMap::new();
    for brick in &volume.bricks {
        let entry = nodes.entry(&brick.node);
        let (_, dirs) = entry.or_insert_with(|| (cluster.host_of(brick), Vec::new()));
        dirs.push(brick.dir.clone());
    }
    let ask = |(node, (host, dirs)): (&str, (Host, Vec<PathBuf>))| {
        let site =
            site(tools, &host, &dirs, now).map(|it| NodeFacts { node: node.to_owned(), ..it });
        ProbeResult { node: node.to_owned(), site }
    };
    nodes.into_iter().map(ask).collect()
}

impl Readiness {
    /// The room of each brick of a volume, in the volume's order; nothing where it was not seen.
    #[must_use]
    pub fn spaces(volume: &Volume, sites: &[ProbeResult]) -> Vec<Option<Space>> {
        let space = |brick: &Brick| {
            let seen = sites.iter().find(|seen| seen.node == brick.node)?;
            let spaces = &seen.site.as_ref().ok()?.bricks;
            spaces.iter().find(|space| space.dir == brick.dir).cloned()
        };
        volume.bricks.iter().map(space).collect()
    }
}
