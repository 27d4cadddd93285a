//! Looks at the world; never changes it.

mod brick;
mod chunks;
mod follow;
mod gfids;
mod incidents;
pub mod logs;
mod meter;
pub mod positions;
mod sift;
mod told;
mod tracks;
mod whereabouts;

pub use brick::{BrickError, BrickRoot};
pub use follow::Follower;
pub use gfids::{
    Ancestor, Answer, Asked, Link, ObjectKind, Resolver, Sight, Stale, StaleLink, Status, Via,
};
pub use incidents::{Incident, Incidents};
pub use meter::Meter;
pub use told::{Told, Window};
pub use tracks::{Track, Tracks};
