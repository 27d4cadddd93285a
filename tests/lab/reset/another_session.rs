//! Two sessions of one volume: what starts one over leaves the other alone, or takes it along.

use std::collections::BTreeMap;

use super::{
    changelogs, code, georepair, kill_at, marks, reset, set, settings, step_of, unfinished,
    write_tree,
};
use crate::lab::Lab;
use crate::{listing, session, wait};

const SECOND: &str = "s1::gv0far";
const BRICK: &str = "/srv/bricks/gv0far";

/// Runs `gluster volume geo-replication gv0 s1::gv0far …`.
#[track_caller]
fn second(lab: &Lab, words: &[&str]) -> String {
    lab.primary().gluster(&[&["volume", "geo-replication", "gv0", SECOND], words].concat())
}

/// A second secondary on s1, and a session to it that replicates.
fn begin(lab: &Lab) {
    lab.secondary().gluster(&["volume", "create", "gv0far", &format!("s1:{BRICK}"), "force"]);
    lab.secondary().gluster(&["volume", "start", "gv0far"]);
    second(lab, &["create", "push-pem", "force"]);
    second(lab, &["config", "change-interval", "1"]);
    second(lab, &["config", "sync-jobs", "4"]);
    second(lab, &["start"]);
}

fn end(lab: &Lab, before: &BTreeMap<(&'static str, String), Vec<u8>>) {
    second(lab, &["stop", "force"]);
    second(lab, &["delete"]);
    for (node, name) in marks(lab).into_keys() {
        if !before.contains_key(&(node, name.clone())) {
            let brick = lab.shape().primary.iter().find(|brick| brick.node == node);
            lab.run_on(node, &["setfattr", "-x", &name, brick.expect("its brick").dir]);
        }
    }
    lab.secondary().gluster(&["volume", "stop", "gv0far", "force"]);
    lab.secondary().gluster(&["volume", "delete", "gv0far"]);
    lab.secondary().run_on(&["rm", "-rf", BRICK]);
}

/// Waits until a file made on the primary is on the second secondary.
#[track_caller]
fn wait_arrived(lab: &Lab, path: &str) {
    let there = lab.secondary().path(BRICK).join(path);
    wait::happens("the second secondary has it", || {
        std::fs::read(&there).is_ok_and(|bytes| !bytes.is_empty())
    });
}

/// Its workers, whatever else runs.
fn workers(lab: &Lab) -> Vec<u32> {
    ["m1", "m2"].map(|node| lab.node(node).processes(&["gsyncd.py", "worker", SECOND])).concat()
}

/// Killed while there are no changelogs, and taken back: every changelog and setting is as before.
#[track_caller]
fn take_back(lab: &Lab, words: &[&str]) {
    let (kept, before) = (changelogs(lab), settings(lab));
    assert!(!kept.is_empty());
    let step = step_of(lab, words, "changelog.changelog of volume gv0 to on");
    kill_at(lab, step, &format!("reset gv0 s1::gv0dr --level {}", words.join(" ")));
    assert!(changelogs(lab).keys().all(|path| !kept.contains_key(path)), "they are aside");
    let undone = georepair(lab, &["runs", "undo", &unfinished(lab), "--yes"]);
    code(&undone, 0);
    let said = String::from_utf8_lossy(&undone.stderr).into_owned();
    assert!(
        said.contains("while changelogs were off are in no changelog: georepair audit"),
        "{said}"
    );
    let now = changelogs(lab);
    for (path, bytes) in &kept {
        assert_eq!(now.get(path), Some(bytes), "{}", path.display());
    }
    assert_eq!(set(&settings(lab)), set(&before));
    assert_eq!(second(lab, &["config", "sync-jobs"]).trim(), "4");
    session::wait_status(lab, "as it should be", |rows| session::all_well(lab, rows));
    assert!(!workers(lab).is_empty(), "the other runs again");
}

#[test]
fn it_is_left_alone_or_taken_along_by_its_name() {
    let Some(lab) = Lab::shared() else { return };
    let before = marks(&lab);
    begin(&lab);
    write_tree(&lab, "two");
    wait_arrived(&lab, "two/a/x/one");
    listing::wait_equal(&lab);

    let (running, marked) = (workers(&lab), marks(&lab));
    code(&reset(&lab, &["resync", "--no-audit", "--yes"]), 0);
    assert_eq!(workers(&lab), running, "its workers were not even stopped");
    for (place, mark) in &marked {
        if !before.contains_key(place) {
            assert!(marks(&lab).get(place) >= Some(mark), "{place:?} went back");
        }
    }

    let refused = reset(&lab, &["full", "--yes"]);
    code(&refused, 3);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(SECOND) && said.contains("--override other-sessions"), "{said}");
    assert_eq!(workers(&lab), running);

    let taken_along = ["full", "--override", "other-sessions", "--keep-secondary", "--no-audit"];
    take_back(&lab, &taken_along);
    code(&reset(&lab, &[&taken_along[..], &["--yes"]].concat()), 0);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
    assert_eq!(second(&lab, &["config", "sync-jobs"]).trim(), "4", "its settings are kept");
    std::fs::write(lab.on_primary("two/after"), "both").expect("a file");
    wait_arrived(&lab, "two/after");
    listing::wait_equal(&lab);
    end(&lab, &before);
}
