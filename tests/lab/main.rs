//! The lab: real `GlusterFS` geo-replication, broken on purpose, for tests to stand on.
#![expect(
    clippy::disallowed_methods,
    reason = "the lab is outside the product: running programs, writing files and reading the clock is its work"
)]

mod breakage;
mod capture;
mod holder;
mod lab;
mod leftovers;
mod listing;
mod mount;
mod node;
mod proof;
mod requirements;
mod session;
mod shape;
mod switch;
mod volume;
mod wait;
