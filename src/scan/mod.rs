//! Looks at the world; never changes it.

mod brick;
mod changelogs;
mod chunks;
pub mod cluster;
mod follow;
mod gfids;
mod history;
mod incidents;
pub mod logs;
mod marks;
mod meter;
mod pending;
pub mod positions;
mod show;
mod sift;
pub mod situation;
mod stats;
mod told;
mod tracks;
mod whereabouts;
mod workers;

pub use brick::{BrickError, BrickRoot};
pub use changelogs::{Changelog, Changelogs, ChangelogsError, locate, read, read_htime};
pub use follow::Follower;
pub use gfids::{
    Ancestor, Answer, Asked, Link, ObjectKind, Resolver, Sight, Stale, StaleLink, Status, Via,
};
pub use history::{Damaged, Event, History, Pattern, Reuse, Span, Subject, dropped, history};
pub use incidents::{Incident, Incidents};
pub use marks::{Marks, marks_of};
pub use meter::Meter;
pub use pending::{Backlog, Pending, Resent, pending};
pub use show::{About, Op, Shown, Wish, show};
pub use stats::{Bucket, HotFolder, Stats, Unneeded, stats};
pub use told::{Told, Window};
pub use tracks::{Track, Tracks};
pub use workers::{SessionFolder, WorkerState, session_folders};
