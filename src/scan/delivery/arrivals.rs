//! What bricks hold of objects that should have arrived: names, type, mode, owner, size.

use rustix::fs::{AtFlags, CWD, statat};
use serde::{Deserialize, Serialize};

use crate::domain::Gfid;
use crate::scan::brick::{BrickError, BrickRoot};
use crate::scan::meter::Meter;
use crate::scan::resolve::{Query, Resolver, Status};

/// An object as a brick has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arrival {
    /// Which object.
    pub gfid: Gfid,
    /// Its names: the directory's gfid and the basename's bytes.
    pub names: Vec<(Gfid, Vec<u8>)>,
    /// How it is.
    pub about: Looks,
}

/// What both sides must have alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Looks {
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes; 0 for a directory.
    pub size: u64,
}

impl Looks {
    /// From what the system says of a file.
    #[must_use]
    pub fn of(stat: &rustix::fs::Stat) -> Self {
        let folder = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir();
        let size = if folder { 0 } else { u64::try_from(stat.st_size).unwrap_or_default() };
        Self { mode: stat.st_mode, uid: stat.st_uid, gid: stat.st_gid, size }
    }

    /// How another differs from this one, in words; nothing where it does not. Sizes are compared
    /// only where they can be.
    #[must_use]
    pub fn difference(&self, other: &Self, sizes: bool) -> Option<String> {
        if self.mode != other.mode {
            Some(format!("mode {:o} instead of {:o}", other.mode, self.mode))
        } else if (self.uid, self.gid) != (other.uid, other.gid) {
            let owner = |it: &Self| format!("{}:{}", it.uid, it.gid);
            Some(format!("owner {} instead of {}", owner(other), owner(self)))
        } else if sizes && self.size != other.size {
            Some(format!("{} bytes instead of {}", other.size, self.size))
        } else {
            None
        }
    }
}

/// What the bricks have of these objects, in the order asked.
///
/// # Errors
/// [`BrickError::Vanished`] where a brick went away meanwhile.
pub(super) fn arrivals(
    bricks: &[BrickRoot],
    gfids: &[Gfid],
) -> Result<Vec<Option<Arrival>>, BrickError> {
    let meter = Meter::default();
    let asked = gfids.iter().copied().map(Query::Gfid).collect();
    let answers = Resolver::new(bricks, &meter).answer(asked)?;
    let arrived = answers.iter().map(|answer| {
        let held =
            answer.bricks.iter().zip(bricks).find(|(sight, _)| {
                sight.status == Some(Status::Resolved) && sight.linkto.is_none()
            });
        let (sight, brick) = held?;
        let path = brick.path().join(sight.links.first()?.path.as_os_str());
        let about = Looks::of(&statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW).ok()?);
        let names = sight.links.iter().filter_map(|link| {
            let name = link.path.as_bytes().rsplit(|&byte| byte == b'/').next()?;
            Some((link.parent?, name.to_vec()))
        });
        Some(Arrival { gfid: answer.gfid?, names: names.collect(), about })
    });
    Ok(arrived.collect())
}
