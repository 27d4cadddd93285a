//! The paths of directories at the time of an event in them.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::brick;
use super::event::{Event, entry_id};
use super::reuse::Reuse;
use super::search::{Source, records};
use crate::domain::{EntryId, Fop, Gfid, Name};
use crate::scan::changelog::ChangelogsError;

/// Directories nest no deeper on any file system that a path of 4096 bytes can reach.
const DEEPEST: usize = 2048;
/// Each round finds the parents that the last one named; a tree moved about needs a few.
const ROUNDS: usize = 8;

/// A moment in a brick's changelogs: the end of the slice, and the place in the file.
type Moment = (i64, u64);

/// Where directories were over time.
#[derive(Default)]
struct Directories {
    /// Moves by brick and directory, in order: when, from where, to where.
    moves: HashMap<(usize, Gfid), Vec<Move>>,
    now: HashMap<(usize, Gfid), Option<EntryId>>,
}

struct Move {
    at: Moment,
    from: Option<EntryId>,
    to: Option<EntryId>,
}

/// Fills in the paths of parents, for the events and the reused names.
pub(super) fn name_parents(
    bricks: &[PathBuf],
    sources: &[Source],
    events: &mut [Event],
    reuses: &mut [Reuse],
) -> Result<(), ChangelogsError> {
    let mut known = Directories::default();
    let parents = events.iter().flat_map(|event| event.record.change.places());
    let mut wanted: HashSet<Gfid> = parents.map(|place| place.parent).collect();
    let mut done = HashSet::from([Gfid::ROOT]);
    for _ in 0..ROUNDS {
        known.look_upwards(bricks, &mut wanted);
        wanted.retain(|gfid| done.insert(*gfid));
        if wanted.is_empty() {
            break;
        }
        let moved = [Fop::MKDIR, Fop::RENAME, Fop::RMDIR];
        let found = records(sources, |record| {
            wanted.contains(&record.gfid)
                && record.change.fop().is_some_and(|fop| moved.contains(&fop))
        })?;
        wanted.clear();
        for event in found.events {
            wanted.extend(event.record.change.places().map(|place| place.parent));
            known.learn(&event);
        }
    }
    for event in events {
        let at = (event.slice.end, event.record.offset);
        let path = |gfid| known.path(event.brick, gfid, at);
        let Some(entry) = event.record.change.entry() else { continue };
        event.parent_path = path(entry.place.parent);
        event.new_parent_path = entry.to.as_ref().and_then(|to| path(to.parent));
    }
    for reuse in reuses {
        let end = (i64::MAX, u64::MAX);
        reuse.parent_path =
            (0..bricks.len()).find_map(|brick| known.path(brick, reuse.entry.parent, end));
    }
    Ok(())
}

impl Directories {
    /// Follows the handles of directories up to the root, on every brick.
    fn look_upwards(&mut self, bricks: &[PathBuf], wanted: &mut HashSet<Gfid>) {
        let mut next: Vec<Gfid> = wanted.iter().copied().collect();
        while let Some(gfid) = next.pop() {
            for (index, root) in bricks.iter().enumerate() {
                if gfid == Gfid::ROOT || self.now.contains_key(&(index, gfid)) {
                    continue;
                }
                let place = brick::place_of(root, gfid);
                if let Some(EntryId { parent, .. }) = &place {
                    wanted.insert(*parent);
                    next.push(*parent);
                }
                self.now.insert((index, gfid), place);
            }
        }
    }

    fn learn(&mut self, event: &Event) {
        let Some(entry) = event.record.change.entry() else { return };
        let place = Some(entry_id(&entry.place));
        let (from, to) = match entry.fop {
            Fop::MKDIR => (None, place),
            Fop::RMDIR => (place, None),
            _ => (place, entry.to.as_deref().map(entry_id)),
        };
        let at = (event.slice.end, event.record.offset);
        self.moves.entry((event.brick, event.record.gfid)).or_default().push(Move { at, from, to });
    }

    /// Where a directory was: by its last move before, else by its first move after, else where it
    /// is now.
    fn place(&self, brick: usize, gfid: Gfid, at: Moment) -> Option<&EntryId> {
        let moves = self.moves.get(&(brick, gfid)).map_or(&[][..], Vec::as_slice);
        let (before, after) = moves.split_at(moves.partition_point(|moved| moved.at <= at));
        let then = before.last().and_then(|moved| moved.to.as_ref().or(moved.from.as_ref()));
        then.or_else(|| after.iter().find_map(|moved| moved.from.as_ref()))
            .or_else(|| self.now.get(&(brick, gfid))?.as_ref())
    }

    fn path(&self, brick: usize, directory: Gfid, at: Moment) -> Option<Name> {
        if directory == Gfid::ROOT {
            return Some(Name::from("."));
        }
        let (mut parts, mut gfid) = (Vec::new(), directory);
        while gfid != Gfid::ROOT {
            let place = self.place(brick, gfid, at)?;
            parts.push(place.name.as_bytes());
            gfid = place.parent;
            if parts.len() > DEEPEST {
                return None;
            }
        }
        parts.reverse();
        Some(Name::from(parts.join(&b'/')))
    }
}
