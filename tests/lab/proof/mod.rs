//! The tests of the lab.

mod breakages;
mod bringing_up;
mod by_hand;
mod distributed;
mod equality;
mod leaving;
