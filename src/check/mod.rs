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
mod handles;
mod healing;
mod history_index;
mod known_bugs;
mod levels;
mod marks;
mod mounts;
mod preflight;
mod reading;
mod ready;
mod scene;
pub mod sides;
mod site;

pub use bricks::{add_dropped, place_findings, questions};
pub use diagnose::diagnose;
pub use handles::handles;
pub use history_index::history_index;
pub use levels::{Advice, Offer, advice, offer, offers};
pub use marks::{KnownSession, marks};
pub use preflight::{Check, Verdict, preflight};
pub use ready::{Need, Pass, ready};
pub use site::{both_options, primary_options, room, site};
