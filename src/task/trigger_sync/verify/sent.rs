//! The objects that were sent: read from the run's list, each with the gfid of its directory.

use std::collections::HashMap;
use std::os::fd::AsFd as _;
use std::path::Path;

use rustix::fs::{AtFlags, statat};

use crate::apply::{ManifestError, ManifestReader};
use crate::domain::{Gfid, Name};
use crate::plan::{Bulk, Manifest, NodePath, Pace, Trigger};
use crate::scan::delivery::{Arrival, Looks, Wanted, place};
use crate::scan::mount::{MountRoot, gfid_through};

/// An object that should arrive.
#[derive(Debug)]
pub(in super::super) struct Sent {
    at: NodePath,
    pub(super) gfid: Gfid,
    parent: Gfid,
    folder: bool,
}

impl Sent {
    pub(super) fn path(&self) -> Name {
        Name::from(self.at.name().as_bytes())
    }

    /// Its records, as the bricks search for them.
    pub(super) fn wanted(&self) -> Wanted {
        let (_, name) = split(self.at.name().as_bytes());
        Wanted { gfid: self.gfid, place: place(self.parent, name), folder: self.folder }
    }

    /// What is wrong with it on the secondary; `None` if nothing is.
    pub(super) fn problem(
        &self,
        mount: &MountRoot,
        arrival: &Arrival,
        sizes: bool,
    ) -> Option<String> {
        let (above, name) = split(self.at.name().as_bytes());
        let here = (self.parent, name);
        if !arrival.names.iter().any(|(parent, name)| (*parent, name.as_slice()) == here) {
            return Some("different name or directory on the secondary".to_owned());
        }
        let folder = mount.way_to(above).ok()?;
        // Deleted on the primary meanwhile: nothing has to arrive.
        let about = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Looks::of(&about).difference(&arrival.about, sizes)
    }
}

/// Reads the list of a run again.
pub(in super::super) fn read_list(
    mount: &MountRoot,
    lists: &Path,
    manifest: &Manifest,
) -> Result<Vec<Sent>, ManifestError> {
    let bulk = Bulk::TriggerSync { mount: NodePath::from(mount.path()), pace: Pace::default() };
    let mut reader = ManifestReader::open(lists, manifest)?;
    let mut folders: HashMap<Vec<u8>, Gfid> = HashMap::from([(b".".to_vec(), Gfid::ROOT)]);
    let mut sent = Vec::new();
    loop {
        let batch = reader.batch(&bulk)?;
        if batch.is_empty() {
            return Ok(sent);
        }
        for trigger in batch.iter().filter_map(|item| item.trigger()) {
            let Trigger { at, folder, gfid: Some(gfid) } = trigger else { continue };
            let path = at.name().as_bytes();
            if *folder {
                folders.insert(path.to_vec(), *gfid);
            }
            if path == b"." {
                // The volume's root has no name: nothing can be recorded or missing.
                continue;
            }
            let (above, _) = split(path);
            let known = folders.get(above).copied();
            let parent = known.or_else(|| gfid_of(mount, above)).unwrap_or(Gfid::ROOT);
            if known.is_none() {
                folders.insert(above.to_vec(), parent);
            }
            sent.push(Sent { at: at.clone(), gfid: *gfid, parent, folder: *folder });
        }
    }
}

/// A path below the mount in directory and name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        None => (b".", path),
    }
}

fn gfid_of(mount: &MountRoot, folder: &[u8]) -> Option<Gfid> {
    let folder = mount.way_to(folder).ok()?;
    gfid_through(folder.as_fd(), b".").ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_directory_and_a_name() {
        assert_eq!(split(b"a/b/c"), (&b"a/b"[..], &b"c"[..]));
        assert_eq!(split(b"a"), (&b"."[..], &b"a"[..]));
    }

    #[test]
    fn an_object_is_looked_for_by_its_directory_and_name() {
        let (gfid, parent) = (Gfid::from_bytes([7; 16]), Gfid::from_bytes([8; 16]));
        let sent = Sent { at: NodePath::from("a/b"), gfid, parent, folder: true };
        assert_eq!(sent.wanted(), Wanted { gfid, place: place(parent, b"b"), folder: true });
    }
}
