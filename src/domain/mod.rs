//! The nouns everything else speaks in: no I/O, no clock.

mod audit;
mod code;
mod entry;
mod errno;
mod failure;
mod finding;
mod fop;
mod gfid;
mod mark;
mod moments;
mod name;
mod reset;
mod session;
mod situation;
mod time;
mod volume;

pub use audit::{AuditFinding, AuditHead, Fact, Facts};
pub use code::{Code, Severity};
pub use entry::EntryId;
pub use errno::Errno;
pub use failure::{Diagnose, Kind, in_one_line};
pub use finding::{
    Diagnosis, Entry, Evidence, Finding, Remedy, Source, SourceKind, Verdict, Worker,
};
pub use fop::Fop;
pub use gfid::{Gfid, GfidError};
pub use mark::Mark;
pub use moments::Moments;
pub use name::Name;
pub use reset::{Leftovers, Level, QUARANTINE, ResetWish};
pub use session::{SecondaryUrl, SecondaryUrlError, Session, Side, WorkerStatus};
#[cfg(test)]
pub(crate) use situation::sample as situation_sample;
pub use situation::{
    BrickSight, Covered, FarSide, MarkNames, NodeLook, NodeSight, OtherSession, Recorded, Release,
    Room, Situation,
};
pub use time::Time;
pub use volume::{Brick, Volume};
