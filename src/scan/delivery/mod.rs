//! Is it delivered? Recorded by the primary's bricks, passed by the session, arrived over there.

mod arrivals;
mod search;
mod witness;

pub use arrivals::{Arrival, Looks};
pub use search::{Wanted, place};
pub use witness::{Answer, Past, Question, Witness, serve};
