//! Are the two sides of a session the same? One object at a time, by what replication preserves.

mod difference;
mod findings;
mod lost_trees;
mod sides;

pub use difference::{Difference, Differences, compare};
pub use findings::{EmptyFiles, finding, other_gfid};
pub use lost_trees::{Listing, LostTrees};
pub use sides::Sides;

use crate::domain::Gfid;
use crate::scan::inventory::Object;

/// Compares two inventories in the order of gfids, and hands over what differs. Returns how many
/// objects there were.
pub fn compare_all(
    primary: &[Object],
    secondary: &[Object],
    mut each: impl FnMut(Gfid, Differences),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Name;
    use crate::scan::inventory::{Item, ItemKind, Share, Stamp};

    fn item(kind: ItemKind, names: &[&str]) -> Item {
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

    fn differences(one: &Item, other: &Item) -> Vec<Difference> {
        difference::compare_items(one, other).iter().collect()
    }

    #[test]
    fn equal_is_equal_and_each_difference_is_told() {
        use Difference::{Content, LinkMissing, Metadata, Mtime, Place, Size, Target, Type};
        let file = item(ItemKind::File, &["a"]);
        assert_eq!(differences(&file, &file), []);
        let with = |change: &dyn Fn(&mut Item)| {
            let mut other = file.clone();
            change(&mut other);
            differences(&file, &other)
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
        assert_eq!(
            (differences(&two, &file), differences(&file, &two)),
            (vec![LinkMissing], vec![LinkMissing])
        );
        let digest = |content| Item { content: Some(content), ..file.clone() };
        assert_eq!(differences(&digest(1), &digest(2)), [Content]);
        assert_eq!(differences(&digest(1), &file), []);
        let link = |target: &str| Item {
            target: Some(Name::from(target)),
            ..item(ItemKind::Symlink, &["a"])
        };
        assert_eq!(differences(&link("x"), &link("y")), [Target]);
        assert_eq!(
            differences(&link("x"), &Item { mode: 0, mtime: Stamp::default(), ..link("x") }),
            []
        );
    }

    #[test]
    fn times_of_directories_are_not_preserved() {
        let one = item(ItemKind::Directory, &["a"]);
        let other = Item { mtime: Stamp::default(), ..one.clone() };
        assert_eq!(differences(&one, &other), []);
        assert_eq!(differences(&one, &Item { mode: 0o700, ..other }), [Difference::Metadata]);
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
