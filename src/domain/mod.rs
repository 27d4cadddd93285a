//! The nouns everything else speaks in: no I/O, no clock.

mod audit;
mod code;
mod entry;
mod errno;
mod finding;
mod fop;
mod gfid;
pub mod hex;
mod mark;
mod name;
pub mod paths;
mod quantity;
mod reset;
mod session;
mod session_state;
mod time;
mod time_set;
mod user_error;
mod volume;

pub use audit::{AuditFinding, AuditHead, Fact, Facts};
pub use code::{Code, Family, Flag, Runbook, Severity};
pub use entry::EntryId;
pub use errno::Errno;
pub use finding::{
    Diagnosis, Evidence, FailedEntry, Finding, Observed, Remedy, Source, SourceKind, Verdict,
    Worker,
};
pub use fop::Fop;
pub use gfid::{Gfid, GfidError};
pub use mark::Mark;
pub use name::Name;
pub(crate) use name::twin;
pub use quantity::{counted, human_bytes};
pub use reset::{LevelKind, LevelRow, QUARANTINE, Resend, ResetOptions, SecondaryData};
pub use session::{SecondaryUrl, SecondaryUrlError, Session, Side, WorkerStatus};
#[cfg(test)]
pub(crate) use session_state::sample as session_sample;
pub use session_state::{
    BrickState, ClockOffset, Covered, FreeSpace, MarkNames, NodeReport, NodeState, OtherSession,
    Recorded, Release, SecondaryState, SessionState,
};
pub use time::Time;
pub use time_set::TimeSet;
pub use user_error::{Kind, UserError, in_one_line};
pub use volume::{Brick, Volume};
