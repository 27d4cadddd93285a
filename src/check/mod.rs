//! Facts to findings: pure rules, a folder for each subject.

pub mod brick;
mod check_list;
pub mod compare;
pub mod logs;
pub mod reset;
pub mod setup;

pub use check_list::{Check, CheckStatus};
