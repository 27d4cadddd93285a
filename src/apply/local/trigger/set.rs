//! One object: looked at, recorded anew, never through a symlink.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, XattrFlags, statat};
use rustix::io::Errno;

use super::order::Fate;
use crate::domain::Gfid;
use crate::plan::Trigger;
use crate::scan::mount::{MountRoot, TRIGGER_SYNC, gfid_through, name_in};

/// What a worker has at hand: the directory that it was in last, since siblings follow each other.
#[derive(Default)]
pub(super) struct Desk {
    folder: Option<(Box<[u8]>, OwnedFd)>,
}

impl Desk {
    /// Has one object recorded anew by the bricks' changelogs.
    pub(super) fn set(&mut self, mount: &MountRoot, trigger: &Trigger) -> Fate {
        let path = trigger.at.name().as_bytes();
        let (folder, name) = match path.iter().rposition(|&byte| byte == b'/') {
            Some(at) => (path.get(..at).unwrap_or(b"."), path.get(at + 1..).unwrap_or_default()),
            None => (&b"."[..], path),
        };
        let said = self.folder(mount, folder).and_then(|dir| {
            look(dir, name, trigger)?;
            record(dir, name).or_else(|error| {
                // Was it refused because it has become something else in this moment?
                look(dir, name, trigger)?;
                Err(fate(error))
            })?;
            if trigger.folder { touch(dir, name) } else { Ok(()) }
        });
        match said {
            Ok(()) => Fate::Done,
            Err(said) => said,
        }
    }

    fn folder(&mut self, mount: &MountRoot, path: &[u8]) -> Result<BorrowedFd<'_>, Fate> {
        if self.folder.as_ref().is_none_or(|(held, _)| **held != *path) {
            // Let go first: a worker never holds two.
            self.folder = None;
            let opened = mount.way_to(path).map_err(fate)?;
            self.folder = Some((path.into(), opened));
        }
        match &self.folder {
            Some((_, opened)) => Ok(opened.as_fd()),
            None => Err(fate(Errno::NOENT)),
        }
    }
}

/// Makes sure that the object of the list stands there.
fn look(dir: BorrowedFd<'_>, name: &[u8], trigger: &Trigger) -> Result<(), Fate> {
    let about = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(fate)?;
    let kind = FileType::from_raw_mode(about.st_mode);
    let wanted = if trigger.folder { FileType::Directory } else { FileType::RegularFile };
    if kind != wanted {
        return Err(Fate::Failed("it has become something else".to_owned()));
    }
    if let Some(gfid) = trigger.gfid
        && !is_inode_of(about.st_ino, gfid)
        && gfid_through(dir, name).map_err(fate)? != Some(gfid)
    {
        return Err(Fate::Failed("another object stands there now".to_owned()));
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
fn touch(dir: BorrowedFd<'_>, name: &[u8]) -> Result<(), Fate> {
    let touched = rustix::fs::chownat(dir, name, None, None, AtFlags::SYMLINK_NOFOLLOW);
    touched.map_err(fate)
}

/// What an error means: for this object alone, or for all.
fn fate(error: Errno) -> Fate {
    match error {
        Errno::NOENT | Errno::NOTDIR => Fate::Failed("it is gone".to_owned()),
        Errno::LOOP | Errno::XDEV => {
            Fate::Failed("a symlink or another mount is in the way".to_owned())
        }
        Errno::OPNOTSUPP => Fate::Over(
            "the bricks refuse trigger-sync: is changelog.changelog off? \
             gluster volume get VOLUME changelog.changelog"
                .to_owned(),
        ),
        Errno::NOTCONN | Errno::ROFS => {
            Fate::Over(format!("the mount does not take it any more: {error}"))
        }
        error => Fate::Failed(error.to_string()),
    }
}
