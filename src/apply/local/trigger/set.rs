//! Sets the trigger on one object, never through a symlink.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, XattrFlags, statat};
use rustix::io::Errno;

use super::order::Outcome;
use crate::domain::Gfid;
use crate::plan::Trigger;
use crate::scan::mount::{MountRoot, TRIGGER_SYNC, gfid_through, name_in};

/// The directory that a worker opened last, as siblings follow each other.
#[derive(Default)]
pub(super) struct DirCache {
    folder: Option<(Box<[u8]>, OwnedFd)>,
}

impl DirCache {
    /// Has one object recorded again by the bricks' changelogs.
    pub(super) fn set(&mut self, mount: &MountRoot, trigger: &Trigger) -> Outcome {
        let path = trigger.at.name().as_bytes();
        let (folder, name) = match path.iter().rposition(|&byte| byte == b'/') {
            Some(at) => (path.get(..at).unwrap_or(b"."), path.get(at + 1..).unwrap_or_default()),
            None => (&b"."[..], path),
        };
        let done = self.folder(mount, folder).and_then(|dir| {
            check_object(dir, name, trigger)?;
            record(dir, name).or_else(|error| {
                // Refused perhaps because it was replaced in this moment.
                check_object(dir, name, trigger)?;
                Err(outcome_of(error))
            })?;
            if trigger.folder { touch(dir, name) } else { Ok(()) }
        });
        match done {
            Ok(()) => Outcome::Done,
            Err(outcome) => outcome,
        }
    }

    fn folder(&mut self, mount: &MountRoot, path: &[u8]) -> Result<BorrowedFd<'_>, Outcome> {
        if self.folder.as_ref().is_none_or(|(held, _)| **held != *path) {
            // Closed first: a worker never holds two.
            self.folder = None;
            let opened = mount.way_to(path).map_err(outcome_of)?;
            self.folder = Some((path.into(), opened));
        }
        match &self.folder {
            Some((_, opened)) => Ok(opened.as_fd()),
            None => Err(outcome_of(Errno::NOENT)),
        }
    }
}

/// Checks that the path still has the object of the list.
fn check_object(dir: BorrowedFd<'_>, name: &[u8], trigger: &Trigger) -> Result<(), Outcome> {
    let about = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(outcome_of)?;
    let kind = FileType::from_raw_mode(about.st_mode);
    let wanted = if trigger.folder { FileType::Directory } else { FileType::RegularFile };
    if kind != wanted {
        return Err(Outcome::Failed("its type has changed".to_owned()));
    }
    if let Some(gfid) = trigger.gfid
        && !is_inode_of(about.st_ino, gfid)
        && gfid_through(dir, name).map_err(outcome_of)? != Some(gfid)
    {
        return Err(Outcome::Failed("another object has its path now".to_owned()));
    }
    Ok(())
}

/// A mount's inode number is the lower half of the gfid (glusterfs `gfid_to_ino`).
fn is_inode_of(inode: u64, gfid: Gfid) -> bool {
    gfid.as_bytes().last_chunk().is_some_and(|half| u64::from_be_bytes(*half) == inode)
}

#[expect(clippy::disallowed_methods, reason = "trigger-sync: asks the changelog for a new record")]
fn record(dir: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    rustix::fs::lsetxattr(name_in(dir, name), TRIGGER_SYNC, b"1", XattrFlags::empty())
}

/// A SETATTR of nothing: it changes neither owner nor mode and is recorded all the same, so that
/// gsyncd sends both. (A directory is recorded as made by the caller, with mode 0755.)
#[expect(clippy::disallowed_methods, reason = "chown to nobody changes nothing but the ctime")]
fn touch(dir: BorrowedFd<'_>, name: &[u8]) -> Result<(), Outcome> {
    let touched = rustix::fs::chownat(dir, name, None, None, AtFlags::SYMLINK_NOFOLLOW);
    touched.map_err(outcome_of)
}

/// Whether an error affects this object alone, or all.
fn outcome_of(error: Errno) -> Outcome {
    match error {
        Errno::NOENT | Errno::NOTDIR => Outcome::Failed("it no longer exists".to_owned()),
        Errno::LOOP | Errno::XDEV => {
            Outcome::Failed("a symlink or another mount is in its path".to_owned())
        }
        Errno::OPNOTSUPP => Outcome::Over(
            "the bricks refuse trigger-sync: is changelog.changelog off? \
             gluster volume get VOLUME changelog.changelog"
                .to_owned(),
        ),
        Errno::NOTCONN | Errno::ROFS => {
            Outcome::Over(format!("the mount refuses changes: {error}"))
        }
        error => Outcome::Failed(error.to_string()),
    }
}
