//! The lab: real `GlusterFS` geo-replication, broken on purpose, for tests to stand on.
#![expect(
    clippy::disallowed_methods,
    reason = "outside the product: to run programs, write files and read clocks is its work"
)]

/// Says something to whoever runs the tests, past libtest's capture of what passing tests print.
macro_rules! say {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        // Nobody listening is no reason to fail.
        drop(writeln!(std::io::stderr(), $($what)*));
    }};
}

mod audit;
mod audit_brick;
mod breakage;
mod capture;
mod changelog;
mod holder;
mod lab;
mod leftovers;
mod listing;
mod load;
mod mount;
mod node;
mod peers;
mod proof;
mod requirements;
mod reset;
mod resolve;
mod session;
mod shape;
mod switch;
mod trigger;
mod volume;
mod wait;
