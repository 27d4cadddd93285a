//! One side of a comparison: a volume by its bricks.

use rayon::prelude::*;
use rustix::io::Errno;

use super::collapse::{Object, collapse};
use super::item::{Item, ItemKind, Part, Slice};
use super::read::{Wish, read_item, read_slice};
use super::topology::Topology;
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickError, BrickRoot, gfid_of, read_entries};
use crate::scan::gfids::{Asked, Resolver};
use crate::scan::meter::Meter;

/// How many files of a brick are looked at to tell whether it is an arbiter.
const SAMPLE: usize = 2000;

/// Directories that `GlusterFS` keeps for itself, the same in every volume: `.trashcan`,
/// `.trashcan/internal_op`, `.shard`, `.shard/.remove_me` (`glusterfs.h`, `shard.h`).
const OWN: [u128; 4] =
    [5, 6, 0xbe31_8638_e8a0_4c6d_977d_7a93_7aa8_4806, 0x77dd_5a45_dbf5_4592_b31b_b440_3823_02e9];

/// A volume, as far as the given bricks show it.
#[derive(Debug)]
pub struct Inventory {
    bricks: Vec<BrickRoot>,
    topology: Topology,
    /// GlusterFS's own directories.
    own: Vec<Gfid>,
    /// Those whose children are no users' either.
    closed: Vec<Gfid>,
}

/// What a volume holds in a slice.
#[derive(Debug, Default)]
pub struct Holding {
    /// The objects, in the order of their gfids.
    pub objects: Vec<Object>,
    /// Objects that could not be read.
    pub unread: u64,
    /// The first reason why.
    pub why: Option<String>,
    /// Handles on bricks behind which nothing stands in the namespace.
    pub nameless: u64,
}

impl Inventory {
    /// A volume by its bricks; what belongs together is told by the bricks themselves.
    ///
    /// # Errors
    /// [`BrickError::Unreadable`] where a brick cannot be read.
    pub fn of(bricks: Vec<BrickRoot>) -> Result<Self, BrickError> {
        let topology = Topology::of(&bricks);
        let mut own: Vec<Gfid> =
            OWN.into_iter().map(|id| Gfid::from_bytes(id.to_be_bytes())).collect();
        let shard = own.get(2).copied();
        for brick in &bricks {
            own.extend(anonymous(brick).map_err(|error| unreadable(brick, error))?);
        }
        own.sort_unstable();
        own.dedup();
        let closed = own.iter().copied().filter(|gfid| Some(*gfid) != shard).collect();
        let mut volume = Self { bricks, topology, own, closed };
        if volume.topology.may_have_arbiter() {
            let samples: Result<Vec<_>, _> = volume.bricks.iter().map(sample).collect();
            volume.topology.tell_arbiters(&samples?);
        }
        Ok(volume)
    }

    /// Its bricks.
    #[must_use]
    pub fn bricks(&self) -> &[BrickRoot] {
        &self.bricks
    }

    /// The bricks that hold copies of each other, as numbers.
    #[must_use]
    pub fn sets(&self) -> &[Vec<usize>] {
        &self.topology.sets
    }

    /// How it is put together, in a few words; and which parts of it are not among the bricks.
    #[must_use]
    pub fn describe(&self) -> (String, Vec<String>) {
        let (bricks, sets) = (self.bricks.len(), self.topology.sets.len());
        let mut words = format!("{bricks} brick{}", if bricks == 1 { "" } else { "s" });
        if sets < bricks {
            words += &format!(" in {sets} set{} of copies", if sets == 1 { "" } else { "s" });
        }
        if !self.topology.arbiters.is_empty() {
            words += &format!(", {} of them arbiters", self.topology.arbiters.len());
        }
        let lost = |(first, last): &(u32, u32)| {
            format!("no brick given holds the files of hashes {first:08x} to {last:08x}")
        };
        (words, self.topology.gaps.iter().map(lost).collect())
    }

    /// What it holds in a slice, read from one brick after the other.
    ///
    /// # Errors
    /// [`BrickError`] where a brick went away or cannot be read.
    pub fn slice(&self, slice: Slice, wish: Wish, meter: &Meter) -> Result<Holding, BrickError> {
        let parts: Result<Vec<_>, _> = self
            .bricks
            .iter()
            .map(|brick| read_slice(brick, slice, wish, meter).map_err(|e| unreadable(brick, e)))
            .collect();
        Ok(self.hold(parts?))
    }

    /// What it holds of these gfids, which are in order and each there once.
    ///
    /// # Errors
    /// [`BrickError::Vanished`] where a brick went away meanwhile.
    pub fn look(&self, gfids: &[Gfid], wish: Wish) -> Result<Holding, BrickError> {
        let parts = self.bricks.iter().map(|brick| {
            let seen: Vec<_> = gfids.par_iter().map(|&gfid| read_item(brick, gfid, wish)).collect();
            let mut part = Part::default();
            for seen in seen {
                part.take(seen);
            }
            part
        });
        let holding = self.hold(parts.collect());
        self.still_there()?;
        Ok(holding)
    }

    /// Whether every brick still stands: an unmounted one reads like an empty one.
    ///
    /// # Errors
    /// [`BrickError::Vanished`].
    pub fn still_there(&self) -> Result<(), BrickError> {
        self.bricks.iter().try_for_each(BrickRoot::still_there)
    }

    /// The paths of gfids below the volume's root, in the order asked.
    ///
    /// # Errors
    /// [`BrickError::Vanished`] where a brick went away meanwhile.
    pub fn paths(&self, gfids: &[Gfid]) -> Result<Vec<Vec<Name>>, BrickError> {
        let meter = Meter::default();
        let resolver = Resolver::new(&self.bricks, &meter);
        let answers = resolver.answer(gfids.iter().copied().map(Asked::Gfid).collect())?;
        let paths = answers.iter().map(|answer| {
            let links = answer.owner().map(|sight| sight.links.iter());
            links.into_iter().flatten().map(|link| link.path.clone()).collect()
        });
        Ok(paths.collect())
    }

    fn hold(&self, parts: Vec<Part>) -> Holding {
        let mut holding = Holding::default();
        let mut all: Vec<(usize, Item)> =
            Vec::with_capacity(parts.iter().map(|p| p.items.len()).sum());
        for (brick, part) in parts.into_iter().enumerate() {
            holding.unread += part.unread;
            holding.nameless += part.nameless;
            holding.why = holding.why.or(part.why);
            all.extend(part.items.into_iter().filter(|i| self.is_users(i)).map(|i| (brick, i)));
        }
        all.sort_by_key(|(brick, item)| (item.gfid, *brick));
        let mut copies: Vec<(usize, Item)> = Vec::new();
        for next in all {
            if copies.first().is_some_and(|(_, item)| item.gfid != next.1.gfid) {
                holding.objects.extend(collapse(&self.topology, std::mem::take(&mut copies)));
            }
            copies.push(next);
        }
        if !copies.is_empty() {
            holding.objects.extend(collapse(&self.topology, copies));
        }
        holding
    }

    /// Whether it is a user's, and not `GlusterFS`'s own.
    fn is_users(&self, item: &Item) -> bool {
        let closed = |gfid: &Gfid| self.closed.binary_search(gfid).is_ok();
        self.own.binary_search(&item.gfid).is_err()
            && (item.places.is_empty() || item.places.iter().any(|place| !closed(&place.parent)))
    }
}

/// Some files of a brick, in the order of their gfids.
fn sample(brick: &BrickRoot) -> Result<Vec<Item>, BrickError> {
    let mut files = Vec::new();
    for slice in Slice::ALL.shards() {
        let part = read_slice(brick, slice, Wish::default(), &Meter::default());
        let part = part.map_err(|error| unreadable(brick, error))?;
        files.extend(part.items.into_iter().filter(|item| item.kind == ItemKind::File));
        if files.len() >= SAMPLE {
            break;
        }
    }
    Ok(files)
}

/// The gfids of `.glusterfs-anonymous-inode-…`: each volume has its own.
fn anonymous(brick: &BrickRoot) -> Result<Vec<Gfid>, Errno> {
    use std::os::fd::AsFd as _;
    let root = super::read::open_root(brick)?;
    let mut names = Vec::new();
    read_entries(root.as_fd(), &mut Vec::new(), |name, _, _| {
        if name.starts_with(b".glusterfs-anonymous-inode-") {
            names.push(name.to_vec());
        }
    })?;
    let gfids: Result<Vec<_>, _> = names.iter().map(|name| gfid_of(root.as_fd(), name)).collect();
    Ok(gfids?.into_iter().flatten().collect())
}

fn unreadable(brick: &BrickRoot, source: Errno) -> BrickError {
    BrickError::Unreadable { path: (**brick.name()).clone(), source }
}
