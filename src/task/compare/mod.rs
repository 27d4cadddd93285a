//! The comparison of two volumes: a look at everything, then second looks at what differed.

mod findings;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use uuid::Uuid;

use super::throttle::Throttle;
use super::{Context, Failure, Findings, Phase, UsageError};
use crate::check::compare::{Differences, Sides, compare, compare_all, empties};
use crate::domain::{AuditHead, Gfid, Mark, SecondaryUrl};
use crate::scan::Meter;
use crate::scan::brick::BrickRoot;
use crate::scan::cluster::{Cluster, Host};
use crate::scan::inventory::{
    GfidRange, Inventoried, Inventory, InventoryError, Item, ItemKind, Object, ReadOptions, Share,
};
use findings::{are_own, tell};

/// How many objects are looked at again and told at once: bounds the memory.
const BATCH: usize = 4096;
/// About how many objects a shard has: so much is in memory for each thread.
const SHARD: u64 = 4096;
/// How many shards are compared before the next are handed out: what Ctrl-C has to wait for at
/// most is one shard a thread, and what it loses is less than these.
const LEG: usize = 32;
/// How long a difference has to stand that replication does not know of: a brick records a
/// change after it was made.
const STANDS: Duration = Duration::from_millis(500);
/// How many more looks there are for what is doubted when the time is over.
const OVERTIME: u32 = 3;

/// What is to be compared, and how.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// What is read of each object.
    pub wish: ReadOptions,
    /// Which gfids are compared.
    pub slice: GfidRange,
    /// How long replication may take for what it still has to do.
    pub settle: Duration,
    /// When to pause.
    pub throttle: Throttle,
}

impl Default for CompareOptions {
    /// Everything but content, and a minute for what is pending.
    fn default() -> Self {
        Self {
            wish: ReadOptions { content: None, places: false },
            slice: GfidRange::ALL,
            settle: Duration::from_mins(1),
            throttle: Throttle::default(),
        }
    }
}

/// Which two volumes to compare.
#[derive(Clone, Debug)]
pub enum CompareSides {
    /// The volumes of a session, by name; bricks on other nodes are read by their georepair.
    Volumes {
        /// The primary, on this node's cluster.
        primary: String,
        /// The secondary.
        secondary: SecondaryUrl,
    },
    /// The bricks of either side, on this machine.
    Bricks {
        /// Those of the primary.
        primary: Vec<PathBuf>,
        /// Those of the secondary.
        secondary: Vec<PathBuf>,
    },
}

/// How a comparison ended.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Counts, scope, and what was not compared.
    pub head: AuditHead,
    /// Whether it was stopped before its end.
    pub is_cut: bool,
}

/// Compares both sides, waits for what is pending, and reports what differs.
///
/// # Errors
/// [`Failure`] if a brick cannot be read, or the findings cannot be taken.
pub fn compare_sides(
    sides: &CompareSides,
    options: CompareOptions,
    findings: &mut dyn Findings,
    context: &Context,
) -> Result<Compared, Failure> {
    let (primary, secondary) = inventories(sides, context)?;
    let meter = Arc::new(Meter::default());
    let most = primary.inodes() + secondary.inodes();
    let mut comparison = Comparison::new(primary, secondary, options, context)?;
    let phase = context.progress.phase(Phase::names(&meter, most));
    comparison.compare(&meter)?;
    comparison.look_again()?;
    drop(phase);
    let head = comparison.report(findings)?;
    Ok(Compared { head, is_cut: comparison.is_cut() })
}

fn inventories(sides: &CompareSides, context: &Context) -> Result<(Inventory, Inventory), Failure> {
    match sides {
        CompareSides::Bricks { primary, secondary } => {
            let open = |dirs: &[PathBuf]| -> Result<Inventory, Failure> {
                let bricks: Result<Vec<_>, _> =
                    dirs.iter().map(|dir| BrickRoot::open(dir)).collect();
                Ok(Inventory::of_bricks(bricks?)?)
            };
            Ok((open(primary)?, open(secondary)?))
        }
        CompareSides::Volumes { primary, secondary } => {
            let tools = &context.tools;
            let here = Cluster::of(tools, Host::Here)?;
            let there = Cluster::of_secondary(tools, secondary)?;
            let of = |cluster: &Cluster<'_>, volume: &str| -> Result<Inventory, Failure> {
                Ok(Inventory::of_volume(tools, cluster, &cluster.volume(volume)?)?)
            };
            Ok((of(&here, primary)?, of(&there, &secondary.volume)?))
        }
    }
}

/// Two volumes, and what is known of how they differ.
#[derive(Debug)]
struct Comparison<'a> {
    context: &'a Context,
    terms: CompareOptions,
    primary: Inventory,
    secondary: Inventory,
    found: Vec<(Gfid, Differences)>,
    /// What differs and is still to be replicated.
    waiting: Vec<(Gfid, Differences)>,
    compared: u64,
    pending: Option<u64>,
    /// The volumes' ids, as in the marks' names.
    session: String,
    marks: Option<Vec<Mark>>,
    /// What was not compared, since the work was stopped.
    left: Option<GfidRange>,
    /// Objects whose names could not be told: the first of them, and how many.
    unnamed: (Vec<Gfid>, u64),
    /// Handles without anything.
    nameless: u64,
    unseen: BTreeSet<String>,
    notes: BTreeSet<String>,
}

/// What comparing a shard showed.
#[derive(Debug, Default)]
struct Shard {
    found: Vec<(Gfid, Differences)>,
    compared: u64,
    unnamed: Vec<Gfid>,
    nameless: u64,
    unseen: BTreeSet<String>,
}

impl<'a> Comparison<'a> {
    /// Two volumes that are not the same one.
    ///
    /// # Errors
    /// [`UsageError`] where the bricks of a side belong to several volumes, or both sides to one.
    fn new(
        primary: Inventory,
        secondary: Inventory,
        terms: CompareOptions,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        let mut it = Self {
            context,
            terms,
            primary,
            secondary,
            found: Vec::new(),
            waiting: Vec::new(),
            compared: 0,
            pending: None,
            session: String::new(),
            marks: None,
            left: None,
            unnamed: (Vec::new(), 0),
            nameless: 0,
            unseen: BTreeSet::new(),
            notes: BTreeSet::new(),
        };
        let (here, there) = (it.primary.volumes(), it.secondary.volumes());
        if here.len() > 1 || there.len() > 1 {
            return Err(UsageError("the bricks of one side belong to different volumes").into());
        }
        let (Some(here), Some(there)) = (here.first(), there.first()) else {
            return Err(UsageError("a side has no bricks").into());
        };
        if here == there {
            return Err(UsageError("both sides are bricks of the same volume").into());
        }
        it.session = format!("{}.{}", Uuid::from_bytes(*here), Uuid::from_bytes(*there));
        it.marks = it.primary.marks(&it.session)?;
        Ok(it)
    }

    /// Compares everything once, shard by shard, one shard in memory for each thread, in the order
    /// of gfids; where it is stopped, what is left is known.
    ///
    /// # Errors
    /// [`Failure`] where a brick cannot be read, or was replaced meanwhile.
    fn compare(&mut self, meter: &Meter) -> Result<(), Failure> {
        let objects = self.primary.inodes().max(self.secondary.inodes());
        let shards = u32::try_from(objects / SHARD).unwrap_or(u32::MAX).clamp(256, 1 << 16);
        let shards = self.terms.slice.pieces(shards);
        'legs: for leg in shards.chunks(LEG) {
            let this = &*self;
            let looks: Result<Vec<_>, InventoryError> =
                leg.par_iter().map(|&shard| this.shard(shard, meter)).collect();
            for (shard, look) in leg.iter().zip(looks?) {
                let Some(look) = look else {
                    self.left = Some(GfidRange { first: shard.first, ..self.terms.slice });
                    break 'legs;
                };
                self.take(look);
            }
        }
        self.primary.still_there()?;
        self.secondary.still_there()?;
        Ok(())
    }

    /// Compares a shard; nothing where the work is to be stopped.
    fn shard(&self, shard: GfidRange, meter: &Meter) -> Result<Option<Shard>, InventoryError> {
        if !self.terms.throttle.may_continue(self.context) {
            return Ok(None);
        }
        let here = self.primary.slice(shard, self.terms.wish, meter)?;
        let there = self.secondary.slice(shard, self.terms.wish, meter)?;
        let mut look = Shard::default();
        look.compared = compare_all(&here.objects, &there.objects, |gfid, how| {
            look.found.push((gfid, how));
        });
        for (side, holding) in [("primary", &here), ("secondary", &there)] {
            look.unseen.extend(self.blind_spots(holding, side));
            look.nameless += holding.nameless;
            look.unnamed.extend(unnamed(holding));
        }
        Ok(Some(look))
    }

    fn take(&mut self, look: Shard) {
        self.found.extend(look.found);
        self.compared += look.compared;
        self.nameless += look.nameless;
        self.unseen.extend(look.unseen);
        let (first, count) = &mut self.unnamed;
        *count += look.unnamed.len() as u64;
        let room = BATCH.saturating_sub(first.len());
        first.extend(look.unnamed.into_iter().take(room));
    }

    /// Whether the work was stopped before its end.
    fn is_cut(&self) -> bool {
        self.left.is_some()
    }

    /// Looks again at what differed, until it is equal, stands although replication claims to be
    /// past it, or the time is over.
    ///
    /// The marks are read before a look and the changelogs after it: a change that the look can
    /// have seen is then either replicated before it, or named. What is not named has to stand
    /// twice.
    ///
    /// # Errors
    /// [`Failure`] where a brick or its marks cannot be read.
    fn look_again(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let mut open = std::mem::take(&mut self.found);
        let (mut stood, mut overtime) = (BTreeSet::new(), 0);
        while !open.is_empty() {
            let marks = self.primary.marks(&self.session)?;
            let mut still = Vec::new();
            for batch in open.chunks(BATCH) {
                let gfids: Vec<_> = batch.iter().map(|(gfid, _)| *gfid).collect();
                let (here, there) = self.look(&gfids)?;
                compare_all(&here.objects, &there.objects, |gfid, how| still.push((gfid, how)));
            }
            let named = self.named(marks.as_deref(), &still)?;
            let (waiting, standing): (Vec<_>, Vec<_>) =
                still.into_iter().partition(|(gfid, _)| named.contains(gfid));
            let (stands, doubted): (Vec<_>, Vec<_>) =
                standing.into_iter().partition(|(gfid, _)| stood.contains(gfid));
            self.found.extend(stands);
            stood = doubted.iter().map(|(gfid, _)| *gfid).collect();
            open = [waiting, doubted].concat();
            open.sort_unstable_by_key(|(gfid, _)| *gfid);
            overtime +=
                u32::from(began.elapsed() >= self.terms.settle || self.context.is_stopped());
            // Objects that change all the time would be doubted for ever.
            if open.is_empty() || overtime > if stood.is_empty() { 0 } else { OVERTIME } {
                break;
            }
            std::thread::sleep(STANDS);
        }
        self.found.sort_unstable_by_key(|(gfid, _)| *gfid);
        self.pending = self.primary.marks(&self.session)?.map(|_| open.len() as u64);
        self.waiting = open;
        Ok(())
    }

    fn look(&self, gfids: &[Gfid]) -> Result<(Inventoried, Inventoried), InventoryError> {
        Ok((
            self.primary.look(gfids, self.terms.wish)?,
            self.secondary.look(gfids, self.terms.wish)?,
        ))
    }

    /// Those that the primary's changelogs name past the marks.
    fn named(
        &mut self,
        marks: Option<&[Mark]>,
        still: &[(Gfid, Differences)],
    ) -> Result<BTreeSet<Gfid>, Failure> {
        let Some(marks) = marks.filter(|_| !still.is_empty()) else { return Ok(BTreeSet::new()) };
        let asked = still.iter().map(|(gfid, _)| *gfid).collect();
        let named = self.primary.named(marks, &asked)?;
        self.notes.extend(named.notes.into_iter().map(|note| {
            format!("what replication still has to do is not known for all of it: {note}")
        }));
        Ok(named.gfids)
    }

    /// Tells what stands, batch by batch, and answers with the document's head.
    ///
    /// # Errors
    /// [`Failure`] where a brick cannot be read, or the findings cannot be taken.
    fn report(&mut self, list: &mut dyn Findings) -> Result<AuditHead, Failure> {
        let found = std::mem::take(&mut self.found);
        let lost = self.lost(&found)?;
        let mut empty = empties();
        for batch in found.chunks(BATCH) {
            let gfids: Vec<_> = batch.iter().map(|(gfid, _)| *gfid).collect();
            let (here, there) = self.look(&gfids)?;
            let (here, there) = (by_gfid(&here), by_gfid(&there));
            let (above, below) = (self.primary.paths(&gfids)?, self.secondary.paths(&gfids)?);
            let mut findings = Vec::new();
            for (((gfid, _), primary_paths), secondary_paths) in
                batch.iter().zip(&above).zip(&below)
            {
                let sides = Sides {
                    gfid: *gfid,
                    primary: here.get(gfid).copied(),
                    secondary: there.get(gfid).copied(),
                    primary_paths,
                    secondary_paths,
                };
                if !(primary_paths.is_empty() && secondary_paths.is_empty())
                    && are_own(primary_paths)
                    && are_own(secondary_paths)
                {
                    continue;
                }
                let how = compare(sides.primary, sides.secondary);
                empty.count(&sides, how);
                findings.extend(tell(&sides, how, &lost));
            }
            list.push(&findings)?;
            if list.is_gone() {
                break;
            }
        }
        list.push(empty.finding().as_slice())?;
        self.tell_unnamed()?;
        Ok(self.head())
    }

    /// Says how many objects have no names that can be compared: a rename that did not arrive
    /// would not be seen.
    fn tell_unnamed(&mut self) -> Result<(), Failure> {
        let (mut first, mut count) = std::mem::take(&mut self.unnamed);
        first.sort_unstable();
        first.dedup();
        if count <= BATCH as u64 {
            first = self.still_unnamed(first)?;
            count = first.len() as u64;
        }
        if count > 0 {
            self.unseen.insert(format!(
                "the names of {count} objects: their gfid2path xattrs do not tell all of them \
                 (georepair audit brick says why), so a rename that did not arrive is not seen"
            ));
        }
        Ok(())
    }

    /// Those whose names stay untold: a brick takes the record of a name away before the name
    /// (`posix_unlink`), and writes it after the name was made.
    fn still_unnamed(&self, mut gfids: Vec<Gfid>) -> Result<Vec<Gfid>, InventoryError> {
        for _ in 0..OVERTIME {
            if gfids.is_empty() {
                break;
            }
            std::thread::sleep(STANDS);
            let (here, there) = self.look(&gfids)?;
            let again: BTreeSet<_> = unnamed(&here).chain(unnamed(&there)).collect();
            gfids.retain(|gfid| again.contains(gfid));
        }
        Ok(gfids)
    }

    fn head(&mut self) -> AuditHead {
        for (side, volume) in [("primary", &self.primary), ("secondary", &self.secondary)] {
            self.unseen.extend(volume.unseen().iter().map(|brick| format!("{side}: {brick}")));
        }
        if let Some(left) = self.left {
            let (first, last) = (left.first, left.last);
            self.unseen.insert(format!(
                "stopped: gfids from {first:04x} on were not compared; go on with \
                 --range {first:04x}..{last:04x}"
            ));
        }
        self.take_notes();
        AuditHead {
            compared: self.compared,
            pending: self.pending,
            up_to: self.marks.iter().flatten().min().map(|mark| mark.time()),
            scope: self.scope(),
            unseen: self.unseen.iter().cloned().collect(),
            notes: self.notes.iter().cloned().collect(),
            ..AuditHead::default()
        }
    }

    fn scope(&self) -> Vec<String> {
        let mut scope = vec![
            format!("primary: {}", self.primary.describe()),
            format!("secondary: {}", self.secondary.describe()),
            "compared, by the bricks' handles: existence, type, names, size, mtime of files, \
             mode, owner, ACL, user xattrs, symlink targets"
                .to_owned(),
        ];
        scope.push(match self.terms.wish.content {
            None => {
                "not compared: content (--content), times of directories, default ACLs".to_owned()
            }
            Some(1) => "compared too: the content of files".to_owned(),
            Some(n) => format!("compared too: the content of one file in {n}"),
        });
        if self.terms.slice != GfidRange::ALL {
            scope.push(format!(
                "of all gfids, those that begin with {:04x} to {:04x}",
                self.terms.slice.first, self.terms.slice.last
            ));
        }
        scope
    }

    fn take_notes(&mut self) {
        if self.marks.is_none() {
            self.notes.insert(
                "no brick of the primary has a mark of a session with this secondary: what is \
                 still to be replicated is told as a difference"
                    .to_owned(),
            );
        }
        if !self.waiting.is_empty() {
            self.notes.insert(
                "whether replication is still moving: georepair changelog pending --brick DIR, on \
                 the primary's nodes"
                    .to_owned(),
            );
        }
        if self.nameless > 0 {
            let count = self.nameless;
            self.notes.insert(format!(
                "{count} handles lead to nothing that has a name and were left out; georepair \
                 audit brick tells whether that is as it should be"
            ));
        }
    }

    /// What of a shard could not be seen.
    fn blind_spots(&self, holding: &Inventoried, side: &str) -> impl Iterator<Item = String> {
        let unread = holding.why.as_deref();
        let unread = unread.map(|why| format!("{side}: objects that could not be read: {why}"));
        let is_part = |object: &Object| {
            object.item().is_some_and(|i| i.kind == ItemKind::File && i.share == Share::Fragment)
        };
        let parts = self.terms.wish.content.is_some() && holding.objects.iter().any(is_part);
        let parts = parts.then(|| {
            format!("{side}: content: the bricks of a disperse volume have fragments of it only")
        });
        unread.into_iter().chain(parts)
    }
}

fn by_gfid(holding: &Inventoried) -> HashMap<Gfid, &Object> {
    holding.objects.iter().map(|object| (object.gfid, object)).collect()
}

/// The objects of which no copy tells all its names.
fn unnamed(holding: &Inventoried) -> impl Iterator<Item = Gfid> {
    let is_unnamed = |object: &&Object| !object.copies.iter().any(Item::is_named);
    holding.objects.iter().filter(is_unnamed).map(|object| object.gfid)
}
