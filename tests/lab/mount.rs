//! The lab's own mounts of both volumes.

use crate::lab::Lab;
use crate::node::Node;
use crate::volume::{PRIMARY, SECONDARY};
use crate::wait;

/// Where the primary volume is mounted on m1, as an ordinary client would.
pub(crate) const ON_PRIMARY: &str = "/mnt/gv0";
/// Where the secondary volume is mounted on s1, as gsyncd would: it may write.
pub(crate) const ON_SECONDARY: &str = "/mnt/gv0dr";

/// Mounts both volumes, without caches that would hide changes made from the other side.
pub(crate) fn mount_both(lab: &Lab) {
    mount(lab, "m1", PRIMARY, ON_PRIMARY, &[]);
    let as_gsyncd = ["--client-pid=-1", "--aux-gfid-mount", "--acl"];
    mount(lab, "s1", SECONDARY, ON_SECONDARY, &as_gsyncd);
}

/// Mounts a volume on a node at a directory.
pub(crate) fn mount(lab: &Lab, node: &str, volume: &str, at: &str, options: &[&str]) {
    let node = lab.node(node);
    node.run_on(&["mkdir", "-p", at]);
    let server = format!("--volfile-server={}", node.name());
    let volfile = format!("--volfile-id={volume}");
    let uncached = ["--attribute-timeout=0", "--entry-timeout=0", "--negative-timeout=0"];
    let mut argv = vec!["glusterfs", &server, &volfile];
    argv.extend(uncached);
    argv.extend(options);
    argv.push(at);
    node.run_on(&argv);
    answers(node, at);
}

/// Mounts a volume as operators do: the kernel keeps attributes and names for a second.
pub(crate) fn mount_as_operators_do(lab: &Lab, node: &str, volume: &str, at: &str) {
    let node = lab.node(node);
    node.run_on(&["mkdir", "-p", at]);
    node.run_on(&["mount", "-t", "glusterfs", &format!("{}:/{volume}", node.name()), at]);
    answers(node, at);
}

/// Waits until something is mounted there.
pub(crate) fn answers(node: &Node, at: &str) {
    wait::happens("the mount answers", || {
        node.try_on(&["stat", "--file-system", "--format=%T", at]).stdout.starts_with(b"fuse")
    });
}
