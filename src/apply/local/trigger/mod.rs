//! The executor of trigger-sync: one batch of a bulk step, many in flight, pre-order kept.

mod order;
mod pace;
mod set;

use std::collections::HashMap;

use order::Fate;
pub(super) use pace::must_wait;
use set::Desk;

use crate::apply::executor::{Batch, ExecutorError, Failed};
use crate::domain::in_one_line;
use crate::plan::{Item, NodePath, Pace, Trigger};
use crate::scan::mount::MountRoot;

/// Asks gsyncd through a mount to send each item again, as fast as the pace allows.
///
/// An item begins only after the directory it lies in, where that is of the same batch, has been
/// recorded. Items that are gone or have become something else are told as failed.
///
/// # Errors
/// [`ExecutorError`] where nothing can be set through the mount (any more).
pub(super) fn perform_batch(
    mount: &NodePath,
    pace: &Pace,
    items: &[Item],
) -> Result<Batch, ExecutorError> {
    let root = MountRoot::open(mount.path());
    let root = root.map_err(|error| ExecutorError::Unfit(in_one_line(&error)))?;
    let triggers: Vec<&Trigger> = items.iter().filter_map(Item::trigger).collect();
    let fates = order::in_order(&directories(&triggers), pace.jobs, |index, desk: &mut Desk| {
        triggers.get(index).map_or(Fate::Done, |trigger| desk.set(&root, trigger))
    });
    let fates = fates.map_err(ExecutorError::Unfit)?;
    let mut batch = Batch::default();
    for (index, fate) in fates.into_iter().enumerate() {
        match fate {
            Fate::Done => batch.done += 1,
            Fate::Failed(why) | Fate::Over(why) => batch.failed.push(Failed { index, why }),
        }
    }
    Ok(batch)
}

/// For each item the one of the list that is the directory it lies in.
fn directories(triggers: &[&Trigger]) -> Vec<Option<usize>> {
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    let mut above = Vec::with_capacity(triggers.len());
    for (index, trigger) in triggers.iter().enumerate() {
        let path = trigger.at.name().as_bytes();
        // The nearest that is listed: an ancestor must return first even where one is left out.
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
