//! Recipes: what is wished for, as a plan.

pub mod reset;
mod trigger_sync;

pub use trigger_sync::TriggerSync;
