//! Rules about a set-up: would a session work between these two sides?

mod node;
mod ready;

pub use node::{both_options, primary_options, room, site};
pub use ready::{Need, Pass, ready};
