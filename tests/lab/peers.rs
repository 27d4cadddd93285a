//! georepair on one node, asked from another over ssh.

use crate::lab::Lab;

#[test]
fn a_peer_greets_over_ssh() {
    let Some(lab) = Lab::shared() else { return };
    let said = lab.run_on("m1", &["ssh", "s1", "georepair", "agent", "hello"]);
    let expected = format!(
        "{{\"schema\":\"georepair/agent/1\",\"version\":\"{}\"}}\n",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(said, expected);
}
