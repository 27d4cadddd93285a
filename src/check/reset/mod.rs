//! Rules about a reset: what must hold before it, what each level costs, which one is recommended.

mod levels;
mod preflight;

pub use levels::{Recommendation, cost, recommendation};
pub use preflight::preflight;
