//! The comparison of two volumes: a look at everything, then second looks at what differed.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use super::failure::{Failure, UsageError};
use crate::check::sides::{
    self, Difference, Differences, Fate, Sides, Trees, compare, compare_all, empties,
};
use crate::domain::{AuditFinding, AuditHead, Gfid, Mark};
use crate::report::AuditList;
use crate::scan::Meter;
use crate::scan::inventory::{
    Holding, Inventory, InventoryError, ItemKind, Object, Place, Slice, Wish,
};

/// How many objects are looked at again and told at once: bounds the memory.
const BATCH: usize = 4096;

/// How to be no burden to the machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Manners {
    pub(super) max_load: Option<f64>,
    pub(super) pause_file: Option<PathBuf>,
}

impl Manners {
    /// Gives other processes the way; the I/O priority follows (`ioprio_set(2)`). To be called
    /// before any thread starts.
    pub(super) fn be_nice() {
        // Where it is not permitted, the work is done at the usual priority.
        let _ = rustix::process::setpriority_process(None, 19);
    }

    /// Waits until the machine has room for more.
    fn wait(&self) {
        loop {
            let load = std::fs::read_to_string("/proc/loadavg").ok();
            let load = load.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
            let busy = self.max_load.zip(load).is_some_and(|(most, load)| load > most);
            if !busy && !self.pause_file.as_ref().is_some_and(|file| file.exists()) {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

/// What is to be compared, and how.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) wish: Wish,
    pub(super) slice: Slice,
    /// How long replication may take for what it still has to do.
    pub(super) settle: Duration,
    pub(super) manners: Manners,
}

/// Two volumes, and what is known of how they differ.
#[derive(Debug)]
pub(super) struct Comparison {
    terms: Terms,
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
    unseen: BTreeSet<String>,
    notes: BTreeSet<String>,
}

impl Comparison {
    pub(super) fn new(
        primary: Inventory,
        secondary: Inventory,
        terms: Terms,
    ) -> Result<Self, Failure> {
        let mut it = Self {
            terms,
            primary,
            secondary,
            found: Vec::new(),
            waiting: Vec::new(),
            compared: 0,
            pending: None,
            session: String::new(),
            marks: None,
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

    /// Compares everything once, shard by shard, one shard in memory for each thread.
    pub(super) fn compare(&mut self, meter: &Meter) -> Result<(), Failure> {
        let shards = self.terms.slice.pieces(256);
        let all = Mutex::new((Vec::new(), 0_u64, BTreeSet::new()));
        let this = &*self;
        shards.par_iter().try_for_each(|&shard| -> Result<(), InventoryError> {
            this.terms.manners.wait();
            let here = this.primary.slice(shard, this.terms.wish, meter)?;
            let there = this.secondary.slice(shard, this.terms.wish, meter)?;
            let mut found = Vec::new();
            let compared = compare_all(&here.objects, &there.objects, |gfid, how| {
                found.push((gfid, how));
            });
            if let Ok(mut all) = all.lock() {
                all.0.extend(found);
                all.1 += compared;
                all.2.extend(blind_spots(&here, "primary"));
                all.2.extend(blind_spots(&there, "secondary"));
            }
            Ok(())
        })?;
        self.primary.still_there()?;
        self.secondary.still_there()?;
        let (mut found, compared, unseen) = all.into_inner().unwrap_or_default();
        found.sort_unstable_by_key(|(gfid, _)| *gfid);
        (self.found, self.compared) = (found, compared);
        self.unseen.extend(unseen);
        Ok(())
    }

    /// Looks again at what differed, until it is equal, stands although replication claims to be
    /// past it, or the time is over.
    ///
    /// The marks are read before a look and the changelogs after it: a change that the look can
    /// have seen is then either replicated before it, or named.
    pub(super) fn look_again(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let mut open = std::mem::take(&mut self.found);
        loop {
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
            self.found.extend(standing);
            self.pending = marks.map(|_| waiting.len() as u64);
            open = waiting;
            if open.is_empty() || began.elapsed() >= self.terms.settle {
                break;
            }
            std::thread::sleep(Duration::from_secs(2).min(self.terms.settle));
        }
        self.found.sort_unstable_by_key(|(gfid, _)| *gfid);
        self.waiting = open;
        Ok(())
    }

    fn look(&self, gfids: &[Gfid]) -> Result<(Holding, Holding), InventoryError> {
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
    pub(super) fn report(&mut self, list: &mut AuditList<'_>) -> Result<AuditHead, Failure> {
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
        Ok(self.head())
    }

    /// What is missing on either side, and the names that two gfids claim.
    fn lost(&self, found: &[(Gfid, Differences)]) -> Result<Lost, Failure> {
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
            let trees = Trees::of(directories, others.into_iter());
            if primary {
                (lost.primary, lost.primary_places) = (trees, places);
            } else {
                (lost.secondary, lost.secondary_places) = (trees, places);
            }
        }
        Ok(lost)
    }

    fn head(&mut self) -> AuditHead {
        let mut scope = Vec::new();
        for (side, volume) in [("primary", &self.primary), ("secondary", &self.secondary)] {
            scope.push(format!("{side}: {}", volume.describe()));
            self.unseen.extend(volume.unseen().iter().map(|brick| format!("{side}: {brick}")));
        }
        scope.push(
            "compared: existence, type, names, size, mtime of files, mode, owner, ACL, user \
             xattrs, symlink targets"
                .to_owned(),
        );
        scope.push(match self.terms.wish.content {
            None => {
                "not compared: content (--content), times of directories, default ACLs".to_owned()
            }
            Some(1) => "compared too: the content of files".to_owned(),
            Some(n) => format!("compared too: the content of one file in {n}"),
        });
        if self.terms.slice != Slice::ALL {
            scope.push(format!(
                "of all gfids, those that begin with {:04x} to {:04x}",
                self.terms.slice.first, self.terms.slice.last
            ));
        }
        if self.marks.is_none() {
            self.notes.insert(
                "no brick of the primary has a mark of a session with this secondary: what is \
                 still to be replicated is told as a difference"
                    .to_owned(),
            );
        }
        AuditHead {
            compared: self.compared,
            pending: self.pending,
            up_to: self.marks.iter().flatten().min().map(|mark| mark.time()),
            scope,
            unseen: self.unseen.iter().cloned().collect(),
            notes: self.notes.iter().cloned().collect(),
            ..AuditHead::default()
        }
    }
}

/// What is missing on either side.
#[derive(Debug, Default)]
struct Lost {
    primary: Trees,
    secondary: Trees,
    /// The names of what is missing, by digest; and whether it is still to be replicated.
    primary_places: HashMap<u64, (Gfid, bool)>,
    secondary_places: HashMap<u64, (Gfid, bool)>,
}

fn digest(place: &Place) -> u64 {
    xxh3_64(&[place.parent.as_bytes(), place.name.as_bytes()].concat())
}

/// The findings about one object; none where one above it speaks for it.
fn tell(sides: &Sides<'_>, how: Differences, lost: &Lost) -> Vec<AuditFinding> {
    let mut told = Vec::new();
    for difference in how.iter() {
        let (object, trees, rivals) = match difference {
            Difference::OnlyOnPrimary => (sides.primary, &lost.primary, &lost.secondary_places),
            Difference::OnlyOnSecondary => (sides.secondary, &lost.secondary, &lost.primary_places),
            _ => {
                told.push(sides::finding(sides, difference));
                continue;
            }
        };
        let Some(item) = object.and_then(Object::item) else { continue };
        let fate = match (item.kind, item.places.first()) {
            (ItemKind::Directory, _) => trees.directory(sides.gfid),
            (_, Some(place)) => trees.other(place.parent),
            _ => Fate::Top(0),
        };
        let Fate::Top(below) = fate else { continue };
        let rival = item.places.iter().find_map(|place| rivals.get(&digest(place)));
        match (rival, difference) {
            (Some((rival, _)), Difference::OnlyOnPrimary) => {
                told.push(AuditFinding { below, ..sides::other_gfid(sides, *rival) });
            }
            (Some((rival, true)), _) => {
                told.push(AuditFinding { below, ..sides::other_gfid(sides, *rival) });
            }
            // Told with the gfid that stands there on the primary.
            (Some(_), _) => {}
            (None, _) => told.push(AuditFinding { below, ..sides::finding(sides, difference) }),
        }
    }
    told
}

fn by_gfid(holding: &Holding) -> HashMap<Gfid, &Object> {
    holding.objects.iter().map(|object| (object.gfid, object)).collect()
}

fn blind_spots(holding: &Holding, side: &str) -> Option<String> {
    let why = holding.why.as_deref()?;
    Some(format!("{side}: objects that could not be read: {why}"))
}
