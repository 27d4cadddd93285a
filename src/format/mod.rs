//! Bytes to nouns and back: total functions over slices.

pub mod changelog;
pub mod facts;
pub mod fields;
mod findings;
pub mod htime;
pub mod literal;
pub mod logline;
pub mod mountinfo;
pub mod release;
pub mod saying;
pub mod traceback;
pub mod volfile;
pub mod volxml;

pub use findings::{gfids_of_document, gfids_of_finding};
