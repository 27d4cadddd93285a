//! Entries arrive, their data does not: rsync missing, rsync that does nothing, no room.

use std::path::PathBuf;

use super::{Broken, PRIMARIES, SECONDARIES, wait_faulty, write};
use crate::capture::Capture;
use crate::lab::Lab;
use crate::listing::{self, Difference};
use crate::session;

const RSYNC: &str = "/usr/bin/rsync";
const AWAY: &str = "/usr/bin/rsync.away";

/// Where `tests/run` unpacks the rsync that transfers nothing; it is never installed.
const EMPTY_HANDED: &str = "GEOREPAIR_LAB_RSYNC_3_5";

/// Takes rsync from the primaries.
pub(crate) fn rsync_missing(lab: &Lab) -> Broken<'_> {
    let what = "rsync was removed from both primaries, then a file was written.";
    let capture = Capture::begin(lab, "rsync-missing", what);
    for node in PRIMARIES {
        capture.run_on(node, &["mv", RSYNC, AWAY]);
    }
    write(lab, "rsync-missing/a.txt", "needs rsync");
    capture.tell("wrote rsync-missing/a.txt on the primary");
    let words = [r#"execution of "rsync" failed with ENOENT"#];
    capture.wait_log(PRIMARIES, "gsyncd.log", &words);
    wait_faulty(&capture);
    Broken::new(capture, |lab| rsync_back(lab, PRIMARIES))
}

/// Puts rsync 3.5.0 on every node: it reports success and transfers nothing.
pub(crate) fn rsync_transfers_nothing(lab: &Lab) -> Broken<'_> {
    session::georep(lab, &["config", "log-rsync-performance", "true"]);
    session::live(lab);
    let what = "rsync 3.5.0 replaced 3.2.7 on every node: it reports success and transfers \
                nothing.";
    let capture = Capture::begin(lab, "rsync-transfers-nothing", what);
    let other = rsync_3_5();
    for node in lab.nodes() {
        capture.run_on(node.name(), &["mv", RSYNC, AWAY]);
        std::fs::copy(&other, node.path(RSYNC)).expect("the node's rsync can be replaced");
    }
    let version = capture.run_on("m1", &["rsync", "--version"]);
    capture.tell(version.lines().next().unwrap_or_default());
    write(lab, "rsync-3.5/a.txt", "this never arrives");
    capture.tell("wrote rsync-3.5/a.txt on the primary");
    capture.wait_log(PRIMARIES, "gsyncd.log", &["Number of regular files transferred: 0"]);
    listing::wait_differs(lab, "rsync-3.5/a.txt", Difference::Content);
    capture.tell("on the secondary rsync-3.5/a.txt exists and is empty");
    session::wait_status(lab, "Active, as if all were well", |rows| session::any(rows, "Active"));
    Broken::new(capture, |lab| {
        let nodes: Vec<&str> = lab.nodes().iter().map(crate::node::Node::name).collect();
        rsync_back(lab, &nodes);
        session::georep(lab, &["config", "!log-rsync-performance"]);
        std::fs::write(lab.on_primary("rsync-3.5/a.txt"), "this arrives").expect("written again");
    })
}

fn rsync_back(lab: &Lab, nodes: &[&str]) {
    for node in nodes {
        lab.node(node).run_on(&["mv", AWAY, RSYNC]);
    }
}

fn rsync_3_5() -> PathBuf {
    let path = std::env::var_os(EMPTY_HANDED).map(PathBuf::from);
    let path = path.unwrap_or_else(|| {
        let target = std::env::current_exe().expect("we run from somewhere");
        let target = target.ancestors().nth(3).expect("target/debug/deps/lab").to_owned();
        target.join("lab-cache/rsync-3.5/usr/bin/rsync")
    });
    assert!(path.exists(), "no {}: tests/run fetches it", path.display());
    path
}

/// Leaves no room on the filesystem of the secondary's bricks.
pub(crate) fn disk_full(lab: &Lab) -> Broken<'_> {
    let what = "The filesystem of the secondary's bricks was filled, then a file of 3 MiB was \
                written on the primary.";
    let capture = Capture::begin(lab, "secondary-disk-full", what);
    // `dd` stops where there is no more room: that it fails is what we want.
    capture.tell("s1# dd if=/dev/zero of=/srv/filler bs=64k");
    lab.secondary().try_on(&["dd", "if=/dev/zero", "of=/srv/filler", "bs=64k"]);
    let size = "x".repeat(3 << 20);
    write(lab, "disk-full/large.bin", &size);
    capture.tell("wrote disk-full/large.bin, 3 MiB, on the primary");
    capture.wait_log(PRIMARIES, "gsyncd.log", &["Sync Time Taken", "{return_code=11}"]);
    capture.wait_log(SECONDARIES, "mnt-", &["No space left on device"]);
    wait_faulty(&capture);
    Broken::new(capture, |lab| {
        lab.secondary().run_on(&["rm", "/srv/filler"]);
    })
}
