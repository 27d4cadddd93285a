//! A lab to work in by hand: `cargo test --test lab hand::replicated -- --ignored`; and figures taken on one.

use std::io::Read;

use crate::lab::Lab;
use crate::shape::{DISTRIBUTED, REPLICATED};
use crate::{listing, mount, session};

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
#[ignore = "takes minutes; for the figure in CONTRIBUTING.md"]
fn how_fast_the_audit_is() {
    let (lab, _) = Lab::up(REPLICATED);
    let top = lab.on_primary("many");
    for n in 0..100 {
        let dir = top.join(format!("folder-{n}"));
        std::fs::create_dir_all(&dir).expect("a directory");
        for file in 0..100 {
            std::fs::write(dir.join(format!("file-{file}")), format!("{n} {file}"))
                .expect("a file");
        }
    }
    listing::wait_equal(&lab);
    plain_mount(&lab, "m1", "gv0");
    plain_mount(&lab, "s1", "gv0dr");
    let [here, there] = ["m1", "s1"].map(|node| lab.node(node).path("/mnt/plain/"));
    for round in 0..4 {
        let rsync = timed(
            std::process::Command::new("rsync")
                .args(["-an", "--delete"])
                .args([here.as_os_str(), there.as_os_str()]),
        );
        let started = std::time::Instant::now();
        let told = lab.georepair("m1", &["--quiet", "audit", "session", "gv0", session::URL]);
        let by_name = started.elapsed();
        assert_eq!(told.status.code(), Some(0), "{told:?}");
        let mut audit = std::process::Command::new(env!("CARGO_BIN_EXE_georepair"));
        audit.args(["--quiet", "audit", "session", "--primary-brick"]);
        audit.arg(lab.node("m1").path("/srv/bricks/gv0")).arg("--primary-brick");
        audit.arg(lab.node("m2").path("/srv/bricks/gv0")).arg("--secondary-brick");
        audit.arg(lab.node("s1").path("/srv/bricks/gv0dr"));
        let by_bricks = timed(&mut audit);
        say!(
            "round {round}: rsync {rsync:.2?}, audit by name {by_name:.2?}, by bricks {by_bricks:.2?}"
        );
    }
}

/// A mount of a volume as users have it, with its caches.
fn plain_mount(lab: &Lab, node: &str, volume: &str) {
    let server = format!("--volfile-server={node}");
    let volfile = format!("--volfile-id={volume}");
    lab.run_on(node, &["mkdir", "-p", "/mnt/plain"]);
    lab.run_on(node, &["glusterfs", &server, &volfile, "/mnt/plain"]);
    mount::answers(lab.node(node), "/mnt/plain");
}

fn timed(command: &mut std::process::Command) -> std::time::Duration {
    let started = std::time::Instant::now();
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    started.elapsed()
}
