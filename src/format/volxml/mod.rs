//! What the gluster CLI prints with `--xml`, and the settings of a session.
//!
//! The element names changed with release 10 (`slave` became `secondary`); both are read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use uuid::Uuid;

use crate::domain::{Brick, FreeSpace, SecondaryUrl, Session, Volume, WorkerStatus};

/// Why the CLI's answer is of no use.
#[derive(Debug, thiserror::Error)]
pub enum VolxmlError {
    /// It is not the XML that the CLI prints.
    #[error("not what `gluster … --xml` prints")]
    Malformed(#[from] quick_xml::DeError),
    /// The CLI refused the command.
    #[error("gluster says: {0}")]
    Refused(String),
    /// A value that must be there is not, or is none.
    #[error("no usable {0} in what gluster prints")]
    Value(&'static str),
}

/// A node of the cluster, as `gluster pool list` shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolMember {
    /// The id of its glusterd.
    pub id: Uuid,
    /// Its name; `localhost` is the node that was asked.
    pub name: String,
    /// Whether it answers.
    pub connected: bool,
}

#[derive(Deserialize)]
struct Output {
    #[serde(rename = "opRet", default)]
    ret: i32,
    #[serde(rename = "opErrstr", default)]
    words: String,
    #[serde(rename = "volInfo", default)]
    info: VolInfo,
    #[serde(rename = "geoRep", default)]
    georep: GeoRep,
    #[serde(rename = "peerStatus", default)]
    pool: PeerStatus,
    #[serde(rename = "volStatus", default)]
    status: VolStatus,
}

#[derive(Deserialize, Default)]
struct VolStatus {
    #[serde(default)]
    volumes: StatusVolumes,
}

#[derive(Deserialize, Default)]
struct StatusVolumes {
    #[serde(rename = "volume", default)]
    all: Vec<StatusVolume>,
}

#[derive(Deserialize)]
struct StatusVolume {
    #[serde(rename = "node", default)]
    processes: Vec<StatusProcess>,
}

#[derive(Deserialize)]
struct StatusProcess {
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    status: u8,
    /// `-1` or `N/A` if it does not run.
    #[serde(default)]
    pid: String,
    /// With `detail` only, in bytes, or `N/A`.
    #[serde(rename = "sizeTotal", default)]
    total: String,
    #[serde(rename = "sizeFree", default)]
    free: String,
}

#[derive(Deserialize, Default)]
struct VolInfo {
    #[serde(default)]
    volumes: Volumes,
}

#[derive(Deserialize, Default)]
struct Volumes {
    #[serde(rename = "volume", default)]
    all: Vec<XmlVolume>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct XmlVolume {
    name: String,
    id: String,
    #[serde(default)]
    status_str: String,
    #[serde(default)]
    replica_count: usize,
    #[serde(default)]
    disperse_count: usize,
    #[serde(default)]
    redundancy_count: usize,
    #[serde(default)]
    bricks: XmlBricks,
    #[serde(default)]
    options: XmlOptions,
}

#[derive(Deserialize, Default)]
struct XmlBricks {
    #[serde(rename = "brick", default)]
    all: Vec<XmlBrick>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct XmlBrick {
    name: String,
    #[serde(default)]
    host_uuid: String,
    #[serde(default)]
    is_arbiter: u8,
}

#[derive(Deserialize, Default)]
struct XmlOptions {
    #[serde(rename = "option", default)]
    all: Vec<XmlOption>,
}

#[derive(Deserialize)]
struct XmlOption {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize, Default)]
struct GeoRep {
    #[serde(rename = "volume", default)]
    volumes: Vec<GeoRepVolume>,
}

#[derive(Deserialize)]
struct GeoRepVolume {
    name: String,
    #[serde(default)]
    sessions: XmlSessions,
}

#[derive(Deserialize, Default)]
struct XmlSessions {
    #[serde(rename = "session", default)]
    all: Vec<XmlSession>,
}

#[derive(Deserialize)]
struct XmlSession {
    #[serde(alias = "session_slave", default)]
    session_secondary: String,
    #[serde(rename = "pair", default)]
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    #[serde(alias = "master_node")]
    primary_node: String,
    #[serde(alias = "master_brick")]
    primary_brick: PathBuf,
    #[serde(alias = "slave_user", default)]
    secondary_user: String,
    #[serde(alias = "slave")]
    secondary: String,
    status: String,
    #[serde(default)]
    crawl_status: String,
    #[serde(default)]
    last_synced: String,
}

#[derive(Deserialize, Default)]
struct PeerStatus {
    #[serde(rename = "peer", default)]
    peers: Vec<XmlPeer>,
}

#[derive(Deserialize)]
struct XmlPeer {
    uuid: String,
    hostname: String,
    #[serde(default)]
    connected: u8,
}

fn read(xml: &[u8]) -> Result<Output, VolxmlError> {
    let output: Output = quick_xml::de::from_reader(xml)?;
    match output.ret {
        0 => Ok(output),
        _ => Err(VolxmlError::Refused(output.words)),
    }
}

/// Reads `gluster volume info [NAME] --xml`.
///
/// # Errors
/// [`VolxmlError`]; an unknown volume is refused by the CLI in so many words.
pub fn volumes(xml: &[u8]) -> Result<Vec<Volume>, VolxmlError> {
    read(xml)?.info.volumes.all.into_iter().map(XmlVolume::read).collect()
}

/// Reads `gluster volume geo-replication [PRIMARY SECONDARY] status --xml`.
///
/// # Errors
/// [`VolxmlError`].
pub fn sessions(xml: &[u8]) -> Result<Vec<Session>, VolxmlError> {
    let volumes = read(xml)?.georep.volumes.into_iter();
    let sessions = volumes.flat_map(|volume| {
        let name = volume.name;
        volume.sessions.all.into_iter().map(move |session| session.read(&name))
    });
    sessions.collect()
}

/// Reads `gluster pool list --xml`.
///
/// # Errors
/// [`VolxmlError`].
pub fn pool(xml: &[u8]) -> Result<Vec<PoolMember>, VolxmlError> {
    let peers = read(xml)?.pool.peers.into_iter();
    let members = peers.map(|peer| {
        let id = id(&peer.uuid, "peer uuid")?;
        Ok(PoolMember { id, name: peer.hostname, connected: peer.connected == 1 })
    });
    members.collect()
}

/// Reads `gluster volume status NAME --xml`: the bricks that run, `NODE:DIR`.
///
/// # Errors
/// [`VolxmlError`]; a volume that is not started is refused by the CLI.
pub fn running_bricks(xml: &[u8]) -> Result<Vec<String>, VolxmlError> {
    Ok(brick_processes(xml)?.into_iter().map(|(brick, _)| brick).collect())
}

/// The same with the number of each brick's process.
///
/// # Errors
/// As [`running_bricks`].
pub fn brick_processes(xml: &[u8]) -> Result<Vec<(String, u32)>, VolxmlError> {
    let volumes = read(xml)?.status.volumes.all.into_iter();
    let processes = volumes.flat_map(|volume| volume.processes);
    // The self-heal daemon and its like have no directory.
    let running = processes.filter(|it| it.status == 1 && it.path.starts_with('/'));
    let named = running
        .map(|it| (format!("{}:{}", it.hostname, it.path), it.pid.parse().unwrap_or_default()));
    Ok(named.collect())
}

/// Reads `gluster volume status NAME detail --xml`: the space of each brick that reports it.
///
/// # Errors
/// As [`running_bricks`].
pub fn rooms(xml: &[u8]) -> Result<Vec<FreeSpace>, VolxmlError> {
    let volumes = read(xml)?.status.volumes.all.into_iter();
    let bricks = volumes.flat_map(|volume| volume.processes);
    let rooms = bricks.filter_map(|it| {
        let (total, free): (u64, u64) = (it.total.parse().ok()?, it.free.parse().ok()?);
        Some(FreeSpace { used: total.saturating_sub(free), free })
    });
    Ok(rooms.collect())
}

/// Reads a session's settings as `gluster volume geo-replication … config` prints them, a
/// `key:value` a line, or as its `gsyncd.conf` holds them, `key = value`; names with dashes, as
/// `config` takes them.
#[must_use]
pub fn settings(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| {
        let (key, value) = line.split_at(line.find([':', '='])?);
        let value = value.get(1..)?.trim();
        Some((key.trim().replace('_', "-"), value.to_owned()))
    });
    pairs.collect()
}

impl XmlVolume {
    fn read(self) -> Result<Volume, VolxmlError> {
        let bricks: Result<Vec<_>, _> = self.bricks.all.into_iter().map(XmlBrick::read).collect();
        let options = self.options.all.into_iter().map(|option| (option.name, option.value));
        Ok(Volume {
            name: self.name,
            id: id(&self.id, "volume id")?,
            started: self.status_str == "Started",
            set_size: self.replica_count.max(self.disperse_count).max(1),
            redundancy: self.redundancy_count,
            bricks: bricks?,
            options: options.collect(),
        })
    }
}

impl XmlBrick {
    fn read(self) -> Result<Brick, VolxmlError> {
        // The directory is absolute, so the first `:/` ends the name, IPv6 addresses included.
        let (node, dir) = self.name.split_once(":/").ok_or(VolxmlError::Value("brick name"))?;
        Ok(Brick {
            node: node.to_owned(),
            dir: PathBuf::from(format!("/{dir}")),
            host: id(&self.host_uuid, "brick's host uuid")?,
            arbiter: self.is_arbiter == 1,
        })
    }
}

impl XmlSession {
    /// `session_secondary` is `<uuid of a primary node>:ssh://[USER@]HOST::VOLUME:<volume id>`.
    fn read(self, primary: &str) -> Result<Session, VolxmlError> {
        let (whole, last) = self.session_secondary.rsplit_once(':').unwrap_or_default();
        let secondary_id = Uuid::try_parse(last).ok();
        let first = self.pairs.first();
        let shown = first.map_or_else(
            || whole.split_once(':').map_or("", |(_, url)| url).to_owned(),
            |pair| pair.secondary.clone(),
        );
        let mut secondary: SecondaryUrl =
            shown.parse().map_err(|_| VolxmlError::Value("secondary"))?;
        if secondary.user.is_none() {
            let user = first.map(|pair| pair.secondary_user.as_str());
            secondary.user =
                user.filter(|user| !["", "root", "N/A"].contains(user)).map(Into::into);
        }
        let workers = self.pairs.into_iter().map(|pair| WorkerStatus {
            node: pair.primary_node,
            brick: pair.primary_brick,
            state: pair.status,
            crawl: pair.crawl_status,
            last_synced: pair.last_synced,
        });
        let workers = workers.collect();
        Ok(Session { primary: primary.to_owned(), secondary, secondary_id, workers })
    }
}

fn id(text: &str, what: &'static str) -> Result<Uuid, VolxmlError> {
    Uuid::try_parse(text).map_err(|_| VolxmlError::Value(what))
}

#[cfg(test)]
mod tests;
