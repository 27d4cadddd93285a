//! From what was found to what shall be so: one file for each repair or level of a reset.

pub mod reset;
