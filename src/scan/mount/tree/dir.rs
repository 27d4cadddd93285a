//! One directory of a mount, read with what must be known of each entry.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;

use crate::domain::{Gfid, Name};
use crate::scan::brick::read_entries;
use crate::scan::meter::Meter;
use crate::scan::mount::{MountRoot, gfid_through};
use crate::scan::resolve::ObjectKind;

/// Directories that translators keep at the root for themselves; no session copies them.
const INTERNAL: [&[u8]; 2] = [b".glusterfs-anonymous-inode-", b".trashcan"];

/// An object as a mount shows it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) path: Name,
    pub(super) kind: ObjectKind,
    /// How many names it has; 1 unless it is a regular file.
    pub(super) links: u64,
    pub(super) gfid: Result<Gfid, Errno>,
}

impl Seen {
    pub(super) fn is_root(&self) -> bool {
        self.path.as_bytes() == b"."
    }
}

/// Reads one object below the mount; its last name is not followed.
pub(super) fn read_object(mount: &MountRoot, path: &Name) -> Result<Seen, Errno> {
    let bytes = path.as_bytes();
    let (folder, name) = match bytes.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (bytes.get(..at).unwrap_or(b"."), bytes.get(at + 1..).unwrap_or_default()),
        None => (&b"."[..], bytes),
    };
    let dir = mount.way_to(folder)?;
    read_in(dir.as_fd(), path.clone(), name, FileType::Unknown)
}

/// Reads a directory below the mount, its entries sorted by name.
pub(super) fn read_folder(
    mount: &MountRoot,
    path: &Name,
    meter: &Meter,
) -> Result<Vec<Seen>, Errno> {
    let dir = mount.folder(path.as_bytes())?;
    let root = path.as_bytes() == b".";
    let mut names: Vec<(Box<[u8]>, FileType)> = Vec::new();
    read_entries(dir.as_fd(), &mut Vec::new(), |name, _, kind| {
        if !(root && INTERNAL.iter().any(|internal| name.starts_with(internal))) {
            names.push((name.into(), kind));
        }
    })?;
    names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    meter.folders.fetch_add(1, Ordering::Relaxed);
    meter.entries.fetch_add(names.len() as u64, Ordering::Relaxed);
    let seen = names.into_par_iter().map(|(name, kind)| {
        let full = if root {
            Name::from(&name)
        } else {
            Name::from([path.as_bytes(), b"/", &name].concat())
        };
        match read_in(dir.as_fd(), full.clone(), &name, kind) {
            // Its name is known: the error is reported with it.
            Err(error) => Seen { path: full, kind: ObjectKind::File, links: 1, gfid: Err(error) },
            Ok(seen) => seen,
        }
    });
    Ok(seen.collect())
}

fn read_in(dir: BorrowedFd<'_>, path: Name, name: &[u8], kind: FileType) -> Result<Seen, Errno> {
    let (kind, links) = match kind {
        FileType::RegularFile | FileType::Unknown => {
            let about = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
            (FileType::from_raw_mode(about.st_mode), about.st_nlink)
        }
        kind => (kind, 1),
    };
    let kind = match kind {
        FileType::Directory => ObjectKind::Directory,
        FileType::RegularFile => ObjectKind::File,
        FileType::Symlink => ObjectKind::Symlink,
        _ => ObjectKind::Special,
    };
    let wanted = matches!(kind, ObjectKind::Directory | ObjectKind::File);
    let gfid =
        if wanted { gfid_through(dir, name)?.ok_or(Errno::NODATA) } else { Err(Errno::NODATA) };
    Ok(Seen { path, kind, links: if kind == ObjectKind::File { links } else { 1 }, gfid })
}
