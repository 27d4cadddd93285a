//! Rules about a reset: what must hold before it, which level is recommended.

mod levels;
mod preflight;

pub use levels::{Advice, Offer, advice, offer, offers};
pub use preflight::{Check, Verdict, preflight};
