//! Rules about a setup: would a session work between these two sides?

mod node;
mod ready;

pub use node::{both_options, node_findings, primary_options, room};
pub use ready::ready;
