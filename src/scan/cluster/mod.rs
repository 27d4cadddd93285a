//! The cluster as its gluster CLI tells it, and programs run on its nodes.

mod agent;
mod error;
mod host;
mod node_probe;
mod session_files;
mod tools;

pub use node_probe::{KeyAccess, NodeFacts, Space, port_open, probe_key, probe_node};
pub(in crate::scan) use session_files::quote_plus;
pub use session_files::{SessionFolder, WorkerState, has_volume, session_folders};

use std::collections::BTreeMap;

use uuid::Uuid;

pub use agent::{Agent, greet, serve};
pub use error::ClusterError;
pub use host::Host;
pub use tools::Tools;

use crate::domain::{Brick, FreeSpace, SecondaryUrl, Session, Volume};
use crate::format::volxml;
use crate::format::volxml::PoolMember;

/// What the CLI prints where there is no session at all.
const NO_SESSIONS: &[u8] = b"No active geo-replication sessions";

/// A cluster, asked through the gluster CLI of one of its nodes.
#[derive(Clone, Debug)]
pub struct Cluster<'a> {
    tools: &'a Tools,
    via: Host,
    own: Uuid,
    pool: Vec<PoolMember>,
}

impl<'a> Cluster<'a> {
    /// The cluster that `via` is a node of.
    ///
    /// # Errors
    /// [`ClusterError`] where the node cannot be reached or its glusterd does not answer.
    pub fn of(tools: &'a Tools, via: Host) -> Result<Self, ClusterError> {
        let pool = tools.gluster(&via, &["pool", "list", "--xml"])?;
        let pool = volxml::pool(&pool).map_err(|source| misread(&via, "pool list", source))?;
        let own = pool.iter().find(|member| member.name == "localhost").map(|member| member.id);
        let own = own.ok_or_else(|| {
            misread(&via, "pool list", volxml::VolxmlError::Value("entry for localhost"))
        })?;
        Ok(Self { tools, via, own, pool })
    }

    /// The cluster of a session's other side. Its root is asked, whoever gsyncd's user is there.
    ///
    /// # Errors
    /// As [`Cluster::of`].
    pub fn of_secondary(tools: &'a Tools, url: &SecondaryUrl) -> Result<Self, ClusterError> {
        let root = url.user.as_deref().filter(|user| *user == "root");
        let destination = root.map_or(url.host.clone(), |user| format!("{user}@{}", url.host));
        Self::of(tools, Host::Peer(destination))
    }

    /// The node that is asked.
    #[must_use]
    pub fn via(&self) -> &Host {
        &self.via
    }

    /// The nodes that glusterd knows.
    #[must_use]
    pub fn pool(&self) -> &[PoolMember] {
        &self.pool
    }

    /// Where a brick's node is reached from here.
    #[must_use]
    pub fn host_of(&self, brick: &Brick) -> Host {
        match &self.via {
            via if brick.host == self.own => via.clone(),
            _ => Host::Peer(brick.node.clone()),
        }
    }

    /// A volume by its name.
    ///
    /// # Errors
    /// [`ClusterError`]; a volume that does not exist is refused in the CLI's words.
    pub fn volume(&self, name: &str) -> Result<Volume, ClusterError> {
        let xml = self.gluster(&["volume", "info", name, "--xml"])?;
        let volumes =
            volxml::volumes(&xml).map_err(|source| self.misread("volume info", source))?;
        volumes.into_iter().find(|volume| volume.name == name).ok_or_else(|| {
            self.misread("volume info", volxml::VolxmlError::Value("volume of that name"))
        })
    }

    /// All volumes of this cluster.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn volumes(&self) -> Result<Vec<Volume>, ClusterError> {
        let xml = self.gluster(&["volume", "info", "all", "--xml"])?;
        volxml::volumes(&xml).map_err(|source| self.misread("volume info", source))
    }

    /// All sessions from this cluster, of all volumes.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn sessions(&self) -> Result<Vec<Session>, ClusterError> {
        let asked = ["volume", "geo-replication", "status"];
        let xml = match self.gluster(&[&asked[..], &["--xml"]].concat()) {
            // Where there are none, the CLI fails to write them as XML (10.3).
            Err(_) if self.has_no_sessions() => return Ok(Vec::new()),
            xml => xml?,
        };
        volxml::sessions(&xml).map_err(|source| self.misread("geo-replication status", source))
    }

    /// It fails then too, and says so in words.
    fn has_no_sessions(&self) -> bool {
        let said = self.tools.gluster_output(&self.via, &["volume", "geo-replication", "status"]);
        let says = |said: &[u8]| memchr::memmem::find(said, NO_SESSIONS).is_some();
        said.is_ok_and(|said| says(&said.stdout) || says(&said.stderr))
    }

    /// The session between a volume and a secondary, if there is one.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn session(
        &self,
        primary: &str,
        secondary: &SecondaryUrl,
    ) -> Result<Option<Session>, ClusterError> {
        let fits = |it: &Session| it.primary == primary && it.secondary.is_same(secondary);
        Ok(self.sessions()?.into_iter().find(fits))
    }

    /// All settings of a session, defaults included.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn settings(
        &self,
        primary: &str,
        secondary: &SecondaryUrl,
    ) -> Result<BTreeMap<String, String>, ClusterError> {
        let secondary = secondary.to_string();
        let text = self.gluster(&["volume", "geo-replication", primary, &secondary, "config"])?;
        Ok(volxml::settings(&String::from_utf8_lossy(&text)))
    }

    /// The bricks of a started volume that do not run, `NODE:DIR`.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn down_bricks(&self, volume: &Volume) -> Result<Vec<String>, ClusterError> {
        let xml = self.gluster(&["volume", "status", &volume.name, "--xml"])?;
        let running =
            volxml::running_bricks(&xml).map_err(|source| self.misread("volume status", source))?;
        let urls = volume.bricks.iter().map(Brick::url);
        Ok(urls.filter(|url| !running.contains(url)).collect())
    }

    /// The space on a started volume's bricks, all of them together; nothing where a brick does
    /// not tell its own.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn room(&self, volume: &Volume) -> Result<Option<FreeSpace>, ClusterError> {
        let xml = self.gluster(&["volume", "status", &volume.name, "detail", "--xml"])?;
        let rooms =
            volxml::rooms(&xml).map_err(|source| self.misread("volume status detail", source))?;
        let sum = |part: fn(&FreeSpace) -> u64| rooms.iter().map(part).fold(0, u64::saturating_add);
        let all = rooms.len() == volume.bricks.len();
        Ok(all.then(|| FreeSpace { used: sum(|it| it.used), free: sum(|it| it.free) }))
    }

    /// How many entries the bricks of a replicated volume still owe each other; 0 for any other.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn unhealed(&self, volume: &Volume) -> Result<u64, ClusterError> {
        if volume.set_size < 2 {
            return Ok(0);
        }
        let text = self.gluster(&["volume", "heal", &volume.name, "statistics", "heal-count"])?;
        let text = String::from_utf8_lossy(&text);
        let counts: Vec<u64> = text
            .lines()
            .filter_map(|line| line.strip_prefix("Number of entries:")?.trim().parse().ok())
            .collect();
        // A brick that does not answer has no number.
        if counts.len() < volume.bricks.len() {
            return Err(self.misread("heal-count", volxml::VolxmlError::Value("count of a brick")));
        }
        Ok(counts.iter().sum())
    }

    /// The process of a brick of a started volume; nothing where it does not run.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn brick_process(&self, volume: &str, url: &str) -> Result<Option<u32>, ClusterError> {
        let xml = self.gluster(&["volume", "status", volume, "--xml"])?;
        let running = volxml::brick_processes(&xml)
            .map_err(|source| self.misread("volume status", source))?;
        Ok(running.into_iter().find_map(|(brick, pid)| (brick == url).then_some(pid)))
    }

    /// The release that the asked node runs, such as `10.3`.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub fn release(&self) -> Result<String, ClusterError> {
        let text = self.gluster(&["--version"])?;
        let text = String::from_utf8_lossy(&text);
        let release = text.lines().next().and_then(|line| line.split_whitespace().nth(1));
        let missing = || self.misread("--version", volxml::VolxmlError::Value("release"));
        release.map(str::to_owned).ok_or_else(missing)
    }

    fn gluster(&self, arguments: &[&str]) -> Result<Vec<u8>, ClusterError> {
        self.tools.gluster(&self.via, arguments)
    }

    fn misread(&self, asked: &'static str, source: volxml::VolxmlError) -> ClusterError {
        misread(&self.via, asked, source)
    }
}

fn misread(host: &Host, asked: &'static str, source: volxml::VolxmlError) -> ClusterError {
    ClusterError::Answer { node: host.to_string(), asked, source }
}
