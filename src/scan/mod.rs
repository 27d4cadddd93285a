//! Looks at the world; never changes it.

pub mod brick;
pub mod changelog;
pub mod cluster;
pub mod delivery;
pub mod integrity;
pub mod inventory;
pub mod logs;
mod meter;
pub mod mount;
pub mod resolve;
pub mod session;

pub use meter::Meter;
