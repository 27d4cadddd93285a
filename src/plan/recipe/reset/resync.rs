//! `resync`: the marks of every brick say (0, 0), so that the crawl looks at everything.
//!
//! Removing them is not enough: every directory keeps an stime of its own, and a crawl without
//! the root's skips what is equal there. (0, 0) on the root makes gsyncd disregard them.

use super::Builder;
use crate::domain::Mark;
use crate::plan::{State, Step};

pub(super) fn steps(draft: &Builder<'_>) -> Vec<Step> {
    let mut steps = draft.halt();
    steps.extend(void(draft));
    steps.extend(unmark(draft));
    steps.extend(draft.emptied());
    steps.extend(draft.go());
    steps
}

/// On every brick, those of Passive workers and arbiters too: any of them may be the next to
/// become Active, and would go on from its own mark.
pub(super) fn void(draft: &Builder<'_>) -> Vec<Step> {
    let Some(names) = draft.found.mark_names() else { return Vec::new() };
    let all = draft.found.release.zero_is_everything();
    let start = if all { State::value(&Mark::ZERO.to_bytes()) } else { State::Absent };
    let marks = draft.found.bricks().flat_map(|(node, brick)| {
        [
            draft.mark(node, brick, &names.stime, start.clone()),
            draft.mark(node, brick, &names.entry_stime, State::Absent),
        ]
    });
    marks.collect()
}

/// Before 3.7.14 and 3.8.2 no mark of the root makes the crawl disregard those of the
/// directories: there they are removed, which only makes later crawls look at more.
pub(super) fn unmark(draft: &Builder<'_>) -> Vec<Step> {
    let Some(names) = draft.found.mark_names() else { return Vec::new() };
    if draft.found.release.zero_is_everything() {
        return Vec::new();
    }
    let bricks = draft.found.bricks();
    let steps = bricks.map(|(node, brick)| draft.unmarked(node, brick, &names.stime));
    steps.collect()
}
