//! Are the two sides of a session the same? One object at a time, by what replication preserves.

mod findings;
mod lost_trees;

pub use findings::{EmptyFiles, Sides, empties, finding, other_gfid};
pub use lost_trees::{Listing, LostTrees};

use std::collections::BTreeSet;

use crate::scan::inventory::{Item, ItemKind, Object, Share};

/// How the two sides of an object differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Difference {
    /// The secondary has not got it.
    OnlyOnPrimary,
    /// The primary has not got it.
    OnlyOnSecondary,
    /// A directory here, a file there.
    Type,
    /// It stands elsewhere.
    Place,
    /// One of its names is missing on a side.
    LinkMissing,
    /// Sizes.
    Size,
    /// Times of a file's last change.
    Mtime,
    /// Mode, owner, ACL, user xattrs, or a device's number.
    Metadata,
    /// Where a symlink leads.
    Target,
    /// Content of the same size.
    Content,
    /// The primary's own copies disagree.
    PrimaryCopies,
    /// The secondary's own copies disagree.
    SecondaryCopies,
}

impl Difference {
    const ALL: [Self; 12] = [
        Self::OnlyOnPrimary,
        Self::OnlyOnSecondary,
        Self::Type,
        Self::Place,
        Self::LinkMissing,
        Self::Size,
        Self::Mtime,
        Self::Metadata,
        Self::Target,
        Self::Content,
        Self::PrimaryCopies,
        Self::SecondaryCopies,
    ];
}

/// All differences of one object, in two bytes: there may be millions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Differences(u16);

impl Differences {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn contains(self, difference: Difference) -> bool {
        self.0 & (1 << difference as u16) != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Difference> {
        Difference::ALL.into_iter().filter(move |it| self.contains(*it))
    }

    fn add(&mut self, difference: Difference) {
        self.0 |= 1 << difference as u16;
    }

    fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// Compares the two sides of one gfid; a side that has nothing gives nothing.
#[must_use]
pub fn compare(primary: Option<&Object>, secondary: Option<&Object>) -> Differences {
    let mut found = match (primary, secondary) {
        (Some(here), Some(there)) => closest(here, there),
        (Some(_), None) => only(Difference::OnlyOnPrimary),
        (None, Some(_)) => only(Difference::OnlyOnSecondary),
        (None, None) => Differences::default(),
    };
    if primary.is_some_and(|object| object.disagreement.is_some()) {
        found.add(Difference::PrimaryCopies);
    }
    if secondary.is_some_and(|object| object.disagreement.is_some()) {
        found.add(Difference::SecondaryCopies);
    }
    found
}

/// Compares two inventories in the order of gfids, and hands over what differs.
pub fn compare_all(
    primary: &[Object],
    secondary: &[Object],
    mut each: impl FnMut(crate::domain::Gfid, Differences),
) -> u64 {
    let (mut here, mut there) = (primary.iter().peekable(), secondary.iter().peekable());
    let mut compared = 0;
    loop {
        let next = match (here.peek(), there.peek()) {
            (None, None) => return compared,
            (Some(one), None) => one.gfid,
            (None, Some(other)) => other.gfid,
            (Some(one), Some(other)) => one.gfid.min(other.gfid),
        };
        let one = here.next_if(|object| object.gfid == next);
        let other = there.next_if(|object| object.gfid == next);
        compared += 1;
        let found = compare(one, other);
        if !found.is_empty() {
            each(next, found);
        }
    }
}

fn only(difference: Difference) -> Differences {
    let mut found = Differences::default();
    found.add(difference);
    found
}

/// Where copies of a side disagree, the pair that is most alike counts: the disagreement itself is
/// told by its own.
fn closest(primary: &Object, secondary: &Object) -> Differences {
    let pairs = primary
        .copies
        .iter()
        .flat_map(|one| secondary.copies.iter().map(move |other| differ(one, other)));
    pairs.min_by_key(|found| found.count()).unwrap_or_default()
}

/// What differs of what geo-replication preserves.
///
/// On 10.3 it does not preserve times of anything but files, nor a directory's default ACL, and a
/// crawl of what was there before makes no fifos, sockets and devices. gsyncd sets some times
/// by a python float: they are off by less than a microsecond.
fn differ(one: &Item, other: &Item) -> Differences {
    let mut found = Differences::default();
    if one.kind != other.kind {
        found.add(Difference::Type);
        return found;
    }
    if one.is_named() && other.is_named() {
        if let Some(how) = names_differ(&one.names, &other.names) {
            found.add(how);
        }
    } else if one.links != other.links {
        found.add(Difference::LinkMissing);
    }
    let metadata = |item: &Item| (item.mode, item.owner, item.xattrs, item.device);
    match one.kind {
        ItemKind::File => add_data(one, other, &mut found),
        ItemKind::Symlink if one.target != other.target => found.add(Difference::Target),
        _ => {}
    }
    let unequal = match one.kind {
        // A symlink's mode means nothing.
        ItemKind::Symlink => one.owner != other.owner,
        _ => metadata(one) != metadata(other),
    };
    if unequal {
        found.add(Difference::Metadata);
    }
    found
}

fn add_data(one: &Item, other: &Item, found: &mut Differences) {
    let whole = one.share == Share::Whole && other.share == Share::Whole;
    if (one.size, one.sharded) != (other.size, other.sharded) {
        found.add(Difference::Size);
    } else if !is_same_time(one, other) {
        found.add(Difference::Mtime);
    }
    if whole
        && one.size == other.size
        && one.content.is_some()
        && other.content.is_some()
        && one.content != other.content
    {
        found.add(Difference::Content);
    }
}

fn is_same_time(one: &Item, other: &Item) -> bool {
    let nanos =
        |item: &Item| i128::from(item.mtime.sec) * 1_000_000_000 + i128::from(item.mtime.nsec);
    (nanos(one) - nanos(other)).abs() < 1000
}

fn names_differ(primary: &[u64], secondary: &[u64]) -> Option<Difference> {
    if primary == secondary {
        return None;
    }
    let (here, there): (BTreeSet<_>, BTreeSet<_>) =
        (primary.iter().collect(), secondary.iter().collect());
    let missing = here.difference(&there).count();
    let extra = there.difference(&here).count();
    match (missing, extra) {
        (0, 0) => None,
        (0, _) | (_, 0) => Some(Difference::LinkMissing),
        _ => Some(Difference::Place),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{Gfid, Name};
    use crate::scan::inventory::Stamp;

    pub(crate) fn item(kind: ItemKind, names: &[&str]) -> Item {
        let digest = |name: &&str| name.bytes().fold(0, |sum, byte| sum * 256 + u64::from(byte));
        Item {
            gfid: Gfid::from_bytes([9; 16]),
            kind,
            share: Share::Whole,
            mode: 0o644,
            owner: (0, 0),
            size: 3,
            sharded: None,
            mtime: Stamp { sec: 7, nsec: 999_999_950 },
            ctime: Stamp::default(),
            device: 0,
            links: names.len() as u64,
            names: names.iter().map(digest).collect(),
            places: Vec::new(),
            target: None,
            xattrs: 0,
            content: None,
        }
    }

    fn told(one: &Item, other: &Item) -> Vec<Difference> {
        differ(one, other).iter().collect()
    }

    #[test]
    fn equal_is_equal_and_each_difference_is_told() {
        use Difference::{Content, LinkMissing, Metadata, Mtime, Place, Size, Target, Type};
        let file = item(ItemKind::File, &["a"]);
        assert_eq!(told(&file, &file), []);
        let with = |change: &dyn Fn(&mut Item)| {
            let mut other = file.clone();
            change(&mut other);
            told(&file, &other)
        };
        assert_eq!(with(&|it| it.size = 0), [Size]);
        assert_eq!(with(&|it| it.sharded = Some(9)), [Size]);
        assert_eq!(with(&|it| it.mtime = Stamp { sec: 8, nsec: 100 }), []);
        assert_eq!(with(&|it| it.mtime = Stamp { sec: 8, nsec: 950 }), [Mtime]);
        assert_eq!(with(&|it| it.mode = 0o600), [Metadata]);
        assert_eq!(with(&|it| it.owner.1 = 5), [Metadata]);
        assert_eq!(with(&|it| it.xattrs = 5), [Metadata]);
        assert_eq!(with(&|it| it.kind = ItemKind::Symlink), [Type]);
        assert_eq!(with(&|it| it.names[0] = 7), [Place]);
        assert_eq!(with(&|it| (it.links, it.names) = (0, Vec::new())), [LinkMissing]);
        let two = item(ItemKind::File, &["a", "b"]);
        assert_eq!((told(&two, &file), told(&file, &two)), (vec![LinkMissing], vec![LinkMissing]));
        let digest = |content| Item { content: Some(content), ..file.clone() };
        assert_eq!(told(&digest(1), &digest(2)), [Content]);
        assert_eq!(told(&digest(1), &file), []);
        let link = |target: &str| Item {
            target: Some(Name::from(target)),
            ..item(ItemKind::Symlink, &["a"])
        };
        assert_eq!(told(&link("x"), &link("y")), [Target]);
        assert_eq!(told(&link("x"), &Item { mode: 0, mtime: Stamp::default(), ..link("x") }), []);
    }

    #[test]
    fn times_of_directories_are_not_preserved() {
        let one = item(ItemKind::Directory, &["a"]);
        let other = Item { mtime: Stamp::default(), ..one.clone() };
        assert_eq!(told(&one, &other), []);
        assert_eq!(told(&one, &Item { mode: 0o700, ..other }), [Difference::Metadata]);
    }

    #[test]
    fn two_inventories_are_merged() {
        let object = |n: u8, size| {
            let item =
                Item { gfid: Gfid::from_bytes([n; 16]), size, ..item(ItemKind::File, &["a"]) };
            Object { gfid: item.gfid, copies: vec![item], disagreement: None }
        };
        let (here, there) =
            ([1, 2, 4].map(|n| object(n, 3)), [(2, 3), (3, 3), (4, 5)].map(|(n, s)| object(n, s)));
        let mut found = Vec::new();
        let compared = compare_all(&here, &there, |gfid, how| {
            found.push((gfid.as_bytes()[0], how.iter().next().unwrap()));
        });
        assert_eq!(compared, 4);
        assert_eq!(
            found,
            [
                (1, Difference::OnlyOnPrimary),
                (3, Difference::OnlyOnSecondary),
                (4, Difference::Size)
            ]
        );
    }

    #[test]
    fn the_copy_that_agrees_counts() {
        let good = item(ItemKind::File, &["a"]);
        let stale = Item { size: 1, ..good.clone() };
        let gfid = good.gfid;
        let disagreement =
            Some(crate::scan::inventory::Disagreement { what: "size", bricks: vec![1] });
        let two = Object { gfid, copies: vec![stale, good.clone()], disagreement };
        let one = Object { gfid, copies: vec![good], disagreement: None };
        let found: Vec<_> = compare(Some(&two), Some(&one)).iter().collect();
        assert_eq!(found, [Difference::PrimaryCopies]);
    }
}
