//! The workers themselves: started, stopped, stalled, robbed of their brick.

use std::fs;
use std::time::Duration;

use super::{Broken, PRIMARIES, active};
use crate::capture::Capture;
use crate::lab::Lab;
use crate::volume::PRIMARY;
use crate::{load, session, wait};

/// An Active worker that reads no changelog, while the status looks normal.
///
/// The race that does this in the field cannot be called up at will; a stopped process looks the
/// same from outside: it is there, it is Active, it logs nothing, and changelogs pile up unread.
pub(crate) fn worker_stalled(lab: &Lab) -> Broken<'_> {
    let what = "The Active worker was stopped with SIGSTOP: the status looks normal, and \
                nothing is replicated.";
    let capture = Capture::begin(lab, "worker-stalled", what);
    capture.georep(&["stop"]);
    capture.georep(&["start"]);
    session::live(lab);
    let worker = active(lab);
    let node = lab.node(&worker.node);
    let pids = node.processes(&["gsyncd.py", "worker", &worker.brick]);
    assert!(!pids.is_empty(), "the Active worker has a process");
    node.signal("STOP", &pids);
    capture.tell(&format!("{}# kill -STOP {pids:?} (the worker of {})", worker.node, worker.brick));
    assert!(!session::canary(lab, 15), "nothing arrives");
    assert_eq!(active(lab).node, worker.node, "the status shows nothing");
    capture.tell("15 s later it is Active as before, and a file written then has not arrived");
    let name = worker.node.clone();
    Broken::new(capture, move |lab| lab.node(&name).signal("CONT", &pids))
}

/// The real race: restarts the session until its worker comes up deaf. `None` when it never did.
///
/// Lets the bricks run on all CPUs again, as they do in the field (`Node::start_glusterd`).
pub(crate) fn worker_deaf(lab: &Lab) -> Option<Broken<'_>> {
    for node in lab.nodes() {
        for pid in node.processes(&["glusterfsd", "--brick-name"]) {
            let pid = pid.to_string();
            node.run_on(&["taskset", "--all-tasks", "--pid", "--cpu-list", "0-127", &pid]);
            node.run_on(&["chrt", "--all-tasks", "--other", "--pid", "0", &pid]);
        }
    }
    let what = "The session was restarted, and nothing else, until its worker read no \
                changelogs: Active, Changelog Crawl, and nothing is replicated.";
    for _ in 0..12 {
        let capture = Capture::begin(lab, "worker-deaf", what);
        capture.georep(&["stop"]);
        capture.georep(&["start"]);
        session::wait_up(lab);
        if !session::canary(lab, 20) {
            capture.tell(&format!("status: {:?}", session::status(lab)));
            capture.tell("20 s after the crawl began a file written then has not arrived");
            return Some(Broken::new(capture, |_| ()));
        }
    }
    None
}

/// Kills the brick of the Active worker, while it records changes that change nothing.
pub(crate) fn brick_killed(lab: &Lab) -> Broken<'_> {
    let worker = active(lab);
    let what = "The brick of the Active worker was killed; the other brick's worker took over.";
    let capture = Capture::begin(lab, "brick-killed", what);
    let node = lab.node(&worker.node);
    let pids = node.processes(&["glusterfsd", "--brick-name", &worker.brick]);
    assert_eq!(pids.len(), 1, "a brick has one process: {pids:?}");
    let canaries = lab.on_primary("canaries");
    let mode = fs::metadata(&canaries).expect("canaries were written").permissions();
    let again = |_| fs::set_permissions(&canaries, mode.clone()).expect("the mode it has");
    load::meanwhile(again, || {
        std::thread::sleep(Duration::from_millis(100));
        node.signal("KILL", &pids);
    });
    capture.tell(&format!("{}# kill -KILL {pids:?} (the brick {})", worker.node, worker.brick));
    session::wait_status(lab, "Active on another brick", |rows| {
        rows.iter().any(|row| row.node != worker.node && row.status == "Active")
    });
    capture.tell(&format!("status: {:?}", session::status(lab)));
    Broken::new(capture, |lab| {
        lab.primary().gluster(&["volume", "start", PRIMARY, "force"]);
    })
}

/// Stops and starts the session as an operator does: what the logs say then is benign.
pub(crate) fn ordinary_stop_and_start(lab: &Lab) -> Broken<'_> {
    let what = "Nothing was broken: the session was stopped and started by an operator.";
    let capture = Capture::begin(lab, "ordinary-stop-and-start", what);
    capture.georep(&["stop"]);
    capture.georep(&["start"]);
    session::live(lab);
    capture.tell("the session is Active and a file written now has arrived");
    Broken::new(capture, |_| ())
}

/// Changes a setting, which restarts the workers.
pub(crate) fn config_change(lab: &Lab) -> Broken<'_> {
    let what = "Nothing was broken: sync-jobs was changed, which restarts the workers.";
    let capture = Capture::begin(lab, "config-change", what);
    capture.georep(&["config", "sync-jobs", "4"]);
    wait::happens("the workers were started again", || {
        PRIMARIES.iter().all(|n| capture.logged(n, "gsyncd.log").contains("starting gsyncd worker"))
    });
    session::live(lab);
    capture.tell("the session is Active and a file written now has arrived");
    Broken::new(capture, |_| ())
}
