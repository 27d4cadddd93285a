//! From handles to names: which handles does no name account for, and why?

use std::collections::HashSet;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use rustix::io::Errno;

use super::checksum::{Checksum, shard};
use super::first_n::FirstN;
use crate::domain::Gfid;
use crate::scan::brick::{
    BrickError, BrickRoot, Folder, Visitor, WalkEntry, open_in, read_entries, walk,
};
use crate::scan::meter::Meter;
use crate::scan::resolve::{Answer, BrickAnswer, Query, Resolver, Status};

/// How many handles are resolved together: enough to share ancestors, little enough memory.
const BATCH: usize = 1 << 14;

/// What reading all handles showed.
#[derive(Debug, Default)]
pub(super) struct Handles {
    /// How many there are.
    pub(super) count: AtomicU64,
    /// Entries among them that are not handles.
    pub(super) strays: AtomicU64,
    /// Folders of them that could not be read.
    pub(super) unread: AtomicU64,
}

impl Handles {
    /// Reads every `.glusterfs/aa/bb` and counts its handles against their names.
    pub(super) fn read(brick: &BrickRoot, tally: &Checksum, meter: &Meter) -> Self {
        let handles = Self::default();
        (0..=u8::MAX).into_par_iter().for_each(|first| {
            let opened = open_in(brick.handles(), format!("{first:02x}").as_bytes(), false);
            let Some(outer) = handles.opened(opened) else { return };
            for second in 0..=u8::MAX {
                let name = format!("{second:02x}");
                let Some(inner) = handles.opened(open_in(outer.as_fd(), name.as_bytes(), false))
                else {
                    continue;
                };
                let own = u16::from_be_bytes([first, second]);
                handles.read_shard(inner.as_fd(), own, meter, |gfid| tally.handle(gfid));
            }
        });
        handles
    }

    fn opened<T>(&self, opened: Result<T, Errno>) -> Option<T> {
        match opened {
            Ok(folder) => Some(folder),
            Err(Errno::NOENT) => None,
            Err(_) => {
                self.unread.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    fn read_shard(
        &self,
        folder: BorrowedFd<'_>,
        own: u16,
        meter: &Meter,
        mut each: impl FnMut(Gfid),
    ) {
        let mut count = 0;
        let read =
            read_entries(folder, &mut Vec::new(), |name, _, _| match handle_gfid(name, own) {
                Some(gfid) => {
                    count += 1;
                    each(gfid);
                }
                None => drop(self.strays.fetch_add(1, Ordering::Relaxed)),
            });
        self.count.fetch_add(count, Ordering::Relaxed);
        meter.entries.fetch_add(count, Ordering::Relaxed);
        if read.is_err() {
            self.unread.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The gfid that a name in this shard is the handle of: only its canonical text counts.
fn handle_gfid(name: &[u8], own: u16) -> Option<Gfid> {
    let gfid = Gfid::from_text(name).filter(|gfid| shard(*gfid) == own)?;
    (!name.iter().any(u8::is_ascii_uppercase)).then_some(gfid)
}

/// What looking at single handles showed.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Handles that seem to lead nowhere, or to another object.
    pub(super) odd: FirstN<Gfid>,
    /// Handles that could not be judged.
    pub(super) blind: FirstN<Gfid>,
}

impl Suspects {
    /// Looks at every handle in the shards where names and handles differ.
    pub(super) fn find(
        brick: &BrickRoot,
        shards: &[u16],
        resolver: &Resolver<'_>,
    ) -> Result<Self, BrickError> {
        let mut suspects = Self::default();
        let mut batch = Vec::new();
        let mut nameless = Vec::new();
        for (index, &own) in shards.iter().enumerate() {
            let path = format!("{:02x}/{:02x}", own >> 8, own & 0xff);
            if let Ok(folder) = open_in(brick.handles(), path.as_bytes(), false) {
                // What cannot be read was counted by the first reading.
                let _ = read_entries(folder.as_fd(), &mut Vec::new(), |name, _, _| {
                    batch.extend(handle_gfid(name, own));
                });
            }
            if batch.len() >= BATCH || index + 1 == shards.len() {
                let asked = batch.drain(..).map(Query::Gfid).collect();
                for answer in resolver.answer(asked)? {
                    suspects.sort_in(answer, &mut nameless);
                }
            }
            if nameless.len() >= BATCH || index + 1 == shards.len() {
                resolver.scan(&mut nameless)?;
                for answer in std::mem::take(&mut nameless) {
                    suspects.sort_in(answer, &mut Vec::new());
                }
            }
        }
        Ok(suspects)
    }

    fn sort_in(&mut self, answer: Answer, nameless: &mut Vec<Answer>) {
        let Some(gfid) = answer.gfid else { return };
        // It has at least one proven name; a record of another that is wrong is a separate finding.
        if answer.status() == Some(Status::Resolved) {
            return;
        }
        if answer.needs_scan() {
            nameless.push(answer);
        } else if is_odd(answer.status()) {
            self.odd.push(gfid);
        } else if answer.is_unreadable() {
            self.blind.push(gfid);
        }
    }
}

fn is_odd(status: Option<Status>) -> bool {
    !matches!(status, None | Some(Status::Resolved | Status::Missing))
}

/// Checks handles again and drops those that are sound or gone by now, and directories found by
/// the walk: what is wrong above them is another finding.
pub(super) fn still_odd(
    brick: &BrickRoot,
    resolver: &Resolver<'_>,
    gfids: &[Gfid],
) -> Result<Vec<(Gfid, BrickAnswer)>, BrickError> {
    let mut answers = resolver.answer(gfids.iter().copied().map(Query::Gfid).collect())?;
    resolver.scan(&mut answers)?;
    let odd = |answer: Answer| {
        let status = answer.status();
        let gfid = answer.gfid.filter(|_| is_odd(status))?;
        Some((gfid, answer.bricks.into_iter().next()?))
    };
    let mut odd: Vec<_> = answers.into_iter().filter_map(odd).collect();
    if !odd.is_empty() {
        let wanted = odd.iter().map(|(gfid, _)| *gfid).collect();
        let found = Directories { wanted, found: Mutex::default() };
        walk(brick, &Meter::default(), &found);
        let found = found.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        odd.retain(|(gfid, _)| !found.contains(gfid));
    }
    Ok(odd)
}

/// Checks again the handles that could not be judged: a name may have moved meanwhile.
pub(super) fn still_blind(
    resolver: &Resolver<'_>,
    gfids: Vec<Gfid>,
) -> Result<Vec<Gfid>, BrickError> {
    let mut answers = resolver.answer(gfids.into_iter().map(Query::Gfid).collect())?;
    resolver.scan(&mut answers)?;
    Ok(answers.into_iter().filter(Answer::is_unreadable).filter_map(|answer| answer.gfid).collect())
}

/// Looks for directories by their gfids.
struct Directories {
    wanted: HashSet<Gfid>,
    found: Mutex<HashSet<Gfid>>,
}

impl Visitor for Directories {
    fn folder(&self, folder: &Folder) {
        if let Some(gfid) = folder.trail.gfid.filter(|gfid| self.wanted.contains(gfid)) {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(gfid);
        }
    }

    fn entries(&self, _: &Folder, _: &[WalkEntry<'_>]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_text_in_its_own_shard_is_a_handle() {
        let text = "c4b19f1c-cc18-4727-87a4-18de8fe0089e";
        assert!(handle_gfid(text.as_bytes(), 0xc4b1).is_some());
        assert_eq!(handle_gfid(text.as_bytes(), 0xc4b2), None);
        assert_eq!(handle_gfid(text.to_uppercase().as_bytes(), 0xc4b1), None);
        assert_eq!(handle_gfid(b"c4b19f1c", 0xc4b1), None);
    }
}
