//! Executes a batch of trigger-sync: many items in flight, pre-order kept.

mod order;
mod pace;
mod set;

use std::collections::HashMap;

use order::Outcome;
pub(super) use pace::must_wait;
use set::DirCache;

use crate::apply::executor::{Batch, ExecutorError, Failed};
use crate::domain::in_one_line;
use crate::plan::{Item, NodePath, Pace, Trigger};
use crate::scan::mount::MountRoot;

/// Asks gsyncd through a mount to send each item again, as fast as the pace allows.
///
/// An item starts only after its directory, if that is in the same batch, has been recorded. Items
/// that no longer exist or were replaced are reported as failed.
///
/// # Errors
/// [`ExecutorError`] if nothing can be set through the mount (any more).
pub(super) fn perform_batch(
    mount: &NodePath,
    pace: &Pace,
    items: &[Item],
) -> Result<Batch, ExecutorError> {
    let root = MountRoot::open(mount.path());
    let root = root.map_err(|error| ExecutorError::Unfit(in_one_line(&error)))?;
    let triggers: Vec<&Trigger> = items.iter().filter_map(Item::trigger).collect();
    let outcomes =
        order::in_order(&directories(&triggers), pace.jobs, |index, cache: &mut DirCache| {
            triggers.get(index).map_or(Outcome::Done, |trigger| cache.set(&root, trigger))
        });
    let outcomes = outcomes.map_err(ExecutorError::Unfit)?;
    let mut batch = Batch::default();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Outcome::Done => batch.done += 1,
            Outcome::Failed(why) | Outcome::Over(why) => batch.failed.push(Failed { index, why }),
        }
    }
    Ok(batch)
}

/// For each item the listed one that is its nearest directory.
fn directories(triggers: &[&Trigger]) -> Vec<Option<usize>> {
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    let mut above = Vec::with_capacity(triggers.len());
    for (index, trigger) in triggers.iter().enumerate() {
        let path = trigger.at.name().as_bytes();
        // The nearest listed one: an ancestor must return first even if one between is not listed.
        let mut cuts = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
        above.push(cuts.find_map(|(at, _)| known.get(path.get(..at)?).copied()));
        if trigger.folder {
            known.insert(path, index);
        }
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_hangs_on_the_nearest_listed_directory() {
        let list = ["a", "a/b", "a/b/f", "a/c/d/g", "ab", "x/y"];
        let folders = ["a", "a/b"];
        let triggers: Vec<_> = list
            .iter()
            .map(|path| Trigger {
                at: NodePath::from(*path),
                folder: folders.contains(path),
                gfid: None,
            })
            .collect();
        let above = directories(&triggers.iter().collect::<Vec<_>>());
        assert_eq!(above, [None, Some(0), Some(1), Some(0), None, None]);
    }
}
