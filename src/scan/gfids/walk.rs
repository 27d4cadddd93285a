//! One step of the way down: a directory opened once, and all that a batch wants in it.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use super::answer::Stale;
use super::look::{Claim, Object};
use super::tree::{Fate, Tree};
use crate::domain::Gfid;
use crate::scan::brick::{BrickRoot, Place, gfid_of, read_entries};

/// What is to be looked at in one directory.
#[derive(Debug, Default)]
pub(super) struct Wants {
    folders: Vec<Gfid>,
    /// Claims, as index of the object and of its claim.
    names: Vec<(usize, usize)>,
    /// Inodes with a name in here by `trusted.pgfid.*`, and their objects' indices.
    inodes: HashMap<u64, usize>,
}

/// What was seen in one directory.
#[derive(Debug, Default)]
pub(super) struct Visit {
    pub(super) fates: Vec<(Gfid, Fate)>,
    pub(super) further: Vec<(Gfid, Place)>,
    /// Object, claim, and what is wrong with it.
    pub(super) names: Vec<(usize, usize, Option<Stale>)>,
    /// Objects and names of theirs that no claim told.
    pub(super) found: Vec<(usize, Claim)>,
}

/// The walk down from the root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'a> {
    pub(super) brick: &'a BrickRoot,
    pub(super) tree: &'a Tree,
    pub(super) objects: &'a [&'a Object],
    pub(super) wants: &'a HashMap<Gfid, Wants>,
}

impl Wants {
    /// What a batch wants, by directory.
    pub(super) fn by_folder(tree: &Tree, objects: &[&Object]) -> HashMap<Gfid, Self> {
        let mut wants: HashMap<Gfid, Self> = HashMap::new();
        for (gfid, claim) in tree.claims() {
            wants.entry(claim.parent).or_default().folders.push(gfid);
        }
        for (index, object) in objects.iter().enumerate() {
            for (number, claim) in object.claims.iter().enumerate() {
                wants.entry(claim.parent).or_default().names.push((index, number));
            }
            for parent in &object.parents {
                wants.entry(*parent).or_default().inodes.insert(object.inode, index);
            }
        }
        wants
    }
}

impl Walk<'_> {
    /// Looks at what is wanted in one directory.
    pub(super) fn visit(&self, gfid: Gfid, place: &Place) -> Visit {
        let mut visit = Visit::default();
        let Some(here) = self.wants.get(&gfid) else { return visit };
        let own = match place.open(true) {
            Ok(own) => Arc::new(own),
            Err(error) => {
                let (fate, stale) = not_opened(error);
                visit.fates.extend(here.folders.iter().map(|gfid| (*gfid, fate)));
                visit.names.extend(here.names.iter().map(|(o, c)| (*o, *c, Some(stale))));
                return visit;
            }
        };
        for &gfid in &here.folders {
            let Some(claim) = self.tree.claim(gfid) else { continue };
            let fate = fate_of(gfid, gfid_of(own.as_fd(), &claim.name));
            if fate == Fate::Proven && self.wants.contains_key(&gfid) {
                visit.further.push((gfid, place.child(&claim.name, &own)));
            }
            visit.fates.push((gfid, fate));
        }
        for &(index, number) in &here.names {
            let Some(object) = self.objects.get(index) else { continue };
            let Some(claim) = object.claims.get(number) else { continue };
            visit.names.push((index, number, self.doubt(object, &own, &claim.name)));
        }
        if !here.inodes.is_empty() {
            visit.found = self.list(gfid, here, &own);
        }
        visit
    }

    /// What is wrong with a name of an object, if anything is.
    fn doubt(&self, object: &Object, dir: &OwnedFd, name: &[u8]) -> Option<Stale> {
        match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(at) if at.st_ino == object.inode && at.st_dev == self.brick.device() => None,
            Ok(_) => Some(Stale::OtherObject),
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Some(Stale::NoSuchName),
            Err(_) => Some(Stale::Unreadable),
        }
    }

    /// Lists a directory for the inodes that `trusted.pgfid.*` says have a name in it. Where that
    /// fails the names stay unseen, and the scan of the namespace meets the same trouble.
    fn list(&self, parent: Gfid, here: &Wants, own: &OwnedFd) -> Vec<(usize, Claim)> {
        let mut found = Vec::new();
        let _ = read_entries(own.as_fd(), &mut Vec::new(), |name, inode, _| {
            if let Some(&index) = here.inodes.get(&inode) {
                found.push((index, Claim { parent, name: name.into() }));
            }
        });
        found.retain(|(index, claim)| {
            let object = self.objects.get(*index);
            object.is_some_and(|object| self.doubt(object, own, &claim.name).is_none())
        });
        found
    }
}

/// What it means for all below that a directory could not be opened.
fn not_opened(error: Errno) -> (Fate, Stale) {
    match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => (Fate::Dangling, Stale::LostParent),
        error => (Fate::Unreadable(error), Stale::Unreadable),
    }
}

fn fate_of(gfid: Gfid, read: Result<Option<Gfid>, Errno>) -> Fate {
    match read {
        Ok(Some(own)) if own == gfid => Fate::Proven,
        Ok(other) => Fate::Foreign(other),
        Err(Errno::NOENT | Errno::NOTDIR) => Fate::Dangling,
        Err(error) => Fate::Unreadable(error),
    }
}
