//! The findings about each difference: a lost tree once, at its top; two gfids of one name once.

use std::collections::{HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use crate::check::compare;
use crate::check::compare::{Difference, Differences, Listing, LostTrees, Sides};
use crate::domain::{AuditFinding, Gfid, Name};
use crate::scan::inventory::{ItemKind, Object, ParentName};

/// What is missing on the other side, of the objects of one side.
#[derive(Debug, Default)]
pub(super) struct Lost {
    trees: LostTrees,
    /// Their names, by digest.
    names: HashMap<u64, Claim>,
}

/// The object that has a name on one side only.
#[derive(Clone, Copy, Debug)]
struct Claim {
    gfid: Gfid,
    /// Whether it is still to be replicated.
    pending: bool,
}

/// What is missing on each side.
#[derive(Debug, Default)]
pub(super) struct LostOnBoth {
    /// Objects of the primary that the secondary does not have.
    pub(super) on_secondary: Lost,
    /// Objects of the secondary that the primary does not have.
    pub(super) on_primary: Lost,
}

/// Collects what is missing on one side, batch by batch.
#[derive(Default)]
pub(super) struct LostBuilder {
    /// Missing directories, with their parents.
    directories: HashMap<Gfid, Gfid>,
    /// The parents of anything else that is missing.
    others: Vec<Gfid>,
    names: HashMap<u64, Claim>,
}

impl LostBuilder {
    /// Adds objects; those that are `pending` belong to no lost tree: they may arrive.
    pub(super) fn add(&mut self, objects: &[Object], pending: &HashSet<Gfid>) {
        for object in objects {
            let Some(item) = object.item() else { continue };
            let claim = Claim { gfid: object.gfid, pending: pending.contains(&object.gfid) };
            self.names.extend(item.places.iter().map(|name| (digest(name), claim)));
            let Some(first) = item.places.first().filter(|_| !claim.pending) else { continue };
            if item.kind == ItemKind::Directory {
                self.directories.insert(object.gfid, first.parent);
            } else {
                self.others.push(first.parent);
            }
        }
    }

    pub(super) fn finish(self) -> Lost {
        let trees = LostTrees::of(self.directories, self.others.into_iter());
        Lost { trees, names: self.names }
    }
}

fn digest(name: &ParentName) -> u64 {
    xxh3_64(&[name.parent.as_bytes(), name.name.as_bytes()].concat())
}

/// The findings about one object; none if a finding of a directory above covers it.
pub(super) fn findings_of(
    sides: &Sides<'_>,
    found: Differences,
    lost: &LostOnBoth,
) -> Vec<AuditFinding> {
    let findings = found.iter().filter_map(|difference| match difference {
        Difference::OnlyOnPrimary | Difference::OnlyOnSecondary => {
            missing_finding(sides, difference, lost)
        }
        _ => Some(compare::finding(sides, difference)),
    });
    findings.collect()
}

/// The finding about an object that one side does not have.
fn missing_finding(
    sides: &Sides<'_>,
    difference: Difference,
    lost: &LostOnBoth,
) -> Option<AuditFinding> {
    let (object, own, other) = match difference {
        Difference::OnlyOnPrimary => (sides.primary, &lost.on_secondary, &lost.on_primary),
        _ => (sides.secondary, &lost.on_primary, &lost.on_secondary),
    };
    let item = object.and_then(Object::item)?;
    let listing = match (item.kind, item.places.first()) {
        (ItemKind::Directory, _) => own.trees.directory(sides.gfid),
        (_, Some(name)) => own.trees.other(name.parent),
        _ => Listing::Top(0),
    };
    let Listing::Top(below) = listing else { return None };
    let rival = item.places.iter().find_map(|name| other.names.get(&digest(name)));
    let finding = match rival {
        None => compare::finding(sides, difference),
        // Two gfids for one name are one conflict, listed with the primary's object; with the
        // secondary's only if the primary's is pending and so not listed itself.
        Some(rival) if difference == Difference::OnlyOnPrimary || rival.pending => {
            compare::other_gfid(sides, rival.gfid)
        }
        Some(_) => return None,
    };
    Some(AuditFinding { below, ..finding })
}

/// Whether all these paths are in directories of `GlusterFS` itself: the trash, and what is being
/// healed. Each volume has its own, and they are not replicated.
pub(super) fn are_own(paths: &[Name]) -> bool {
    const OWN: [&[u8]; 2] = [b".trashcan/", b".glusterfs-anonymous-inode-"];
    let is_own = |path: &Name| OWN.iter().any(|own| path.as_bytes().starts_with(own));
    paths.iter().all(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trash_is_not_the_users() {
        let paths = |texts: &[&str]| texts.iter().map(Name::from).collect::<Vec<_>>();
        assert!(are_own(&paths(&[".trashcan/a/b", ".glusterfs-anonymous-inode-0/c/d"])));
        assert!(!are_own(&paths(&[".trashcan/a/b", "c"])) && !are_own(&paths(&[".trashcan2/a"])));
    }
}
