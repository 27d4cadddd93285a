//! The lab's network: a bridge in a namespace of its own, which the machine's network never sees.

use crate::holder::Holder;
use crate::node::Node;

/// A bridge to which nodes are plugged.
#[derive(Debug)]
pub(crate) struct Switch {
    holder: Holder,
    mark: String,
}

impl Switch {
    pub(crate) fn up(mark: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/switch-init");
        Self { holder: Holder::up(mark, &["--net"], &[script]), mark: mark.to_owned() }
    }

    /// Gives the node an `eth0` with its address, connected to the bridge.
    pub(crate) fn plug(&self, node: &Node) {
        let port = format!("v-{}", node.name());
        let inside = node.init().to_string();
        self.ip(&["link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &inside]);
        self.ip(&["link", "set", &port, "master", "switch", "up"]);
        node.run_on(&["ip", "address", "add", &format!("{}/24", node.address()), "dev", "eth0"]);
        node.run_on(&["ip", "link", "set", "eth0", "up"]);
    }

    pub(crate) fn holder(&self) -> &Holder {
        &self.holder
    }

    fn ip(&self, arguments: &[&str]) {
        let mut command = self.holder.command(&self.mark, &["--net"]);
        let status = command.arg("ip").args(arguments).status().expect("ip starts");
        assert!(status.success(), "ip {arguments:?}: {status}");
    }
}
