//! Compares two volumes: a look at everything, then second looks at what differed.

mod findings;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use uuid::Uuid;

use super::throttle::Throttle;
use super::{Context, Failure, Findings, Phase, UsageError};
use crate::check::compare::{Difference, Differences, EmptyFiles, Sides, compare, compare_all};
use crate::domain::{AuditHead, Gfid, Mark, SecondaryUrl};
use crate::scan::Meter;
use crate::scan::brick::BrickRoot;
use crate::scan::cluster::{Cluster, Host};
use crate::scan::inventory::{
    GfidRange, Inventoried, Inventory, InventoryError, Item, ItemKind, Object, ReadOptions, Share,
};
use findings::{Lost, LostBuilder, LostOnBoth, are_own, findings_of};

/// How many objects are looked at again and reported together: bounds the memory.
const BATCH: usize = 4096;
/// About how many objects a shard has: each thread has one shard of both sides in memory.
const SHARD: u64 = 4096;
/// How many shards are compared before their results are kept: Ctrl-C waits for one shard a thread
/// at most, and loses less than these.
const LEG: usize = 32;
/// The time between two looks: within it, a brick has recorded a change that was made before the
/// first.
const RECORDED_WITHIN: Duration = Duration::from_millis(500);
/// How many more looks doubted objects get when the time is over.
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
    /// What was not compared because the work was stopped.
    left: Option<GfidRange>,
    /// Objects whose names are incomplete: the first of them, and how many.
    unnamed: (Vec<Gfid>, u64),
    /// Handles without a name.
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

/// What still differs at a second look.
#[derive(Debug, Default)]
struct SecondLook {
    /// Named by changelogs after the marks: still to be replicated.
    pending: Vec<(Gfid, Differences)>,
    /// Named by none, for the first time.
    doubted: Vec<(Gfid, Differences)>,
    /// Named by none, twice in a row: differences.
    confirmed: Vec<(Gfid, Differences)>,
}

impl<'a> Comparison<'a> {
    /// Two volumes that are not the same one.
    ///
    /// # Errors
    /// [`UsageError`] if the bricks of a side belong to several volumes, or both sides to one.
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

    /// Compares everything once, shard by shard in the order of gfids, one shard in memory for each
    /// thread. If it is stopped, the rest is known.
    ///
    /// # Errors
    /// [`Failure`] if a brick cannot be read, or was replaced meanwhile.
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

    /// Compares a shard; `None` if the work is to be stopped.
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

    /// Looks again at what differed, until each object is equal, is a difference, or the time is
    /// over; what is left then is pending.
    ///
    /// An object is a *difference* if two looks in a row differ and no changelog after the marks
    /// names it: replication believes that it has sent it. It is *pending* while a changelog names
    /// it. One look is not enough, for two reasons: the volume changes while it is read, and a
    /// brick records a change after it is made.
    ///
    /// # Errors
    /// [`Failure`] if a brick or its marks cannot be read.
    fn look_again(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let mut open = std::mem::take(&mut self.found);
        let (mut doubted, mut overtime) = (BTreeSet::new(), 0);
        while !open.is_empty() {
            let look = self.look_once_more(&open, &doubted)?;
            self.found.extend(look.confirmed);
            doubted = look.doubted.iter().map(|(gfid, _)| *gfid).collect();
            open = [look.pending, look.doubted].concat();
            open.sort_unstable_by_key(|(gfid, _)| *gfid);
            if began.elapsed() >= self.terms.settle || self.context.is_stopped() {
                overtime += 1;
            }
            // Pending objects have had their time. Doubted ones get a few more looks, so that no
            // difference is called pending; without a limit, an object that changes all the time
            // would be looked at for ever.
            if open.is_empty() || overtime > if doubted.is_empty() { 0 } else { OVERTIME } {
                break;
            }
            std::thread::sleep(RECORDED_WITHIN);
        }
        self.found.sort_unstable_by_key(|(gfid, _)| *gfid);
        self.pending = self.primary.marks(&self.session)?.map(|_| open.len() as u64);
        self.waiting = open;
        Ok(())
    }

    /// Looks at open objects once more; `doubted` are those that differed at the last look without
    /// being named by a changelog.
    ///
    /// The order matters: marks, objects, changelogs. A change that the look has seen is then
    /// either replicated before the marks were read, or named by a changelog after them.
    fn look_once_more(
        &mut self,
        open: &[(Gfid, Differences)],
        doubted: &BTreeSet<Gfid>,
    ) -> Result<SecondLook, Failure> {
        let marks = self.primary.marks(&self.session)?;
        let mut still = Vec::new();
        for batch in open.chunks(BATCH) {
            let gfids: Vec<_> = batch.iter().map(|(gfid, _)| *gfid).collect();
            let (here, there) = self.look(&gfids)?;
            compare_all(&here.objects, &there.objects, |gfid, how| still.push((gfid, how)));
        }
        let named = self.named_in_changelogs(marks.as_deref(), &still)?;
        let mut look = SecondLook::default();
        for (gfid, how) in still {
            let group = if named.contains(&gfid) {
                &mut look.pending
            } else if doubted.contains(&gfid) {
                &mut look.confirmed
            } else {
                &mut look.doubted
            };
            group.push((gfid, how));
        }
        Ok(look)
    }

    fn look(&self, gfids: &[Gfid]) -> Result<(Inventoried, Inventoried), InventoryError> {
        Ok((
            self.primary.look(gfids, self.terms.wish)?,
            self.secondary.look(gfids, self.terms.wish)?,
        ))
    }

    /// Those that the primary's changelogs name after the marks; without marks, none.
    fn named_in_changelogs(
        &mut self,
        marks: Option<&[Mark]>,
        still: &[(Gfid, Differences)],
    ) -> Result<BTreeSet<Gfid>, Failure> {
        let Some(marks) = marks.filter(|_| !still.is_empty()) else { return Ok(BTreeSet::new()) };
        let asked = still.iter().map(|(gfid, _)| *gfid).collect();
        let named = self.primary.pending(marks, &asked)?;
        self.notes.extend(
            named
                .notes
                .into_iter()
                .map(|note| format!("pending changes are not fully known: {note}")),
        );
        Ok(named.gfids)
    }

    /// Hands over the findings batch by batch, and returns the document's head.
    ///
    /// # Errors
    /// [`Failure`] if a brick cannot be read, or the findings cannot be taken.
    fn report(&mut self, list: &mut dyn Findings) -> Result<AuditHead, Failure> {
        let found = std::mem::take(&mut self.found);
        let lost = self.lost_on_both(&found)?;
        let mut empty = EmptyFiles::default();
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
                findings.extend(findings_of(&sides, how, &lost));
            }
            list.push(&findings)?;
            if list.is_gone() {
                break;
            }
        }
        list.push(empty.finding().as_slice())?;
        self.note_unnamed()?;
        Ok(self.head())
    }

    /// Notes how many objects have names that cannot be compared: a missed rename of them is not
    /// detected.
    fn note_unnamed(&mut self) -> Result<(), Failure> {
        let (mut first, mut count) = std::mem::take(&mut self.unnamed);
        first.sort_unstable();
        first.dedup();
        if count <= BATCH as u64 {
            first = self.still_unnamed(first)?;
            count = first.len() as u64;
        }
        if count > 0 {
            self.unseen.insert(format!(
                "objects with incomplete gfid2path xattrs: {count} (georepair audit brick says \
                 why); a missed rename of them is not detected"
            ));
        }
        Ok(())
    }

    /// Those whose names stay incomplete: a brick removes the record of a name before the name
    /// (`posix_unlink`), and writes it after creating the name.
    fn still_unnamed(&self, mut gfids: Vec<Gfid>) -> Result<Vec<Gfid>, InventoryError> {
        for _ in 0..OVERTIME {
            if gfids.is_empty() {
                break;
            }
            std::thread::sleep(RECORDED_WITHIN);
            let (here, there) = self.look(&gfids)?;
            let again: BTreeSet<_> = unnamed(&here).chain(unnamed(&there)).collect();
            gfids.retain(|gfid| again.contains(gfid));
        }
        Ok(gfids)
    }

    /// What is missing on each side, pending objects included: they may claim a name, too.
    fn lost_on_both(&self, found: &[(Gfid, Differences)]) -> Result<LostOnBoth, InventoryError> {
        let pending: HashSet<_> = self.waiting.iter().map(|(gfid, _)| *gfid).collect();
        let lost = |volume: &Inventory, how: Difference| -> Result<Lost, InventoryError> {
            let all = found.iter().chain(&self.waiting).filter(|(_, found)| found.contains(how));
            let mut gfids: Vec<_> = all.map(|(gfid, _)| *gfid).collect();
            gfids.sort_unstable();
            let mut lost = LostBuilder::default();
            for batch in gfids.chunks(BATCH) {
                lost.add(&volume.look(batch, ReadOptions::default())?.objects, &pending);
            }
            Ok(lost.finish())
        };
        Ok(LostOnBoth {
            on_secondary: lost(&self.primary, Difference::OnlyOnPrimary)?,
            on_primary: lost(&self.secondary, Difference::OnlyOnSecondary)?,
        })
    }

    fn head(&mut self) -> AuditHead {
        for (side, volume) in [("primary", &self.primary), ("secondary", &self.secondary)] {
            self.unseen.extend(volume.unseen().iter().map(|brick| format!("{side}: {brick}")));
        }
        if let Some(left) = self.left {
            let (first, last) = (left.first, left.last);
            self.unseen.insert(format!(
                "stopped: gfids from {first:04x} on were not compared; continue with \
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
        let compared: Vec<_> = Difference::ALL.iter().map(|it| it.scope()).collect();
        let compared: Vec<_> = compared.into_iter().filter(|it| !it.is_empty()).collect();
        let mut scope = vec![
            format!("primary: {}", self.primary.describe()),
            format!("secondary: {}", self.secondary.describe()),
            format!("compared, by the bricks' handles: {}", compared.join(", ")),
        ];
        scope.push(match self.terms.wish.content {
            None => {
                "not compared: content (--content), times of directories, default ACLs".to_owned()
            }
            Some(1) => "also compared: the content of files".to_owned(),
            Some(n) => format!("also compared: the content of one file in {n}"),
        });
        if self.terms.slice != GfidRange::ALL {
            scope.push(format!(
                "only gfids that begin with {:04x} to {:04x}",
                self.terms.slice.first, self.terms.slice.last
            ));
        }
        scope
    }

    fn take_notes(&mut self) {
        if self.marks.is_none() {
            self.notes.insert(
                "no brick of the primary has a mark of a session with this secondary: pending \
                 changes are reported as differences"
                    .to_owned(),
            );
        }
        if !self.waiting.is_empty() {
            self.notes.insert(
                "to see whether replication is still moving, run georepair changelog pending \
                 --brick DIR on the primary's nodes"
                    .to_owned(),
            );
        }
        if self.nameless > 0 {
            let count = self.nameless;
            self.notes.insert(format!(
                "{count} handles without a name were skipped; georepair audit brick says whether \
                 they are damage"
            ));
        }
    }

    /// What could not be compared in a shard.
    fn blind_spots(&self, holding: &Inventoried, side: &str) -> impl Iterator<Item = String> {
        let unread = holding.why.as_deref();
        let unread = unread.map(|why| format!("{side}: some objects could not be read: {why}"));
        let is_part = |object: &Object| {
            object.item().is_some_and(|i| i.kind == ItemKind::File && i.share == Share::Fragment)
        };
        let parts = self.terms.wish.content.is_some() && holding.objects.iter().any(is_part);
        let parts = parts.then(|| {
            format!(
                "{side}: content was not compared: bricks of a disperse volume hold fragments only"
            )
        });
        unread.into_iter().chain(parts)
    }
}

fn by_gfid(holding: &Inventoried) -> HashMap<Gfid, &Object> {
    holding.objects.iter().map(|object| (object.gfid, object)).collect()
}

/// The objects of which no copy has all its names.
fn unnamed(holding: &Inventoried) -> impl Iterator<Item = Gfid> {
    let is_unnamed = |object: &&Object| !object.copies.iter().any(Item::is_named);
    holding.objects.iter().filter(is_unnamed).map(|object| object.gfid)
}
