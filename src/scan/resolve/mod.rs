//! From gfids to paths and back, on bricks: stopped, detached or live.

mod ancestry;
mod answer;
mod brick_answer;
mod candidate;
mod descent;
mod from_path;
mod full_scan;
mod handle;
mod parallel;
mod prove;
mod query;

use std::collections::HashSet;

use rayon::prelude::*;

pub use answer::{
    Ancestor, Answer, BrickAnswer, Link, ObjectKind, Query, Stale, StaleLink, Status, Via,
};
pub(in crate::scan) use handle::{Claim, handle_of, handle_text, read_handle, read_keys};

use super::brick::{BrickError, BrickRoot};
use super::meter::Meter;
use crate::domain::{Gfid, Name};
use ancestry::Ancestry;
use brick_answer::{add_scanned_names, brick_answer, merge_places, path_missing};
use candidate::Candidate;
use from_path::{Places, locate_path};
use full_scan::scan_namespace;
use handle::{HandleState, read_handle_states};
use parallel::in_parallel;

/// Answers queries about gfids from the bricks of a volume.
///
/// Directories are resolved by their chain of handles; files by `trusted.gfid2path.*`, then by
/// `trusted.pgfid.*`, and what is left by one scan of the namespace for the whole batch. What a
/// handle or an xattr claims counts only once the place it names was checked.
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

    /// The bricks it reads.
    #[must_use]
    pub fn bricks(&self) -> &'a [BrickRoot] {
        self.bricks
    }

    /// Everything the bricks know of these gfids, in the order given, with a scan if needed.
    ///
    /// # Errors
    /// [`BrickError::Vanished`] if a brick disappeared meanwhile.
    pub fn resolve(&self, gfids: &[Gfid]) -> Result<Vec<Answer>, BrickError> {
        let mut answers = self.answer(gfids.iter().copied().map(Query::Gfid).collect())?;
        self.scan(&mut answers)?;
        Ok(answers)
    }

    /// Answers a batch from handles and xattrs, in the order given, with one ancestor cache.
    ///
    /// An answer that [needs a scan](Answer::needs_scan) lacks names.
    ///
    /// # Errors
    /// [`BrickError::Vanished`] if a brick disappeared meanwhile.
    pub fn answer(&self, queries: Vec<Query>) -> Result<Vec<Answer>, BrickError> {
        let by_path = self.entries_as_paths(&queries)?;
        let places: Vec<Places> = in_parallel(&by_path, |query| match query {
            Query::Path(path) => self.bricks.iter().map(|brick| locate_path(brick, path)).collect(),
            _ => Vec::new(),
        });
        let gfid_of = |(query, places): (&Query, &Places)| match query {
            Query::Gfid(gfid) => Some(*gfid),
            _ => places.iter().flatten().find_map(|found| found.gfid),
        };
        let gfids: Vec<Option<Gfid>> = by_path.iter().zip(&places).map(gfid_of).collect();
        let known: Vec<Gfid> = gfids.iter().copied().flatten().collect();
        // A column for each brick, with one answer for each query that has a gfid.
        let mut columns = Vec::with_capacity(self.bricks.len());
        for brick in self.bricks {
            columns.push(brick_answers(brick, &known)?.into_iter());
        }
        let answer = |((query, gfid), places)| {
            let bricks = match (&query, gfid) {
                (Query::Malformed(_), _) => Vec::new(),
                (_, Some(_)) => columns.iter_mut().filter_map(Iterator::next).collect(),
                (_, None) => self.bricks.iter().map(path_missing).collect(),
            };
            Answer { query, gfid, bricks: merge_places(bricks, gfid, places) }
        };
        Ok(queries.into_iter().zip(gfids).zip(places).map(answer).collect())
    }

    /// Finds the names that no xattr records, for all answers together: one scan per brick.
    ///
    /// # Errors
    /// [`BrickError::Vanished`] if a brick disappeared meanwhile.
    pub fn scan(&self, answers: &mut [Answer]) -> Result<(), BrickError> {
        for (column, brick) in self.bricks.iter().enumerate() {
            let inode = |answer: &Answer| answer.bricks.get(column).and_then(|it| it.scan_for);
            let inodes: HashSet<u64> = answers.iter().filter_map(inode).collect();
            if inodes.is_empty() {
                continue;
            }
            let found = scan_namespace(brick, &inodes, self.meter);
            brick.check_present()?;
            answers.par_iter_mut().filter_map(|it| it.bricks.get_mut(column)).for_each(|it| {
                if let Some(inode) = it.scan_for.take() {
                    add_scanned_names(it, found.names_of(inode), found.unread);
                }
            });
        }
        Ok(())
    }

    /// Replaces each `.gfid/<parent>/<name>` whose parent has a path with that path.
    fn entries_as_paths(&self, queries: &[Query]) -> Result<Vec<Query>, BrickError> {
        let parent = |query: &Query| match query {
            Query::Entry(entry) => Some(Query::Gfid(entry.parent)),
            _ => None,
        };
        let parents: Vec<Query> = queries.iter().filter_map(parent).collect();
        if parents.is_empty() {
            return Ok(queries.to_vec());
        }
        let mut parents = self.answer(parents)?.into_iter();
        let mut as_path = |query: &Query| match query {
            Query::Entry(entry) => {
                let folder = parents.next()?.owner()?.links.first()?.path.clone();
                let path = [folder.as_bytes(), b"/", entry.name.as_bytes()].concat();
                Some(Query::Path(Name::from(path)))
            }
            other => Some(other.clone()),
        };
        Ok(queries.iter().map(|query| as_path(query).unwrap_or_else(|| query.clone())).collect())
    }
}

/// What one brick answers about these gfids, in the order given, without a scan.
fn brick_answers(brick: &BrickRoot, gfids: &[Gfid]) -> Result<Vec<BrickAnswer>, BrickError> {
    let handles = read_handle_states(brick, gfids);
    // A brick that was unmounted or moved away must not pass for one that lacks the gfids.
    if handles.iter().any(|handle| matches!(handle, HandleState::Missing)) {
        brick.check_present()?;
    }
    let directories = gfids.iter().zip(&handles).filter_map(|(gfid, handle)| match handle {
        HandleState::Directory(claim) => Some((*gfid, claim.clone())),
        _ => None,
    });
    let mut ancestry = Ancestry::read(brick, directories);
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for (gfid, handle) in gfids.iter().zip(&handles) {
        candidates.extend(handle.object().map(|object| Candidate::new(*gfid, object)));
    }
    prove::prove(brick, &mut ancestry, &mut candidates);
    let mut candidates = candidates.iter();
    let jobs: Vec<_> = gfids
        .iter()
        .zip(&handles)
        .map(|(gfid, handle)| (*gfid, handle, handle.object().and_then(|_| candidates.next())))
        .collect();
    Ok(in_parallel(&jobs, |(gfid, handle, candidate)| {
        brick_answer(brick, &ancestry, *gfid, handle, *candidate)
    }))
}
