//! Bytes to nouns and back: total functions over slices.

pub mod changelog;
pub mod conf;
pub mod fields;
mod findings;
pub mod htime;
pub mod literal;
pub mod log_fields;
pub mod log_message;
pub mod logline;
pub mod mountinfo;
pub mod release;
pub mod traceback;
pub mod volfile;
pub mod volxml;

pub use findings::{gfids_of_document, gfids_of_finding};
