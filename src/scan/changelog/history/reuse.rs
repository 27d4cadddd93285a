//! Names that several objects had in turn: why a late worker runs into EEXIST.

use std::collections::{HashMap, HashSet};

use super::event::{Event, entry_id};
use crate::domain::{EntryId, Fop, Gfid, Name};
use crate::format::changelog::Entry;

/// A name that went from one object to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reuse {
    /// The name.
    pub entry: EntryId,
    /// The path of its directory, if known.
    pub parent_path: Option<Name>,
    /// How it went.
    pub pattern: Pattern,
    /// The objects in turn, the first of them first; at most a few.
    pub gfids: Vec<Gfid>,
    /// How many times it went on to another object.
    pub count: u64,
    /// When first, as [`Event::time`].
    pub first: Option<u32>,
    /// When last.
    pub last: Option<u32>,
}

/// How a name went on to another object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Pattern {
    /// The former one was renamed away: `CREATE f.part, RENAME f.part f, CREATE f.part`.
    Staged,
    /// The former one was removed: `CREATE f, UNLINK f, CREATE f`.
    Recreated,
    /// Another one was renamed over it: `CREATE f, CREATE g, RENAME g f`.
    Replaced,
}

impl Pattern {
    /// Its name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Recreated => "recreated",
            Self::Replaced => "replaced",
        }
    }

    /// What it is, in one sentence.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Staged => "made under this name and renamed away, again and again",
            Self::Recreated => "removed and recreated under the same name",
            Self::Replaced => "replaced by another file renamed over it",
        }
    }
}

/// How many objects of a reuse are named.
const NAMED: usize = 16;

/// Who bears a name, and how the last one gave it up.
#[derive(Default)]
struct Holder {
    now: Option<Gfid>,
    before: Option<(Gfid, Pattern)>,
}

/// Finds reused names; notes in the events what a RENAME replaced. Names count that one of
/// `gfids` bore, or all where it is empty.
pub(super) fn reuses(events: &mut [Event], gfids: &HashSet<Gfid>) -> Vec<Reuse> {
    let mut holders: HashMap<EntryId, Holder> = HashMap::new();
    let mut found: HashMap<(EntryId, Pattern), Reuse> = HashMap::new();
    for event in events {
        let gfid = event.record.gfid;
        let Some(entry) = event.record.change.entry() else { continue };
        if let Some(left) = left_by(entry) {
            leave(&mut holders, entry_id(&entry.place), gfid, left);
        }
        let Some(taken) = taken_by(entry) else { continue };
        let holder = holders.entry(taken.clone()).or_default();
        let former = match holder.now {
            Some(former) if former != gfid => Some((former, Pattern::Replaced)),
            Some(_) => None,
            None => holder.before.filter(|(former, _)| *former != gfid),
        };
        if entry.fop == Fop::RENAME {
            event.replaced = holder.now.filter(|former| *former != gfid);
        }
        holder.now = Some(gfid);
        let Some((former, pattern)) = former else { continue };
        note(&mut found, (taken, pattern), former, gfid, event.time);
    }
    let of_them =
        |reuse: &Reuse| gfids.is_empty() || reuse.gfids.iter().any(|gfid| gfids.contains(gfid));
    let mut found: Vec<_> = found.into_values().filter(of_them).collect();
    found.sort_by(|a, b| (a.first, &a.entry, a.pattern).cmp(&(b.first, &b.entry, b.pattern)));
    found
}

fn note(
    found: &mut HashMap<(EntryId, Pattern), Reuse>,
    key: (EntryId, Pattern),
    former: Gfid,
    gfid: Gfid,
    time: Option<u32>,
) {
    let reuse = found.entry(key.clone()).or_insert_with(|| Reuse {
        entry: key.0,
        parent_path: None,
        pattern: key.1,
        gfids: vec![former],
        count: 0,
        first: time,
        last: time,
    });
    reuse.count += 1;
    reuse.last = time;
    if reuse.gfids.len() < NAMED && reuse.gfids.last() != Some(&gfid) {
        reuse.gfids.push(gfid);
    }
}

fn leave(holders: &mut HashMap<EntryId, Holder>, entry: EntryId, gfid: Gfid, how: Pattern) {
    let holder = holders.entry(entry).or_default();
    holder.before = Some((gfid, how));
    holder.now = holder.now.filter(|holding| *holding != gfid);
}

/// How the object gave its old name up.
fn left_by(entry: &Entry<'_>) -> Option<Pattern> {
    match entry.fop {
        Fop::RENAME => Some(Pattern::Staged),
        Fop::UNLINK | Fop::RMDIR => Some(Pattern::Recreated),
        _ => None,
    }
}

/// The name the object has from now on.
fn taken_by(entry: &Entry<'_>) -> Option<EntryId> {
    match entry.fop {
        Fop::UNLINK | Fop::RMDIR => None,
        Fop::RENAME => entry.to.as_deref().map(entry_id),
        _ => Some(entry_id(&entry.place)),
    }
}
