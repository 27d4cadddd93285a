//! Is it delivered? Recorded by the primary's bricks, passed by the session, arrived over there.

mod arrivals;
mod node;
mod search;

pub use arrivals::{Arrival, Looks};
pub use node::{Answer, BrickLocation, Past, Question, Witness, serve};
pub use search::{Wanted, place};
