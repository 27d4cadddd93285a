//! Directories that `GlusterFS` keeps for itself: no objects of users, and not replicated.

use std::os::fd::AsFd as _;

use rustix::io::Errno;

use super::read::open_root;
use crate::domain::Gfid;
use crate::scan::brick::{BrickRoot, gfid_of, read_entries};

/// `.shard`: its children are parts of users' files.
pub(super) const SHARD: Gfid = gfid(0xbe31_8638_e8a0_4c6d_977d_7a93_7aa8_4806);

/// The same in every volume: `.trashcan`, `.trashcan/internal_op`, `.shard`, `.shard/.remove_me`
/// (`glusterfs.h`, `shard.h`).
pub(super) const IN_EVERY_VOLUME: [Gfid; 4] =
    [gfid(5), gfid(6), SHARD, gfid(0x77dd_5a45_dbf5_4592_b31b_b440_3823_02e9)];

const fn gfid(id: u128) -> Gfid {
    Gfid::from_bytes(id.to_be_bytes())
}

/// The gfids of `.glusterfs-anonymous-inode-…`: each volume has its own.
pub(super) fn anonymous_inodes(brick: &BrickRoot) -> Result<Vec<Gfid>, Errno> {
    let root = open_root(brick)?;
    let mut names = Vec::new();
    read_entries(root.as_fd(), &mut Vec::new(), |name, _, _| {
        if name.starts_with(b".glusterfs-anonymous-inode-") {
            names.push(name.to_vec());
        }
    })?;
    let gfids: Result<Vec<_>, _> = names.iter().map(|name| gfid_of(root.as_fd(), name)).collect();
    Ok(gfids?.into_iter().flatten().collect())
}
