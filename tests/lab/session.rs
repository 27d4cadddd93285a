//! The geo-replication session between a lab's two volumes.

use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::volume::PRIMARY;
use crate::wait;

/// The secondary as the CLI names it.
pub(crate) const URL: &str = "s1::gv0dr";
/// The session's directory name, in logs and under `/var/lib/glusterd/geo-replication`.
pub(crate) const NAME: &str = "gv0_s1_gv0dr";

/// One row of the session's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(crate) node: String,
    pub(crate) brick: String,
    pub(crate) status: String,
    pub(crate) crawl: String,
    pub(crate) failures: u64,
}

/// Runs `gluster volume geo-replication PRIMARY SECONDARY …` on the first primary.
#[track_caller]
pub(crate) fn georep(lab: &Lab, arguments: &[&str]) -> String {
    let command = ["volume", "geo-replication", PRIMARY, URL];
    lab.primary().gluster(&[&command[..], arguments].concat())
}

/// Distributes the keys and creates the session, with settings that make changes travel in seconds.
pub(crate) fn create(lab: &Lab) {
    lab.primary().gluster(&["system::", "execute", "gsec_create"]);
    georep(lab, &["create", "push-pem", "force"]);
    georep(lab, &["config", "change-interval", "1"]);
}

pub(crate) fn start(lab: &Lab) {
    georep(lab, &["start", "force"]);
}

pub(crate) fn stop(lab: &Lab) {
    georep(lab, &["stop", "force"]);
}

/// The session's rows; none when glusterd does not answer with any.
pub(crate) fn status(lab: &Lab) -> Vec<Worker> {
    let argv = ["gluster", "--mode=script", "volume", "geo-replication", PRIMARY, URL];
    let output = lab.primary().try_on(&[&argv[..], &["status", "--xml"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    text.split("<pair>")
        .skip(1)
        .map(|pair| Worker {
            node: tag(pair, "primary_node"),
            brick: tag(pair, "primary_brick"),
            status: tag(pair, "status"),
            crawl: tag(pair, "crawl_status"),
            failures: tag(pair, "failures").parse().unwrap_or(0),
        })
        .collect()
}

/// The text of the first element of that name.
fn tag(xml: &str, name: &str) -> String {
    let after = xml.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
    after.split_once('<').map_or(after, |(text, _)| text).to_owned()
}

/// Waits until the rows are as wanted, and panics with the rows they were.
#[track_caller]
pub(crate) fn wait_status(lab: &Lab, what: &str, seconds: u64, wanted: impl Fn(&[Worker]) -> bool) {
    let mut last = Vec::new();
    let reached = wait::poll(seconds, || {
        last = status(lab);
        wanted(&last).then_some(())
    });
    assert!(reached.is_some(), "status after {seconds} s is not {what}: {last:#?}");
}

/// One Active worker per replica set, the others Passive.
pub(crate) fn all_well(lab: &Lab, rows: &[Worker]) -> bool {
    let shape = lab.shape();
    let count = |wanted: &str| rows.iter().filter(|row| row.status == wanted).count();
    let sets = shape.primary.len() / shape.replica;
    rows.len() == shape.primary.len()
        && count("Active") == sets
        && count("Passive") == rows.len() - sets
}

pub(crate) fn any(rows: &[Worker], status: &str) -> bool {
    rows.iter().any(|row| row.status == status)
}

/// Makes sure that changes travel: workers up, and a file made now arrives.
///
/// "Active" proves nothing: in about one worker start of four, libgfchangelog's connection comes
/// up dead and no change is ever seen (`tests/lab/README.md`). Such a session is stopped and
/// started until a canary arrives. Returns how many restarts that took.
#[track_caller]
pub(crate) fn live(lab: &Lab) -> u32 {
    for restarts in 0..8 {
        wait_status(lab, "Active and Passive", 90, |rows| all_well(lab, rows));
        if canary(lab, Duration::from_secs(20)) {
            return restarts;
        }
        lab.note_stall();
        stop(lab);
        start(lab);
    }
    panic!("eight session starts in a row, and no canary arrived: {:#?}", status(lab));
}

/// Writes one file per replica set's worth of luck on the primary; true when all arrive in time.
pub(crate) fn canary(lab: &Lab, patience: Duration) -> bool {
    let dir = lab.on_primary("canaries");
    std::fs::create_dir_all(&dir).expect("the primary volume can be written");
    let count = lab.next_canary();
    // In a distributed volume names are spread over the replica sets: enough names meet them all.
    let sets = lab.shape().primary.len() / lab.shape().replica;
    let names: Vec<String> = (0..sets * 4).map(|n| format!("canary-{count}-{n}")).collect();
    for name in &names {
        std::fs::write(dir.join(name), name).expect("a canary on the primary");
    }
    let deadline = Instant::now() + patience;
    let arrived = |name: &String| {
        let copy = lab.on_secondary("canaries").join(name);
        std::fs::read(copy).is_ok_and(|bytes| bytes == name.as_bytes())
    };
    loop {
        if names.iter().all(arrived) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Deletes the session with its marks and makes it anew: the only mend for a broken history.
pub(crate) fn recreate(lab: &Lab) {
    stop(lab);
    georep(lab, &["delete", "reset-sync-time"]);
    let primary = lab.primary();
    primary.gluster(&["volume", "set", PRIMARY, "changelog.changelog", "off"]);
    for brick in lab.shape().primary {
        let changelogs = format!("{}/.glusterfs/changelogs", brick.dir);
        lab.node(brick.node).run_on(&["rm", "-rf", &changelogs]);
    }
    primary.gluster(&["volume", "set", PRIMARY, "changelog.changelog", "on"]);
    create(lab);
    start(lab);
}

