//! `georepair reset` on a real cluster: each level after the breakage it is for, crashes, refusals.

use std::collections::BTreeMap;
use std::process::Output;

use crate::lab::Lab;
use crate::listing;
use crate::session::{self, NAME};

const WHO: [&str; 2] = ["gv0", "s1::gv0dr"];

/// How long a reset may take, with a deaf start or two on a busy machine, in seconds.
const PATIENCE: u32 = 600;

/// Runs `georepair reset gv0 s1::gv0dr --level …` on m1.
fn reset(lab: &Lab, words: &[&str]) -> Output {
    georepair(lab, &[&["reset"], &WHO[..], &["--level"], words].concat())
}

fn georepair(lab: &Lab, words: &[&str]) -> Output {
    lab.primary().try_for(PATIENCE, &[&["georepair"], words].concat())
}

#[track_caller]
fn code(output: &Output, expected: i32) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(expected), "{said}");
}

/// Every mark of the session on the roots of all bricks of the primary.
fn marks(lab: &Lab) -> BTreeMap<(&'static str, String), Vec<u8>> {
    let mut marks = BTreeMap::new();
    for brick in lab.shape().primary {
        let root = lab.node(brick.node).path(brick.dir);
        for name in xattr::list(&root).expect("the brick's xattrs") {
            let name = name.to_string_lossy().into_owned();
            if name.ends_with("stime") {
                let value = xattr::get(&root, &name).expect("the mark").unwrap_or_default();
                marks.insert((brick.node, name), value);
            }
        }
    }
    marks
}

fn settings(lab: &Lab) -> String {
    let conf = format!("/var/lib/glusterd/geo-replication/{NAME}/gsyncd.conf");
    std::fs::read_to_string(lab.primary().path(conf)).expect("the session's settings")
}

fn write_tree(lab: &Lab, top: &str) {
    for folder in ["a/x", "a/y", "b/x/deep"] {
        let folder = lab.on_primary(top).join(folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        for file in ["one", "two words"] {
            std::fs::write(folder.join(file), format!("{top} {file}")).expect("a file");
        }
    }
}

fn empty_secondary(lab: &Lab) {
    for entry in std::fs::read_dir(lab.on_secondary("")).expect("the secondary").flatten() {
        if !entry.file_name().to_string_lossy().starts_with(".glusterfs") {
            let path = entry.path();
            std::fs::remove_dir_all(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

/// The published procedure ends Active with most of the data missing; `resync` brings it all.
#[test]
fn resync_brings_what_the_published_procedure_skips() {
    let Some(lab) = Lab::shared() else { return };
    write_tree(&lab, "resync");
    listing::wait_equal(&lab);
    // A hybrid crawl leaves an stime on every directory: those the published steps forget.
    code(&reset(&lab, &["resync", "--yes"]), 0);
    session::stop(&lab);
    for ((node, name), _) in marks(&lab) {
        let brick = lab.shape().primary.iter().find(|brick| brick.node == node);
        let dir = brick.expect("the node's brick").dir;
        lab.run_on(node, &["setfattr", "-x", &name, dir]);
    }
    empty_secondary(&lab);
    session::start(&lab);
    session::live(&lab);
    let missing = listing::differences(&lab).expect("both sides");
    assert!(!missing.is_empty(), "the published procedure works here; then so be it");

    let before = settings(&lab);
    code(&reset(&lab, &["resync", "--yes"]), 0);
    listing::wait_equal(&lab);
    assert_eq!(settings(&lab), before);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
}

#[test]
fn retry_starts_what_stands_and_proves_it() {
    let Some(lab) = Lab::shared() else { return };
    session::stop(&lab);
    code(&reset(&lab, &["retry", "--yes"]), 0);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
    listing::wait_equal(&lab);
}

#[test]
fn rewind_sends_again_what_was_lost_since() {
    let Some(lab) = Lab::shared() else { return };
    let before = lab.run_on("m1", &["date", "+%s"]);
    write_tree(&lab, "rewind");
    listing::wait_equal(&lab);
    // The stime is behind the last changelog: another one has to come before it covers the tree.
    session::live(&lab);
    std::fs::remove_dir_all(lab.on_secondary("rewind")).expect("removing it on the secondary");

    let then = marks(&lab);
    let refused = reset(&lab, &["rewind", "--yes", "--to", "2020-01-01T00:00:00Z"]);
    code(&refused, 3);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not covered by changelogs"));
    assert!(marks(&lab).iter().all(|(name, now)| then.get(name).is_none_or(|was| now >= was)));

    code(&reset(&lab, &["rewind", "--yes", "--to", before.trim()]), 0);
    listing::wait_equal(&lab);
}

/// Runs georepair on m1 and kills it as soon as it begins a step.
#[track_caller]
fn kill_at(lab: &Lab, step: u32, words: &str) {
    let script = format!(
        "georepair {words} --yes 2>/tmp/reset.log & pid=$!
         until grep -q '^step {step} of' /tmp/reset.log; do kill -0 $pid || exit 9; sleep 0.01; done
         kill -9 $pid; wait $pid; exit 0"
    );
    let output = lab.primary().try_for(PATIENCE, &["bash", "-c", &script]);
    assert!(output.status.success(), "step {step} of {words}: {}", output.status);
}

/// The run that did not come to its end.
fn unfinished(lab: &Lab) -> String {
    let runs = lab.georepair("m1", &["runs", "list"]);
    let runs = String::from_utf8_lossy(&runs.stdout).into_owned();
    let run = runs.lines().find(|line| line.contains("unfinished")).expect("an unfinished run");
    run.split_whitespace().next().expect("its name").to_owned()
}

#[test]
fn killed_midway_it_goes_on_or_is_taken_back() {
    let Some(lab) = Lab::shared() else { return };
    // The tool's own look writes nothing: from a standing session every mark stays as it is.
    session::stop(&lab);
    let before = marks(&lab);
    let resync = "reset gv0 s1::gv0dr --level resync";
    kill_at(&lab, 6, resync);
    assert_ne!(marks(&lab), before, "step 4 was done");
    code(&georepair(&lab, &["runs", "undo", &unfinished(&lab), "--yes"]), 0);
    assert_eq!(marks(&lab), before);

    kill_at(&lab, 1, resync);
    for step in [2, 3, 4, 5, 6, 7, 8, 9] {
        kill_at(&lab, step, "runs resume");
    }
    code(&georepair(&lab, &["runs", "resume", "--yes"]), 0);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
    listing::wait_equal(&lab);
}

#[test]
fn one_node_that_cannot_be_asked_stops_everything() {
    let Some(lab) = Lab::shared() else { return };
    let sshd = lab.node("m2").processes(&["sshd"]);
    lab.node("m2").signal("KILL", &sshd);
    let rows = session::status(&lab);
    let refused = reset(&lab, &["resync", "--yes", "--override", "nodes"]);
    lab.node("m2").start_sshd();
    code(&refused, 3);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("refused, nothing was changed: nodes"), "{said}");
    assert_eq!(session::status(&lab), rows, "the session was not even stopped");
    let runs = lab.georepair("m1", &["runs", "list", "--format", "json"]);
    assert!(!String::from_utf8_lossy(&runs.stdout).contains("unfinished"));
}
