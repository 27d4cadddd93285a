//! Recipes: what is wished for, as a plan.

mod trigger_sync;

pub use trigger_sync::TriggerSync;
