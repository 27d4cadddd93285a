//! What is told of each difference: lost trees once at their top, two gfids of one name as one.

use std::collections::{BTreeSet, HashMap};

use xxhash_rust::xxh3::xxh3_64;

use super::{BATCH, Comparison};
use crate::check::compare;
use crate::check::compare::{Difference, Differences, Listing, LostTrees, Sides};
use crate::domain::{AuditFinding, Gfid, Name};
use crate::scan::inventory::{ItemKind, Object, ParentName};
use crate::task::Failure;

/// What is missing on either side.
#[derive(Debug, Default)]
pub(super) struct Lost {
    primary: LostTrees,
    secondary: LostTrees,
    /// The names of what is missing, by digest; and whether it is still to be replicated.
    primary_places: HashMap<u64, (Gfid, bool)>,
    secondary_places: HashMap<u64, (Gfid, bool)>,
}

fn digest(place: &ParentName) -> u64 {
    xxh3_64(&[place.parent.as_bytes(), place.name.as_bytes()].concat())
}

/// The findings about one object; none where one above it speaks for it.
pub(super) fn tell(sides: &Sides<'_>, how: Differences, lost: &Lost) -> Vec<AuditFinding> {
    let mut told = Vec::new();
    for difference in how.iter() {
        let (object, trees, rivals) = match difference {
            Difference::OnlyOnPrimary => (sides.primary, &lost.primary, &lost.secondary_places),
            Difference::OnlyOnSecondary => (sides.secondary, &lost.secondary, &lost.primary_places),
            _ => {
                told.push(compare::finding(sides, difference));
                continue;
            }
        };
        let Some(item) = object.and_then(Object::item) else { continue };
        let fate = match (item.kind, item.places.first()) {
            (ItemKind::Directory, _) => trees.directory(sides.gfid),
            (_, Some(place)) => trees.other(place.parent),
            _ => Listing::Top(0),
        };
        let Listing::Top(below) = fate else { continue };
        let rival = item.places.iter().find_map(|place| rivals.get(&digest(place)));
        match (rival, difference) {
            (Some((rival, _)), Difference::OnlyOnPrimary) => {
                told.push(AuditFinding { below, ..compare::other_gfid(sides, *rival) });
            }
            (Some((rival, true)), _) => {
                told.push(AuditFinding { below, ..compare::other_gfid(sides, *rival) });
            }
            // Told with the gfid that stands there on the primary.
            (Some(_), _) => {}
            (None, _) => told.push(AuditFinding { below, ..compare::finding(sides, difference) }),
        }
    }
    told
}

impl Comparison<'_> {
    /// What is missing on either side, and the names that two gfids claim.
    pub(super) fn lost(&self, found: &[(Gfid, Differences)]) -> Result<Lost, Failure> {
        let mut lost = Lost::default();
        for (primary, how) in
            [(true, Difference::OnlyOnPrimary), (false, Difference::OnlyOnSecondary)]
        {
            let waiting: BTreeSet<_> = self.waiting.iter().map(|(gfid, _)| *gfid).collect();
            let mut gfids: Vec<_> = found
                .iter()
                .chain(&self.waiting)
                .filter(|(_, found)| found.contains(how))
                .map(|(gfid, _)| *gfid)
                .collect();
            gfids.sort_unstable();
            let (mut directories, mut others) = (HashMap::new(), Vec::new());
            let mut places = HashMap::new();
            for batch in gfids.chunks(BATCH) {
                let (here, there) = self.look(batch)?;
                for object in &(if primary { here } else { there }).objects {
                    let Some(item) = object.item() else { continue };
                    let waits = waiting.contains(&object.gfid);
                    places.extend(item.places.iter().map(|it| (digest(it), (object.gfid, waits))));
                    let first = item.places.first().filter(|_| !waits);
                    match (item.kind, first) {
                        (ItemKind::Directory, Some(place)) => {
                            directories.insert(object.gfid, place.parent);
                        }
                        (_, Some(place)) => others.push(place.parent),
                        _ => {}
                    }
                }
            }
            let trees = LostTrees::of(directories, others.into_iter());
            if primary {
                (lost.primary, lost.primary_places) = (trees, places);
            } else {
                (lost.secondary, lost.secondary_places) = (trees, places);
            }
        }
        Ok(lost)
    }
}

/// Whether all these paths are of `GlusterFS`'s own at some depth: what users removed, and what is
/// being healed. Each volume has its own, and they are not replicated.
pub(super) fn are_own(paths: &[Name]) -> bool {
    const OWN: [&[u8]; 2] = [b".trashcan/", b".glusterfs-anonymous-inode-"];
    let is_own = |path: &Name| OWN.iter().any(|own| path.as_bytes().starts_with(own));
    paths.iter().all(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trash_is_no_users() {
        let paths = |texts: &[&str]| texts.iter().map(Name::from).collect::<Vec<_>>();
        assert!(are_own(&paths(&[".trashcan/a/b", ".glusterfs-anonymous-inode-0/c/d"])));
        assert!(!are_own(&paths(&[".trashcan/a/b", "c"])) && !are_own(&paths(&[".trashcan2/a"])));
    }
}
