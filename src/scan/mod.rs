//! Looks at the world; never changes it.

mod brick;
mod changelogs;
mod chunks;
pub mod cluster;
pub mod delivery;
mod follow;
mod gfids;
mod history;
mod history_index;
mod incidents;
pub mod inventory;
pub mod logs;
mod marks;
mod meter;
mod mount;
mod pending;
pub mod positions;
mod readiness;
mod show;
mod sift;
mod site;
pub mod situation;
mod soundness;
mod stats;
mod told;
mod tracks;
mod tree;
mod walk;
mod whereabouts;
mod workers;

pub use brick::{BrickError, BrickRoot};
pub use changelogs::{Changelog, Changelogs, ChangelogsError, locate, read, read_htime};
pub use follow::Follower;
pub use gfids::{
    Ancestor, Answer, Asked, Link, ObjectKind, Resolver, Sight, Stale, StaleLink, Status, Via,
};
pub use history::{Damaged, Event, History, Pattern, Reuse, Span, Subject, dropped, history};
pub use history_index::{HistoryIndex, Htime, history_index};
pub use incidents::{Incident, Incidents};
pub use marks::{Marks, marks_of};
pub use meter::Meter;
pub use mount::{MountError, MountRoot, TRIGGER_SYNC, gfid_through, name_in};
pub use pending::{Backlog, Pending, Resent, pending};
pub use readiness::{Readiness, Seen, readiness};
pub use show::{About, NamePattern, Op, Shown, Wish, show};
pub use site::{Door, Site, Space, door, reach, site};
pub use soundness::{Flaw, Flawed, Records, Soundness, soundness};
pub use stats::{Bucket, HotFolder, Stats, Unneeded, stats};
pub use told::{Told, Window};
pub use tracks::{Track, Tracks};
pub use tree::{AskedPath, Entry, Selection, Tally, TreeError, collect};
pub use workers::{SessionFolder, WorkerState, has_volume, session_folders};
