//! Checks a brick's `.glusterfs`: names against handles and back, in one pass over each.
//!
//! Cost: for each name one xattr read, one `stat` of its handle and one list of its xattrs; for
//! each handle its line in a directory. Memory: 512 KiB, the directories that wait, and what is
//! in doubt; it does not grow with the brick. Everything in doubt is checked again twice, with a
//! pause, before it counts: on a running brick things come and go meanwhile.

mod checksum;
mod first_n;
mod handles;
mod names;

use std::collections::{BTreeMap, HashSet};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use super::brick::{BrickError, BrickRoot};
use super::meter::Meter;
use super::resolve::{BrickAnswer, ObjectKind, Query, Resolver, Stale, StaleLink, Status};
use crate::domain::{Gfid, Name};
use crate::scan::brick::walk;
use checksum::Checksum;
use handles::{Handles, Suspects, still_blind, still_odd};
use names::{Doubt, Names, Trouble};

/// Ample time for GlusterFS to finish an operation: one in progress looks like damage for the
/// microseconds between a name, its handle and its xattrs.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a doubt is checked again.
const LOOKS: usize = 2;

/// What is wrong with an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// It has no `trusted.gfid`.
    NoGfid,
    /// Its gfid has no handle.
    NoHandle,
    /// Its handle leads to this other name, whose object has the same gfid.
    SharedGfid(Name),
    /// Its handle leads elsewhere; an explanation for people.
    WrongHandle(String),
    /// A handle whose object has no name.
    Orphan(String),
    /// A directory's handle that points to a place where nothing is.
    Dangling(String),
    /// Directories' handles that form a ring.
    Cycle(String),
    /// So many of its names are in no gfid2path xattr.
    Unrecorded(u64),
    /// Its gfid2path xattrs record names it does not have.
    StaleRecords(Vec<StaleLink>),
}

/// An object with a flaw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flawed {
    /// Its gfid, if it has one.
    pub gfid: Option<Gfid>,
    /// Its path below the brick's root, if it has one.
    pub path: Option<Name>,
    /// Its kind, if known.
    pub kind: Option<ObjectKind>,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// Whether the brick keeps `trusted.gfid2path.*`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Records {
    /// It does.
    Kept,
    /// No object has one: `storage.gfid2path` is off, or the release knows none.
    None,
    /// The brick has no object that could have one.
    Unknown,
}

/// The state of a brick's `.glusterfs`.
#[derive(Clone, Debug)]
pub struct Integrity {
    /// Names in the namespace, directories included.
    pub names: u64,
    /// Handles below `.glusterfs`.
    pub handles: u64,
    /// What is wrong, by path and gfid; at most 10,000 of a kind.
    pub flawed: Vec<Flawed>,
    /// Doubts beyond those, which were not checked again.
    pub more: u64,
    /// Whether gfid2path xattrs could be judged.
    pub records: Records,
    /// What could not be seen, one sentence each.
    pub unseen: Vec<String>,
    /// Other remarks.
    pub notes: Vec<String>,
}

/// Checks a brick's namespace against its handles, and its handles against the namespace.
///
/// # Errors
/// [`BrickError::Vanished`] if the brick disappeared meanwhile.
pub fn soundness(brick: &BrickRoot, meter: &Meter) -> Result<Integrity, BrickError> {
    let tally = Checksum::new();
    let names = Names::new(brick, &tally);
    let unread = walk(brick, meter, &names);
    let handles = Handles::read(brick, &tally, meter);
    let silent = Meter::default();
    let resolver = Resolver::new(std::slice::from_ref(brick), &silent);
    let suspects = Suspects::find(brick, &tally.unequal(), &resolver)?;
    let mut it = Integrity {
        names: names.seen.load(Ordering::Relaxed),
        handles: handles.count.load(Ordering::Relaxed),
        flawed: Vec::new(),
        more: suspects.odd.dropped(),
        records: records_of(&names),
        unseen: Vec::new(),
        notes: Vec::new(),
    };
    let mut doubts = it.doubts(&names);
    let mut odd = suspects.odd.kept();
    let unasked = suspects.blind.dropped();
    let mut blind = suspects.blind.kept();
    let mut sights = Vec::new();
    for _ in 0..LOOKS {
        if doubts.is_empty() && odd.is_empty() && blind.is_empty() {
            break;
        }
        thread::sleep(PAUSE);
        doubts = doubts.into_par_iter().filter_map(|doubt| names.again(&doubt)).collect();
        sights = still_odd(brick, &resolver, &odd)?;
        odd = sights.iter().map(|(gfid, _)| *gfid).collect();
        blind = still_blind(&resolver, blind)?;
    }
    it.set_unseen(&unread, &names, &handles, blind.len() as u64 + unasked);
    it.flawed = named(doubts, &resolver)?;
    let known: HashSet<_> = it.flawed.iter().filter_map(|flawed| flawed.gfid).collect();
    it.flawed.extend(sights.into_iter().filter(|(gfid, _)| !known.contains(gfid)).map(nameless));
    it.flawed.sort_by(|a, b| (&a.path, a.gfid).cmp(&(&b.path, b.gfid)));
    brick.check_present()?;
    Ok(it)
}

fn records_of(names: &Names<'_>) -> Records {
    if names.recorded.load(Ordering::Relaxed) {
        Records::Kept
    } else if names.seen.load(Ordering::Relaxed) > names.folders.load(Ordering::Relaxed) {
        Records::None
    } else {
        Records::Unknown
    }
}

impl Integrity {
    /// The doubts about names to check again.
    fn doubts(&mut self, names: &Names<'_>) -> Vec<Doubt> {
        let samples =
            std::mem::take(&mut *names.doubts.lock().unwrap_or_else(PoisonError::into_inner));
        let mut doubts = Vec::new();
        for (index, sample) in samples.into_iter().enumerate() {
            if index == Trouble::Records as usize && self.records != Records::Kept {
                continue;
            }
            self.more += sample.dropped();
            doubts.extend(sample.kept());
        }
        doubts
    }

    fn set_unseen(
        &mut self,
        unread: &crate::scan::brick::Unread,
        names: &Names<'_>,
        handles: &Handles,
        blind: u64,
    ) {
        let unreadable = names.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        for (count, first, what) in
            [(unread.count, &unread.first, "directories"), (unreadable.0, &unreadable.1, "names")]
        {
            if let Some((path, error)) = first {
                self.unseen.push(format!("{count} {what} could not be read: {path}: {error}"));
            }
        }
        let unread_shards = handles.unread.load(Ordering::Relaxed);
        if unread_shards > 0 {
            self.unseen.push(format!("{unread_shards} folders of handles could not be read"));
        }
        if blind > 0 {
            self.unseen.push(format!("{blind} handles could not be judged"));
        }
        if unread.mounts > 0 {
            let mounts = unread.mounts;
            self.notes.push(format!("{mounts} file systems mounted below were not entered"));
        }
        let strays = handles.strays.load(Ordering::Relaxed);
        if strays > 0 {
            self.notes.push(format!("{strays} entries among the handles are not handles"));
        }
    }
}

/// The flaws behind the confirmed doubts, with what the handles show.
fn named(doubts: Vec<Doubt>, resolver: &Resolver<'_>) -> Result<Vec<Flawed>, BrickError> {
    let gfids: HashSet<_> = doubts.iter().filter_map(|doubt| doubt.gfid).collect();
    let gfids: Vec<_> = gfids.into_iter().collect();
    let mut answers = resolver.answer(gfids.iter().copied().map(Query::Gfid).collect())?;
    let sights: BTreeMap<Gfid, BrickAnswer> = answers
        .drain(..)
        .filter_map(|answer| Some((answer.gfid?, answer.bricks.into_iter().next()?)))
        .collect();
    let mut flawed = Vec::new();
    let mut told = HashSet::new();
    for doubt in doubts {
        let sight = doubt.gfid.and_then(|gfid| sights.get(&gfid));
        let Some(flaw) = flaw_of(&doubt, sight) else { continue };
        // Each of its names is in doubt, but it has one handle, and its records once.
        let of_object =
            matches!(flaw, Flaw::NoHandle | Flaw::Unrecorded(_) | Flaw::StaleRecords(_));
        if of_object && !told.insert(doubt.gfid) {
            continue;
        }
        let kind =
            if doubt.folder { Some(ObjectKind::Directory) } else { sight.and_then(|s| s.kind) };
        let kind = kind.filter(|_| doubt.trouble != Trouble::Elsewhere || doubt.folder);
        flawed.push(Flawed { gfid: doubt.gfid, path: Some(doubt.path), kind, flaw });
    }
    Ok(flawed)
}

fn flaw_of(doubt: &Doubt, sight: Option<&BrickAnswer>) -> Option<Flaw> {
    Some(match doubt.trouble {
        Trouble::NoGfid => Flaw::NoGfid,
        Trouble::NoHandle => Flaw::NoHandle,
        Trouble::Elsewhere => {
            let sight = sight?;
            match sight.links.iter().find(|link| link.path != doubt.path) {
                Some(link) if sight.status == Some(Status::Resolved) => {
                    Flaw::SharedGfid(link.path.clone())
                }
                _ => Flaw::WrongHandle(
                    sight.says.clone().unwrap_or_else(|| "it leads elsewhere".to_owned()),
                ),
            }
        }
        Trouble::Records => {
            let sight = sight?;
            let gone =
                |stale: &&StaleLink| matches!(stale.found, Stale::NoSuchName | Stale::OtherObject);
            let stale: Vec<_> = sight.stale.iter().filter(gone).cloned().collect();
            if stale.is_empty() {
                Flaw::Unrecorded(sight.unseen.max(1))
            } else {
                Flaw::StaleRecords(stale)
            }
        }
    })
}

/// The flaw of a handle without a name.
fn nameless((gfid, sight): (Gfid, BrickAnswer)) -> Flawed {
    let says = sight.says.unwrap_or_default();
    let flaw = match sight.status {
        Some(Status::Dangling) => Flaw::Dangling(says),
        Some(Status::Cycle) => Flaw::Cycle(says),
        Some(Status::Orphan) => Flaw::Orphan(says),
        _ => Flaw::WrongHandle(says),
    };
    Flawed { gfid: Some(gfid), path: None, kind: sight.kind, flaw }
}
