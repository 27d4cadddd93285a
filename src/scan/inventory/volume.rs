//! One side of a comparison: a volume by its bricks.

use std::collections::BTreeSet;

use super::brick_source::Source;
use super::error::InventoryError;
use super::item::{GfidRange, Item, ItemKind, Part};
use super::own::{IN_EVERY_VOLUME, SHARD};
use super::pending::PendingGfids;
use super::read::ReadOptions;
use super::replicas::{Object, collapse};
use super::topology::Topology;
use crate::domain::{Brick, Gfid, Mark, Name, Volume, in_one_line};
use crate::scan::brick::BrickRoot;
use crate::scan::cluster::{Cluster, Host, Tools};
use crate::scan::meter::Meter;

/// How many files of a brick are read to see whether it is an arbiter: on any other brick, one of
/// so many has data.
const SAMPLE: usize = 2000;

/// A volume, as its bricks show it.
#[derive(Debug)]
pub struct Inventory {
    bricks: Vec<Source>,
    topology: Topology,
    /// GlusterFS's own directories.
    own: Vec<Gfid>,
    /// Those whose children are not users' either.
    closed: Vec<Gfid>,
    /// Bricks that could not be read; others have copies of what they hold.
    unseen: Vec<String>,
}

/// What a volume holds in a slice.
#[derive(Debug, Default)]
pub struct Inventoried {
    /// The objects, in the order of their gfids.
    pub objects: Vec<Object>,
    /// Objects that could not be read.
    pub unread: u64,
    /// The first reason why.
    pub why: Option<String>,
    /// Handles on bricks without a name in the namespace.
    pub nameless: u64,
}

impl Inventory {
    /// A volume from bricks of this node; which of them are copies is read from the bricks.
    ///
    /// # Errors
    /// [`InventoryError::Incomplete`] if a part of the volume is not among the bricks,
    /// [`BrickError`](crate::scan::brick::BrickError) if one cannot be read.
    pub fn of_bricks(bricks: Vec<BrickRoot>) -> Result<Self, InventoryError> {
        let bricks: Vec<_> = bricks.into_iter().map(Source::local).collect::<Result<_, _>>()?;
        let topology = Topology::of_ranges(bricks.iter().map(|brick| brick.about.range));
        if let Some((first, last)) = topology.gaps.first() {
            let (first, last) = (*first, *last);
            return Err(InventoryError::Incomplete { first, last });
        }
        let mut it = Self::new(bricks, topology, Vec::new());
        if it.topology.may_have_arbiter() {
            let samples: Result<Vec<_>, _> = it.bricks.iter().map(sample).collect();
            it.topology.find_arbiters(&samples?);
        }
        Ok(it)
    }

    /// A volume as glusterd describes it; bricks of other nodes are read through the georepair
    /// there. A brick that cannot be read is left out if its set has others with data.
    ///
    /// # Errors
    /// [`InventoryError`] if no brick with data of some set can be read.
    pub fn of_volume(
        tools: &Tools,
        cluster: &Cluster<'_>,
        volume: &Volume,
    ) -> Result<Self, InventoryError> {
        let open = |brick: &Brick| -> Result<Source, InventoryError> {
            match cluster.host_of(brick) {
                Host::Here => Ok(Source::local(BrickRoot::open(&brick.dir)?)?),
                peer @ Host::Peer(_) => Ok(Source::remote(tools, &peer, &brick.dir)?),
            }
        };
        let (mut bricks, mut topology, mut unseen) = (Vec::new(), Topology::default(), Vec::new());
        for set in volume.sets() {
            let (mut members, mut has_data, mut failure) = (Vec::new(), false, None);
            for brick in set {
                match open(brick) {
                    Ok(source) => {
                        members.push(bricks.len());
                        topology.arbiters.extend(brick.arbiter.then_some(bricks.len()));
                        has_data |= !brick.arbiter;
                        bricks.push(source);
                    }
                    Err(error) => {
                        let why = in_one_line(&error);
                        unseen.push(format!("brick {} could not be read: {why}", brick.url()));
                        failure = Some(error);
                    }
                }
            }
            match failure {
                Some(error) if !has_data => return Err(error),
                _ => topology.sets.push(members),
            }
        }
        Ok(Self::new(bricks, topology, unseen))
    }

    fn new(bricks: Vec<Source>, topology: Topology, unseen: Vec<String>) -> Self {
        let mut own = IN_EVERY_VOLUME.to_vec();
        own.extend(bricks.iter().flat_map(|brick| &brick.about.own));
        own.sort_unstable();
        own.dedup();
        let closed = own.iter().copied().filter(|gfid| *gfid != SHARD).collect();
        Self { bricks, topology, own, closed, unseen }
    }

    /// The ids of the volumes that the bricks belong to; one, unless they are mixed up.
    #[must_use]
    pub fn volumes(&self) -> BTreeSet<[u8; 16]> {
        self.bricks.iter().map(|brick| brick.about.volume).collect()
    }

    /// The most names its bricks can hold, as an upper bound for progress.
    #[must_use]
    pub fn inodes(&self) -> u64 {
        self.bricks.iter().filter_map(|brick| brick.about.inodes).sum()
    }

    /// Its bricks and sets, in a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        let (bricks, sets) = (self.bricks.len(), self.topology.sets.len());
        let mut words = format!("{bricks} brick{}", if bricks == 1 { "" } else { "s" });
        if sets < bricks {
            words += &format!(" in {sets} set{} of copies", if sets == 1 { "" } else { "s" });
        }
        if !self.topology.arbiters.is_empty() {
            words += &format!(", {} of them arbiters", self.topology.arbiters.len());
        }
        words
    }

    /// Bricks that could not be read, one sentence each.
    #[must_use]
    pub fn unseen(&self) -> &[String] {
        &self.unseen
    }

    /// What it holds in a slice, read from one brick after the other.
    ///
    /// # Errors
    /// [`InventoryError`] if a brick was unmounted or cannot be read.
    pub fn slice(
        &self,
        slice: GfidRange,
        wish: ReadOptions,
        meter: &Meter,
    ) -> Result<Inventoried, InventoryError> {
        let parts: Result<Vec<_>, _> =
            self.bricks.iter().map(|brick| brick.slice(slice, wish, meter)).collect();
        Ok(self.hold(parts?))
    }

    /// Those of the gfids, sorted and without repeats, that it holds, with their names.
    ///
    /// # Errors
    /// [`InventoryError`] if a brick was unmounted meanwhile.
    pub fn look(&self, gfids: &[Gfid], wish: ReadOptions) -> Result<Inventoried, InventoryError> {
        let wish = ReadOptions { places: true, ..wish };
        let parts: Result<Vec<_>, _> =
            self.bricks.iter().map(|brick| brick.look(gfids, wish)).collect();
        let holding = self.hold(parts?);
        self.still_there()?;
        Ok(holding)
    }

    /// Checks that every brick is still mounted: an unmounted one reads like an empty one.
    ///
    /// # Errors
    /// [`InventoryError`].
    pub fn still_there(&self) -> Result<(), InventoryError> {
        self.bricks.iter().try_for_each(Source::still_there)
    }

    /// The paths of gfids below the volume's root, in the order of the question, from the first
    /// brick that has any.
    ///
    /// # Errors
    /// [`InventoryError`] if a brick was unmounted meanwhile.
    pub fn paths(&self, gfids: &[Gfid]) -> Result<Vec<Vec<Name>>, InventoryError> {
        let mut paths: Vec<Vec<Name>> = vec![Vec::new(); gfids.len()];
        for brick in &self.bricks {
            for (known, found) in paths.iter_mut().zip(brick.paths(gfids)?) {
                if known.is_empty() {
                    *known = found;
                }
            }
        }
        Ok(paths)
    }

    /// How far each set of bricks is in a session, named by volume ids as in the marks' names;
    /// `None` if no brick has a mark of it.
    ///
    /// # Errors
    /// [`InventoryError`].
    pub fn marks(&self, session: &str) -> Result<Option<Vec<Mark>>, InventoryError> {
        let mut marks = Vec::new();
        for set in &self.topology.sets {
            let mut best = None;
            for brick in set.iter().filter_map(|brick| self.bricks.get(*brick)) {
                best = best.max(brick.mark(session)?.map(|mark| (mark.sec, mark.usec)));
            }
            marks.push(best.map(|(sec, usec)| Mark { sec, usec }));
        }
        let any = marks.iter().any(Option::is_some);
        Ok(any.then(|| marks.into_iter().map(|mark| mark.unwrap_or(Mark::ZERO)).collect()))
    }

    /// Which of the gfids appear in changelogs newer than each set's mark.
    ///
    /// # Errors
    /// [`InventoryError`].
    pub fn pending(
        &self,
        marks: &[Mark],
        gfids: &BTreeSet<Gfid>,
    ) -> Result<PendingGfids, InventoryError> {
        let mut pending = PendingGfids::default();
        for (set, mark) in self.topology.sets.iter().zip(marks) {
            for brick in set.iter().filter_map(|brick| self.bricks.get(*brick)) {
                brick.add_pending(*mark, gfids, &mut pending)?;
            }
        }
        Ok(pending)
    }

    fn hold(&self, parts: Vec<Part>) -> Inventoried {
        let mut holding = Inventoried::default();
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

    /// Whether it is a user's, not `GlusterFS`'s own.
    fn is_users(&self, item: &Item) -> bool {
        let closed = |gfid: &Gfid| self.closed.binary_search(gfid).is_ok();
        self.own.binary_search(&item.gfid).is_err()
            && (item.places.is_empty() || item.places.iter().any(|place| !closed(&place.parent)))
    }
}

/// Some files of a brick, in the order of their gfids.
fn sample(brick: &Source) -> Result<Vec<Item>, InventoryError> {
    let mut files = Vec::new();
    for slice in GfidRange::ALL.pieces(256) {
        let part = brick.slice(slice, ReadOptions::default(), &Meter::default())?;
        files.extend(part.items.into_iter().filter(|item| item.kind == ItemKind::File));
        if files.len() >= SAMPLE {
            break;
        }
    }
    Ok(files)
}
