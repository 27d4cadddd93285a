//! Progress of a run, and the request to stop it.

use crate::plan::Step;

/// Receives the progress of a run, and may ask it to stop.
pub trait Watch {
    /// A step starts.
    fn begins(&mut self, _step: &Step) {}

    /// A step is done; `changed` is false if nothing had to be done.
    fn ends(&mut self, _step: &Step, _changed: bool) {}

    /// How many items of a bulk step are done, by this process or earlier ones.
    fn advances(&mut self, _step: &Step, _items: u64) {}

    /// A bulk step is paused, and why; repeated while it is.
    fn waits(&mut self, _step: &Step, _why: &str) {}

    /// Whether to stop after the current step or batch.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Ignores all progress.
impl Watch for () {}
