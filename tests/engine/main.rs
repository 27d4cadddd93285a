//! The plan engine: crashes, resumption, undo and drift, on a model world and on real files.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at surprises")]

mod commands;
mod crashes;
mod journal;
mod killed;
mod model;
mod panics;
mod peers;
mod plans;
mod real;
mod scripts;
#[path = "../support/skipped.rs"]
mod skipped;
#[path = "../support/mod.rs"]
mod support;
mod trigger;
