//! A lab leaves nothing behind, however it ends, and does not see its neighbours.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::lab::Lab;
use crate::leftovers::Namespaces;
use crate::shape::REPLICATED;
use crate::{leftovers, mount, requirements, wait};

#[test]
fn a_lab_taken_down_leaves_nothing() {
    if !requirements::met() {
        return;
    }
    let before = leftovers::on_the_machine();
    let lab = Lab::up_without_session(REPLICATED);
    assert_eq!(leftovers::on_the_machine(), before, "nothing shows even while a lab is up");
    let (mark, namespaces) = (lab.mark().to_owned(), Namespaces::of(&lab));
    assert_eq!(namespaces.count(), 4, "three nodes and the switch");
    assert!(leftovers::processes(&mark, &namespaces).len() > 8, "there is much to leave behind");
    drop(lab);
    assert_eq!(leftovers::processes(&mark, &namespaces), [""; 0]);
    assert_eq!(leftovers::on_the_machine(), before);
}

/// SIGKILL gives no one a chance to clean up.
#[test]
fn a_killed_test_leaves_nothing() {
    if !requirements::met() {
        return;
    }
    let before = leftovers::on_the_machine();
    let mut child = Command::new(std::env::current_exe().expect("this test binary"))
        .args(["proof::leaving::is_killed", "--exact", "--ignored"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test binary starts");
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let line = lines.map_while(Result::ok).find_map(|l| Some(l.split_once("LAB ")?.1.to_owned()));
    let line = line.expect("the child says what it brought up");
    let mut words = line.split(' ').map(str::to_owned);
    let mark = words.next().expect("a mark");
    let firsts = words.map(|word| word.parse().expect("a process"));
    let namespaces = Namespaces::of_processes(firsts);
    assert!(leftovers::processes(&mark, &namespaces).len() > 8, "there is much to leave behind");
    child.kill().expect("SIGKILL");
    child.wait().expect("it is dead");
    wait::happens("every process of the killed lab is gone", || {
        leftovers::processes(&mark, &namespaces).is_empty()
    });
    assert_eq!(leftovers::on_the_machine(), before);
}

/// Not a test: the process that `a_killed_test_leaves_nothing` kills.
#[test]
#[ignore = "is started and killed by another test"]
fn is_killed() {
    let lab = Lab::up_without_session(REPLICATED);
    let firsts: Vec<String> = leftovers::firsts(&lab).iter().map(u32::to_string).collect();
    say!("\nLAB {} {}", lab.mark(), firsts.join(" "));
    std::thread::sleep(std::time::Duration::from_mins(5));
}

/// What is built here is found and runs on a node, though most of its filesystem is its own.
#[test]
fn a_node_can_run_georepair() {
    let Some(lab) = Lab::shared() else { return };
    let output = lab.georepair("s1", &["--version"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lab.run_on("s1", &["uname", "-n"]).trim(), "s1");
}

#[test]
fn two_labs_do_not_see_each_other() {
    let Some(one) = Lab::shared() else { return };
    let other = Lab::up_without_session(REPLICATED);
    std::fs::write(one.on_primary("mine"), "one").expect("a file in one lab");
    assert!(!other.on_primary("mine").exists(), "the other lab has volumes of its own");
    assert_eq!(one.primary().address(), other.primary().address(), "though all names are equal");
    let mounted = one.primary().run_on(&["cat", "/proc/mounts"]);
    assert_eq!(mounted.matches(mount::ON_PRIMARY).count(), 1, "{mounted}");
    drop(other);
    assert_eq!(std::fs::read(one.on_primary("mine")).expect("still there"), b"one");
    std::fs::remove_file(one.on_primary("mine")).expect("removed");
    crate::session::live(&one);
}
