//! Recipes: what is wished for, as a plan.

pub mod reset;
mod trigger_sync;

pub use reset::reset;

pub use trigger_sync::TriggerSync;
