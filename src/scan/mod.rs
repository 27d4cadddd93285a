//! Looks at the world; never changes it.

mod chunks;
mod follow;
mod incidents;
pub mod logs;
mod meter;
pub mod positions;
mod sift;
mod told;
mod tracks;
mod whereabouts;

pub use follow::Follower;
pub use incidents::{Incident, Incidents};
pub use meter::Meter;
pub use told::{Told, Window};
pub use tracks::{Track, Tracks};
