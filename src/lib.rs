//! georepair: the fsck of `GlusterFS` geo-replication.

pub mod cli;
pub mod domain;
