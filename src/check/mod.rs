//! Facts to findings: pure rules, one family a file.
//!
//! What the logs tell becomes drafts ([`reading`]: one incident, one code), drafts of one kind
//! become one ([`draft`]), causes find their effects ([`causes`]), what stops and configuration
//! changes explain becomes benign, and what went well afterwards is healed ([`healing`]).

mod advice;
mod bricks;
mod causes;
mod crashes;
mod diagnose;
mod draft;
mod healing;
mod known_bugs;
mod mounts;
mod preflight;
mod reading;
mod scene;

pub use bricks::{add_dropped, place_findings, questions};
pub use diagnose::diagnose;
pub use preflight::{Check, Verdict, preflight};
