//! The commands: one file each, flags to library calls and back.

pub(super) mod agent;
pub(super) mod apply;
pub(super) mod audit;
pub(super) mod changelog;
pub(super) mod diagnose;
pub(super) mod reset;
pub(super) mod resolve_gfid;
pub(super) mod runbook;
pub(super) mod runs;
pub(super) mod trigger_sync;
