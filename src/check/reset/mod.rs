//! Rules about a reset: what must hold before it, which level is recommended.

mod levels;
mod preflight;

pub use levels::{LevelInfo, Recommendation, advice, offer, offers};
pub use preflight::{Check, CheckStatus, preflight};
