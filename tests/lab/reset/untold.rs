//! What a killed brick told no worker: lost for good, until its index is made anew and read again.

use std::fs;
use std::time::Duration;

use georepair::domain::{Mark, Time};

use super::{code, marks, reset, write_tree};
use crate::breakage::changelogs::is_stime;
use crate::lab::Lab;
use crate::listing::{self, Difference};
use crate::{audit_brick, breakage, session, volume, wait};

#[test]
fn what_a_killed_brick_told_no_worker_arrives_by_history_and_rewind() {
    let Some(lab) = Lab::shared() else { return };
    write_tree(&lab, "untold");
    listing::wait_equal(&lab);
    lose_a_delete(&lab, "untold/a/x/one");

    // The audit judges a changelog only when the index has gone on past it: until the brick's first
    // rollover after its restart it could still be entered.
    let found = || audit_brick::untold_since(&lab);
    let since = wait::until("the audit finds what no worker was notified of", found);
    code(&reset(&lab, &["history", "--yes"]), 0);
    assert_eq!(audit_brick::untold_since(&lab), None, "the new index names it");
    listing::wait_differs(&lab, "untold/a/x/one", Difference::OnlyOnSecondary);

    code(&reset(&lab, &["rewind", "--yes", "--to", &since]), 0);
    listing::wait_equal(&lab);
}

/// Removes a file in the last changelog of a brick that is killed, while the worker of its copy is
/// not there to send it.
fn lose_a_delete(lab: &Lab, path: &str) {
    let worker = breakage::active(lab);
    let other = lab.shape().primary.iter().find(|it| it.node != worker.node).expect("a replica");
    let others = lab.node(other.node).processes(&["gsyncd.py", "worker", other.dir]);
    assert!(!others.is_empty(), "the Passive worker has a process");
    let node = lab.node(&worker.node);
    let brick = node.processes(&["glusterfsd", "--brick-name", &worker.brick]);
    lab.node(other.node).signal("STOP", &others);
    // Right after a rollover: the next is seconds away, and the brick does not live to see it.
    let open = node.path(&worker.brick).join(".glusterfs/changelogs/CHANGELOG");
    let rolled = || fs::metadata(&open).and_then(|it| it.modified()).ok();
    let before = rolled();
    wait::happens("a rollover", || rolled().is_some_and(|now| Some(now) != before));
    fs::remove_file(lab.on_primary(path)).expect("a delete");
    node.signal("KILL", &brick);
    lab.primary().gluster(&["volume", "start", volume::PRIMARY, "force"]);
    let killed = Time::from_secs(jiff::Timestamp::now().as_second());
    let canaries = lab.on_primary("canaries");
    let mut rounds = 0..;
    wait::happens("the brick's worker is past it", || {
        // A mark moves with the next change.
        let name = format!("after-the-kill-{}", rounds.next().unwrap_or_default());
        fs::write(canaries.join(name), "a change").expect("another change");
        std::thread::sleep(Duration::from_secs(1));
        let marks = marks(lab).into_iter();
        let mut own = marks.filter(|((node, name), _)| *node == worker.node && is_stime(name));
        own.any(|(_, value)| Mark::from_bytes(&value).is_some_and(|mark| mark.time() > killed))
    });
    lab.node(other.node).signal("CONT", &others);
    session::live(lab);
    listing::wait_differs(lab, path, Difference::OnlyOnSecondary);
}
