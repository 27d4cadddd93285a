//! The tests of the lab.

mod bringing_up;
mod by_hand;
mod breakages;
