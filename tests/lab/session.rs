//! The geo-replication session between a lab's two volumes.

use serde_json::Value;

use crate::lab::Lab;
use crate::shape::Brick;
use crate::volume::PRIMARY;
use crate::wait::{self, PATIENCE};

/// The secondary as the CLI names it.
pub(crate) const URL: &str = "s1::gv0dr";
/// The session's directory name, in logs and under `/var/lib/glusterd/geo-replication`.
pub(crate) const NAME: &str = "gv0_s1_gv0dr";

/// One row of the session's status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// The session's rows, from the files that `gluster volume geo-replication … status` reads.
///
/// Asking the CLI takes a second of CPU and two lines in three logs each time; the lab asks often.
pub(crate) fn status(lab: &Lab) -> Vec<Worker> {
    lab.shape().primary.iter().map(|brick| worker(lab, brick).unwrap_or_default()).collect()
}

fn worker(lab: &Lab, brick: &Brick) -> Option<Worker> {
    let dir = lab.node(brick.node).path("/var/lib/glusterd/geo-replication").join(NAME);
    let monitor = std::fs::read_to_string(dir.join("monitor.status")).ok()?;
    let monitor = monitor.trim();
    let file = format!("brick_{}.status", brick.dir.replace('/', "%2F"));
    let row: Value = serde_json::from_slice(&std::fs::read(dir.join(file)).ok()?).ok()?;
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let started = monitor == "Started";
    Some(Worker {
        node: brick.node.to_owned(),
        brick: brick.dir.to_owned(),
        status: if started { text("worker_status") } else { monitor.to_owned() },
        crawl: text("crawl_status"),
        failures: row.get("failures").and_then(Value::as_u64).unwrap_or_default(),
    })
}

/// Waits until the rows are as wanted, and panics with the rows they were.
#[track_caller]
pub(crate) fn wait_status(lab: &Lab, what: &str, wanted: impl Fn(&[Worker]) -> bool) {
    let mut last = Vec::new();
    let reached = wait::poll(PATIENCE, || {
        last = status(lab);
        wanted(&last).then_some(())
    });
    assert!(reached.is_some(), "status after {PATIENCE} s is not {what}: {last:#?}");
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

/// Waits until every replica set has an Active worker that is past history.
#[track_caller]
pub(crate) fn wait_up(lab: &Lab) {
    wait_status(lab, UP, |rows| is_up(lab, rows));
}

const UP: &str = "Active and Passive, past history";

fn is_up(lab: &Lab, rows: &[Worker]) -> bool {
    all_well(lab, rows) && is_listening(rows)
}

/// Makes sure that changes travel: workers up, and a file made now arrives.
///
/// "Active" proves nothing: in many worker starts the connection to the brick's changelogs comes
/// up dead and no change is ever seen, and now and then one hangs in its history
/// (`tests/lab/README.md`). Such a session is stopped and started until a canary arrives.
#[track_caller]
pub(crate) fn live(lab: &Lab) {
    for _ in 0..8 {
        let up = wait::poll(60, || is_up(lab, &status(lab)).then_some(())).is_some();
        if up && canary(lab, 10) {
            return;
        }
        let rows = status(lab);
        if up && !is_up(lab, &rows) {
            // The status was of a worker about to go: it is written seconds after the fact.
            continue;
        }
        lab.note_stall();
        say!("{}: no change travels, the session is started again: {rows:?}", lab.mark());
        stop(lab);
        start(lab);
    }
    panic!("the session does not come to life: {:#?}", status(lab));
}

/// Writes files on the primary; true when all arrive in time.
pub(crate) fn canary(lab: &Lab, patience: u64) -> bool {
    let dir = lab.on_primary("canaries");
    std::fs::create_dir_all(&dir).expect("the primary volume can be written");
    let count = lab.next_canary();
    // In a distributed volume names are spread over the replica sets: enough names meet them all.
    let sets = lab.shape().primary.len() / lab.shape().replica;
    let names: Vec<String> = (0..sets * 4).map(|n| format!("canary-{count}-{n}")).collect();
    for name in &names {
        std::fs::write(dir.join(name), name).expect("a canary on the primary");
    }
    let arrived = |name: &String| {
        let copy = lab.on_secondary("canaries").join(name);
        std::fs::read(copy).is_ok_and(|bytes| bytes == name.as_bytes())
    };
    wait::poll(patience, || names.iter().all(arrived).then_some(())).is_some()
}

/// Shows what the workers logged last, for whoever has to find out why a test failed.
pub(crate) fn tell_logs(lab: &Lab) {
    let log = format!("/var/log/glusterfs/geo-replication/{NAME}/gsyncd.log");
    for node in lab.nodes() {
        let Ok(told) = std::fs::read_to_string(node.path(&log)) else { continue };
        let lines: Vec<&str> = told.lines().collect();
        let last = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
        say!("gsyncd of {} logged last:\n{}", node.name(), last.join("\n"));
    }
}

/// Whether the Active workers are past history: a canary written earlier would arrive with it, and
/// say nothing about changelogs to come.
fn is_listening(rows: &[Worker]) -> bool {
    rows.iter().filter(|row| row.status == "Active").all(|row| row.crawl == "Changelog Crawl")
}

/// Gives a setting its value (`None`: its default), unless it has it; a change restarts workers.
pub(crate) fn configure(lab: &Lab, key: &str, value: Option<&str>) {
    let file = format!("/var/lib/glusterd/geo-replication/{NAME}/gsyncd.conf");
    let text = std::fs::read_to_string(lab.primary().path(file)).expect("the session's settings");
    let settings = text.lines().filter_map(|line| line.split_once('='));
    let now = settings.filter(|(name, _)| name.trim().replace('_', "-") == key);
    let now = now.map(|(_, value)| value.trim()).next_back();
    if now != value {
        let unset = format!("!{key}");
        georep(lab, &value.map_or(vec!["config", &unset], |value| vec!["config", key, value]));
        live(lab);
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
