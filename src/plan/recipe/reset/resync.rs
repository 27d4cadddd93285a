//! `resync`: the marks of every brick say (0, 0), so that the crawl looks at everything.
//!
//! Removing them is not enough: every directory keeps an stime of its own, and a crawl without
//! the root's skips what is equal there. (0, 0) on the root makes gsyncd disregard them.

use super::Draft;
use crate::domain::Mark;
use crate::plan::{State, Step};

pub(super) fn steps(draft: &Draft<'_>) -> Vec<Step> {
    let mut steps = draft.halt();
    steps.extend(void(draft));
    steps.extend(draft.go());
    steps
}

/// On every brick, those of Passive workers and arbiters too: any of them may be the next to
/// become Active, and would go on from its own mark.
pub(super) fn void(draft: &Draft<'_>) -> Vec<Step> {
    let Some(names) = draft.found.mark_names() else { return Vec::new() };
    let marks = draft.found.bricks().flat_map(|(node, brick)| {
        let zero = State::value(&Mark::ZERO.to_bytes());
        [
            draft.mark(node, brick, &names.stime, zero),
            draft.mark(node, brick, &names.entry_stime, State::Absent),
        ]
    });
    marks.collect()
}
