//! Facts to findings: pure rules, a folder for each subject.

pub mod brick;
pub mod compare;
pub mod logs;
pub mod reset;
pub mod setup;
