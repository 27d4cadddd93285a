//! Inspects both sides before a session is created.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::paths::GLUSTERD_PORT;
use crate::domain::{Brick, SecondaryUrl, Time, Volume};
use crate::scan::cluster::{
    Cluster, ClusterError, Host, KeyAccess, NodeFacts, Space, Tools, port_open, probe_key,
    probe_node,
};

/// Both sides, as seen from this node.
#[derive(Debug)]
pub struct Readiness {
    /// The primary volume.
    pub primary: Volume,
    /// Whether the session exists already.
    pub in_session: bool,
    /// The secondary, as requested.
    pub url: SecondaryUrl,
    /// Whether glusterd's port on the secondary answers.
    pub port: Result<u16, String>,
    /// The secondary volume, or why it cannot be inspected.
    pub secondary: Result<Volume, ClusterError>,
    /// What the sessions' key gives access to; `None` if there is no key yet.
    pub key_access: Option<Result<KeyAccess, ClusterError>>,
    /// The primary's nodes.
    pub primary_sites: Vec<ProbeResult>,
    /// The secondary's nodes.
    pub secondary_sites: Vec<ProbeResult>,
}

/// A node, or why it cannot be inspected.
#[derive(Debug)]
pub struct ProbeResult {
    /// The node's name, as in `gluster volume info`.
    pub node: String,
    /// What it has.
    pub site: Result<NodeFacts, ClusterError>,
}

/// Inspects both sides; `now` is this node's clock.
///
/// # Errors
/// [`ClusterError`] if the primary volume cannot be inspected from here.
pub fn readiness(
    tools: &Tools,
    primary: &str,
    url: &SecondaryUrl,
    now: &dyn Fn() -> Time,
) -> Result<Readiness, ClusterError> {
    let here = Cluster::of(tools, Host::Here)?;
    let volume = here.volume(primary)?;
    let in_session = here.session(primary, url)?.is_some();
    let primary_sites = probe_nodes(tools, &here, &volume, now);
    let port = port_open(&url.host, GLUSTERD_PORT)
        .map(|()| GLUSTERD_PORT)
        .map_err(|error| error.to_string());
    let seen = Cluster::of_secondary(tools, url).and_then(|there| {
        let volume = there.volume(&url.volume)?;
        let sites = probe_nodes(tools, &there, &volume, now);
        Ok((volume, sites))
    });
    let (secondary, secondary_sites) = match seen {
        Ok((volume, sites)) => (Ok(volume), sites),
        Err(error) => (Err(error), Vec::new()),
    };
    let has_key = |probed: &ProbeResult| probed.site.as_ref().is_ok_and(|site| site.key);
    let user = url.user.as_deref().unwrap_or("root");
    let key_access = primary_sites
        .iter()
        .any(has_key)
        .then(|| probe_key(tools, &Host::Here, &format!("{user}@{}", url.host)));
    Ok(Readiness {
        primary: volume,
        in_session,
        url: url.clone(),
        port,
        secondary,
        key_access,
        primary_sites,
        secondary_sites,
    })
}

/// Probes every node of a volume once, for all of its bricks.
fn probe_nodes(
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
    let probe = |(node, (host, dirs)): (&str, (Host, Vec<PathBuf>))| {
        let site = probe_node(tools, &host, &dirs, now)
            .map(|it| NodeFacts { node: node.to_owned(), ..it });
        ProbeResult { node: node.to_owned(), site }
    };
    nodes.into_iter().map(probe).collect()
}

impl Readiness {
    /// The space of each brick of a volume, in the volume's order; `None` if it was not inspected.
    #[must_use]
    pub fn spaces(volume: &Volume, sites: &[ProbeResult]) -> Vec<Option<Space>> {
        let space = |brick: &Brick| {
            let probed = sites.iter().find(|probed| probed.node == brick.node)?;
            let spaces = &probed.site.as_ref().ok()?.bricks;
            spaces.iter().find(|space| space.dir == brick.dir).cloned()
        };
        volume.bricks.iter().map(space).collect()
    }
}
