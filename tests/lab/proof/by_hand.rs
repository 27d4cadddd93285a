//! A lab to work in by hand: `cargo test --test lab hand::replicated -- --ignored`.

use std::io::Read;

use crate::lab::Lab;
use crate::session;
use crate::shape::{DISTRIBUTED, REPLICATED};

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
