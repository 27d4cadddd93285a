//! All nodes of a plan: this machine, and peers that are called when they are first needed.

use std::collections::BTreeMap;
use std::net::{ToSocketAddrs as _, UdpSocket};

use super::executor::{Executor, ExecutorError, Executors};
use super::lease::Lease;
use super::local::LocalExecutor;
use super::remote::RemoteExecutor;
use crate::scan::cluster::Tools;

/// The nodes by their names.
pub struct Nodes {
    tools: Tools,
    own: String,
    here: LocalExecutor,
    peers: BTreeMap<String, RemoteExecutor>,
    lease: Option<Lease>,
}

impl Nodes {
    /// All nodes; `own` is this machine's host name.
    #[must_use]
    pub fn new(tools: Tools, own: String) -> Self {
        Self {
            here: LocalExecutor::new(tools.clone()),
            tools,
            own,
            peers: BTreeMap::new(),
            lease: None,
        }
    }

    /// Executes a run from now on: the lease is taken on each peer before its first request.
    pub fn carry_out(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }
}

impl Executors for Nodes {
    fn on(&mut self, node: &str) -> Result<&mut dyn Executor, ExecutorError> {
        if is_here(node, &self.own) {
            return Ok(&mut self.here);
        }
        if !self.peers.contains_key(node) {
            let peer = RemoteExecutor::connect(&self.tools, node)?;
            self.peers.insert(node.to_owned(), peer);
        }
        let gone = || ExecutorError::Unfit(format!("cannot connect to {node}"));
        let peer = self.peers.get_mut(node).ok_or_else(gone)?;
        self.lease.as_ref().map_or(Ok(()), |lease| peer.take_lease(lease))?;
        Ok(peer)
    }
}

/// Whether a node's name is this machine's: its host name, or a name of an address that only
/// this machine can take. Two sites may use the same short names, so those prove nothing.
fn is_here(node: &str, own: &str) -> bool {
    node == own
        || (node, 0).to_socket_addrs().is_ok_and(|mut addresses| {
            addresses.any(|address| UdpSocket::bind((address.ip(), 0)).is_ok())
        })
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn this_machine_is_known_by_its_names() {
        for node in ["m1", "localhost", "127.0.0.1"] {
            assert!(is_here(node, "m1"), "{node}");
        }
        for node in ["m2.invalid", "192.0.2.7", "m1.invalid"] {
            assert!(!is_here(node, "m1"), "{node}");
        }
    }
}
