//! From gfids to paths and back, on bricks: stopped, detached or live.

mod ancestry;
mod answer;
mod brick_answer;
mod candidate;
mod descent;
mod from_path;
mod full_scan;
mod handle;
mod question;

use std::collections::HashSet;

use rayon::prelude::*;

pub use answer::{
    Ancestor, Answer, BrickAnswer, Link, ObjectKind, Query, Stale, StaleLink, Status, Via,
};
pub(in crate::scan) use handle::{Claim, handle_of, handle_text, read_handle, read_keys};

use super::brick::{BrickError, BrickRoot};
use super::meter::Meter;
use crate::domain::{Gfid, Name};
use ancestry::{Ancestry, in_parallel};
use brick_answer::{at_places, nothing, sight_of, with_hits};
use candidate::Candidate;
use from_path::{Places, locate};
use full_scan::find;
use handle::{HandleState, look_at_all};

/// Answers questions about gfids from the bricks of a volume.
///
/// Directories are resolved by the chain of their handles, files by `trusted.gfid2path.*`, then
/// `trusted.pgfid.*`, and what is left by one scan of the namespace for the whole batch. Nothing
/// a handle or an xattr says counts before the place it names was looked at.
#[derive(Clone, Copy, Debug)]
pub struct Resolver<'a> {
    bricks: &'a [BrickRoot],
    meter: &'a Meter,
}

impl<'a> Resolver<'a> {
    /// A resolver over these bricks; `meter` counts what a scan reads.
    #[must_use]
    pub fn new(bricks: &'a [BrickRoot], meter: &'a Meter) -> Self {
        Self { bricks, meter }
    }

    /// The bricks it asks.
    #[must_use]
    pub fn bricks(&self) -> &'a [BrickRoot] {
        self.bricks
    }

    /// Everything the bricks know of these gfids, in the order asked, scanning where needed.
    ///
    /// # Errors
    /// [`BrickError::Vanished`] where a brick went away meanwhile.
    pub fn resolve(&self, gfids: &[Gfid]) -> Result<Vec<Answer>, BrickError> {
        let mut answers = self.answer(gfids.iter().copied().map(Query::Gfid).collect())?;
        self.scan(&mut answers)?;
        Ok(answers)
    }

    /// Answers a batch from handles and xattrs, in the order asked, with one parent cache.
    ///
    /// Whoever [needs a scan](Answer::needs_scan) has yet unknown names.
    ///
    /// # Errors
    /// [`BrickError::Vanished`] where a brick went away meanwhile.
    pub fn answer(&self, asked: Vec<Query>) -> Result<Vec<Answer>, BrickError> {
        let questions = self.entries_as_paths(&asked)?;
        let places: Vec<Places> = in_parallel(&questions, |question| match question {
            Query::Path(path) => self.bricks.iter().map(|brick| locate(brick, path)).collect(),
            _ => Vec::new(),
        });
        let gfids: Vec<Option<Gfid>> = questions
            .iter()
            .zip(&places)
            .map(|(question, places)| match question {
                Query::Gfid(gfid) => Some(*gfid),
                _ => places.iter().flatten().find_map(|found| found.gfid),
            })
            .collect();
        let known: Vec<Gfid> = gfids.iter().copied().flatten().collect();
        let columns: Result<Vec<_>, _> =
            self.bricks.iter().map(|brick| sights(brick, &known).map(Vec::into_iter)).collect();
        let mut columns = columns?;
        let mut answers = Vec::with_capacity(asked.len());
        for ((asked, gfid), places) in asked.into_iter().zip(gfids).zip(places) {
            let sights = match (&asked, gfid) {
                (Query::Malformed(_), _) => Vec::new(),
                (_, Some(_)) => columns.iter_mut().filter_map(Iterator::next).collect(),
                (_, None) => self.bricks.iter().map(nothing).collect(),
            };
            let sights = at_places(sights, gfid, places);
            answers.push(Answer { asked, gfid, sights });
        }
        Ok(answers)
    }

    /// Finds the names that no xattr told, for all answers together: one scan a brick.
    ///
    /// # Errors
    /// [`BrickError::Vanished`] where a brick went away meanwhile.
    pub fn scan(&self, answers: &mut [Answer]) -> Result<(), BrickError> {
        for (column, brick) in self.bricks.iter().enumerate() {
            let left = |answer: &Answer| answer.sights.get(column).and_then(|s| s.leftover);
            let inodes: HashSet<u64> = answers.iter().filter_map(left).collect();
            if inodes.is_empty() {
                continue;
            }
            let found = find(brick, &inodes, self.meter);
            brick.still_there()?;
            answers.par_iter_mut().filter_map(|a| a.sights.get_mut(column)).for_each(|sight| {
                if let Some(inode) = sight.leftover.take() {
                    with_hits(sight, found.of(inode), found.unread);
                }
            });
        }
        Ok(())
    }

    /// Puts the path in the place of each `.gfid/<parent>/<name>` whose parent has one.
    fn entries_as_paths(&self, asked: &[Query]) -> Result<Vec<Query>, BrickError> {
        let parents: Vec<_> = asked
            .iter()
            .filter_map(|asked| match asked {
                Query::Entry(entry) => Some(Query::Gfid(entry.parent)),
                _ => None,
            })
            .collect();
        if parents.is_empty() {
            return Ok(asked.to_vec());
        }
        let mut parents = self.answer(parents)?.into_iter();
        let as_path = |asked: &Query| match asked {
            Query::Entry(entry) => {
                let folder = parents.next()?.owner()?.links.first()?.path.clone();
                let path = [folder.as_bytes(), b"/", entry.name.as_bytes()].concat();
                Some(Query::Path(Name::from(path)))
            }
            other => Some(other.clone()),
        };
        let mut as_path = as_path;
        Ok(asked.iter().map(|asked| as_path(asked).unwrap_or_else(|| asked.clone())).collect())
    }
}

/// What one brick knows of these gfids, in the order asked, without a scan.
fn sights(brick: &BrickRoot, gfids: &[Gfid]) -> Result<Vec<BrickAnswer>, BrickError> {
    let looks = look_at_all(brick, gfids);
    if looks.iter().any(|look| matches!(look, HandleState::Missing)) {
        brick.still_there()?;
    }
    let directories = gfids.iter().zip(&looks).filter_map(|(gfid, look)| match look {
        HandleState::Directory(claim) => Some((*gfid, claim.clone())),
        _ => None,
    });
    let mut tree = Ancestry::read(brick, directories);
    let mut cases: Vec<Candidate<'_>> = Vec::new();
    for (gfid, look) in gfids.iter().zip(&looks) {
        cases.extend(look.object().map(|object| Candidate::new(*gfid, object)));
    }
    candidate::prove(brick, &mut tree, &mut cases);
    let mut cases = cases.iter();
    let case_of = |look: &HandleState| look.object().and_then(|_| cases.next());
    let cases: Vec<_> = looks.iter().map(case_of).collect();
    let jobs: Vec<_> = gfids.iter().zip(&looks).zip(cases).collect();
    Ok(in_parallel(&jobs, |((gfid, look), case)| sight_of(brick, &tree, **gfid, look, *case)))
}
