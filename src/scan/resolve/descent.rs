//! One step of the way down: a directory opened once, and all that a batch wants in it.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, fstat, statat};
use rustix::io::Errno;

use super::ancestry::{Ancestry, Fate};
use super::answer::Stale;
use super::candidate::{Candidate, SAMPLE};
use super::handle::{Claim, Object};
use crate::domain::Gfid;
use crate::scan::brick::{BrickRoot, DirFd, gfid_of, read_entries_until};

/// Reading so many entries of a directory costs as much as reading an object's xattrs.
const WORTH_READING: usize = 32;

/// What is to be looked at in one directory.
#[derive(Debug, Default)]
pub(super) struct Wants {
    folders: Vec<Gfid>,
    /// Claims, as index of the case and of its claim.
    names: Vec<(usize, usize)>,
    /// Whether `trusted.pgfid.*` says that some object has a name in here.
    parent: bool,
}

/// What was seen in one directory.
#[derive(Debug, Default)]
pub(super) struct Visit {
    pub(super) fates: Vec<(Gfid, Fate)>,
    pub(super) further: Vec<(Gfid, DirFd)>,
    /// Object, claim, and what is wrong with it.
    pub(super) names: Vec<(usize, usize, Option<Stale>)>,
    /// Objects and names of theirs that no claim told.
    pub(super) found: Vec<(usize, Claim)>,
}

/// The walk down from the root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'a> {
    pub(super) brick: &'a BrickRoot,
    pub(super) tree: &'a Ancestry,
    pub(super) cases: &'a [Candidate<'a>],
    pub(super) wants: &'a HashMap<Gfid, Wants>,
    /// Cases by the inodes of their objects; empty where no directory is to be listed.
    pub(super) inodes: &'a HashMap<u64, usize>,
    pub(super) sweep: bool,
}

impl Wants {
    /// What a batch wants, by directory: each that was not reached yet, names that are claimed,
    /// and the directories on the way to them.
    pub(super) fn by_folder(tree: &Ancestry, cases: &[Candidate<'_>]) -> HashMap<Gfid, Self> {
        let mut wants: HashMap<Gfid, Self> = HashMap::new();
        for (index, case) in cases.iter().enumerate().filter(|(_, case)| !case.settled) {
            for (number, (claim, _)) in case.claims.iter().enumerate() {
                wants.entry(claim.parent).or_default().names.push((index, number));
            }
            for parent in &case.object.parents {
                wants.entry(*parent).or_default().parent = true;
            }
        }
        let mut below: Vec<Gfid> = wants.keys().copied().chain(tree.unproven()).collect();
        let mut known = HashSet::new();
        while let Some(gfid) = below.pop() {
            if let (true, Some(claim)) = (known.insert(gfid), tree.claim(gfid)) {
                wants.entry(claim.parent).or_default().folders.push(gfid);
                below.push(claim.parent);
            }
        }
        wants
    }

    /// How many entries of the directory may be read to save looking for names one by one.
    pub(super) fn listing(&self, sweep: bool) -> usize {
        if self.parent {
            usize::MAX
        } else if sweep {
            self.names.len() * SAMPLE * WORTH_READING
        } else {
            0
        }
    }
}

impl Walk<'_> {
    /// Looks at what is wanted in one directory.
    pub(super) fn visit(&self, gfid: Gfid, place: &DirFd) -> Visit {
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
            let fate = match self.tree.fate(gfid) {
                Fate::Proven => Fate::Proven,
                _ => fate_of(gfid, gfid_of(own.as_fd(), &claim.name)),
            };
            if fate == Fate::Proven && self.wants.contains_key(&gfid) {
                visit.further.push((gfid, place.child(&claim.name, &own)));
            }
            visit.fates.push((gfid, fate));
        }
        let most = here.listing(self.sweep);
        if most > 0 {
            visit.found = self.list(gfid, most, &own);
        }
        let met = visit.found.iter().map(|(index, claim)| (*index, &*claim.name));
        let met: HashSet<(usize, &[u8])> = met.collect();
        for &(index, number) in &here.names {
            let Some(case) = self.cases.get(index) else { continue };
            let Some((claim, _)) = case.claims.get(number) else { continue };
            let is_met = met.contains(&(index, &*claim.name));
            let doubt = if is_met { None } else { self.doubt(case.object, &own, &claim.name) };
            visit.names.push((index, number, doubt));
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

    /// Lists a directory, or so many entries of it, for names of the batch's objects. Where that
    /// fails the names stay unseen: their xattrs are read, or the namespace is scanned.
    fn list(&self, parent: Gfid, most: usize, own: &OwnedFd) -> Vec<(usize, Claim)> {
        let mut found = Vec::new();
        // Another subvolume has the same numbers for other inodes.
        if fstat(own).is_ok_and(|stat| stat.st_dev == self.brick.device()) {
            let mut left = most;
            let _ = read_entries_until(own.as_fd(), &mut Vec::new(), |name, inode, _| {
                if let Some(&index) = self.inodes.get(&inode) {
                    found.push((index, Claim { parent, name: name.into() }));
                }
                left = left.saturating_sub(1);
                if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
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
