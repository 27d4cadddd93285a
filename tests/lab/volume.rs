//! The two volumes of a lab.

use crate::lab::Lab;
use crate::shape::Brick;

/// The volume that is replicated.
pub(crate) const PRIMARY: &str = "gv0";
/// The volume it is replicated to.
pub(crate) const SECONDARY: &str = "gv0dr";

/// Creates and starts both volumes.
pub(crate) fn create(lab: &Lab) {
    let shape = lab.shape();
    std::thread::scope(|scope| {
        scope.spawn(|| create_one(lab, "m1", PRIMARY, shape.replica, shape.primary));
        scope.spawn(|| create_one(lab, "s1", SECONDARY, 1, shape.secondary));
    });
}

fn create_one(lab: &Lab, on: &str, volume: &str, replica: usize, bricks: &[Brick]) {
    let node = lab.node(on);
    let replica = replica.to_string();
    let urls: Vec<String> = bricks.iter().map(Brick::url).collect();
    let mut arguments = vec!["volume", "create", volume];
    if replica != "1" {
        arguments.extend(["replica", &replica]);
    }
    arguments.extend(urls.iter().map(String::as_str));
    arguments.push("force");
    node.gluster(&arguments);
    node.gluster(&["volume", "start", volume]);
}

/// Waits until every brick of the primary volume runs.
#[track_caller]
pub(crate) fn wait_whole(lab: &Lab) {
    crate::wait::happens("every brick of the primary runs", || {
        let asked = ["gluster", "--mode=script", "volume", "status", PRIMARY, "detail"];
        let output = lab.primary().try_on(&asked);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let online = told.lines().filter(|line| {
            let pair = line.split_once(':').map(|(key, value)| (key.trim(), value.trim()));
            pair == Some(("Online", "Y"))
        });
        online.count() == lab.shape().primary.len()
    });
}

/// Puts half a millisecond before every answer of a volume's bricks, as a network does, and starts
/// its bricks anew for it.
pub(crate) fn put_away(lab: &Lab, on: &str, volume: &str) {
    let set = |option: &str, value: &str| {
        lab.node(on).gluster(&["volume", "set", volume, option, value]);
    };
    set("delay-gen", "locks");
    set("delay-gen.delay-percentage", "100");
    set("delay-gen.delay-duration", "500");
    lab.node(on).gluster(&["volume", "stop", volume, "force"]);
    lab.node(on).gluster(&["volume", "start", volume]);
    wait_whole(lab);
}

/// Sets options of the primary volume that make changes travel in seconds.
pub(crate) fn hurry(lab: &Lab) {
    lab.primary().gluster(&["volume", "set", PRIMARY, "changelog.rollover-time", "3"]);
}
