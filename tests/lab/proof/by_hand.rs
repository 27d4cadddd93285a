//! A lab to work in by hand: `cargo test --test lab hand::replicated -- --ignored`; and figures taken on one.

use std::io::Read;

use crate::lab::Lab;
use crate::shape::{DISTRIBUTED, REPLICATED};
use crate::volume::{self, PRIMARY, SECONDARY};
use crate::{listing, mount, session, wait};

/// Brings a lab up, says how to enter its nodes, and keeps it until end of input (Ctrl-D).
#[test]
#[ignore = "waits for a person"]
fn replicated() {
    hold(REPLICATED);
}

/// The same in the distributed shape.
#[test]
#[ignore = "waits for a person"]
fn distributed() {
    hold(DISTRIBUTED);
}

fn hold(shape: crate::shape::Shape) {
    let lab = Lab::up_without_session(shape);
    for node in lab.nodes() {
        say!("{}: nsenter --all --target {} --wd=/root bash", node.name(), node.init());
    }
    session::create(&lab);
    session::start(&lab);
    session::live(&lab);
    say!("The lab is gone when this input ends (Ctrl-D).");
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
}

/// Says how many of twenty session starts come up deaf.
#[test]
#[ignore = "takes minutes; for the figure in README.md"]
fn how_many_starts_are_deaf() {
    let (lab, times) = Lab::up(REPLICATED);
    for _ in 0..10 {
        session::stop(&lab);
        session::start(&lab);
        session::live(&lab);
    }
    say!("{times:?}; ten restarts took {} more, because so many were deaf", lab.stalls());
}

/// Compares both sides by `audit session` and by `rsync -an --delete` between two ordinary mounts,
/// in turns.
#[test]
#[ignore = "takes minutes; for the figure in README.md"]
fn how_fast_the_audit_is() {
    let (lab, _) = Lab::up(REPLICATED);
    let top = lab.on_primary("many");
    for n in 0..2000 {
        let dir = top.join(format!("folder-{n}"));
        std::fs::create_dir_all(&dir).expect("a directory");
        for file in 0..10 {
            std::fs::write(dir.join(format!("file-{file}")), format!("{n} {file}"))
                .expect("a file");
        }
    }
    let last = lab.on_secondary("many/folder-1999/file-9");
    assert!(wait::poll(900, || last.exists().then_some(())).is_some(), "they arrive");
    listing::wait_equal(&lab);
    mount::mount_as_operators_do(&lab, "m1", PRIMARY, "/mnt/plain");
    mount::mount_as_operators_do(&lab, "s1", SECONDARY, "/mnt/plain");
    say!("{} has arrived", top.display());
    beside_rsync(&lab, "bricks in memory");
    session::stop(&lab);
    volume::put_away(&lab, "m1", PRIMARY);
    volume::put_away(&lab, "s1", SECONDARY);
    beside_rsync(&lab, "bricks half a ms away");
}

fn beside_rsync(lab: &Lab, bricks: &str) {
    let [here, there] = ["m1", "s1"].map(|node| lab.node(node).path("/mnt/plain/"));
    for mounted in [&here, &there] {
        wait::happens("the mount's bricks are back", || mounted.join("many/folder-0").exists());
    }
    for round in 0..3 {
        let rsync = timed(
            std::process::Command::new("rsync")
                .args(["-an", "--delete"])
                .args([here.as_os_str(), there.as_os_str()]),
        );
        let started = std::time::Instant::now();
        let told = lab.georepair("m1", &["--quiet", "audit", "session", "gv0", session::URL]);
        let by_name = started.elapsed();
        assert_eq!(told.status.code(), Some(0), "{told:?}");
        let mut audit = std::process::Command::new(crate::lab::program());
        audit.args(["--quiet", "audit", "session", "--primary-brick"]);
        audit.arg(lab.node("m1").path("/srv/bricks/gv0")).arg("--primary-brick");
        audit.arg(lab.node("m2").path("/srv/bricks/gv0")).arg("--secondary-brick");
        audit.arg(lab.node("s1").path("/srv/bricks/gv0dr"));
        let by_bricks = timed(&mut audit);
        say!(
            "{bricks}, round {round}: rsync {rsync:.2?}, audit by name {by_name:.2?}, by bricks {by_bricks:.2?}"
        );
    }
}

fn timed(command: &mut std::process::Command) -> std::time::Duration {
    let started = std::time::Instant::now();
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    started.elapsed()
}
