//! `rewind`: the marks go back to a time that the changelogs still cover, never forward.

use super::{Builder, marks_of};
use crate::domain::{BrickState, Mark, MarkNames, Time};
use crate::plan::{State, Step};

pub(super) fn steps(draft: &Builder<'_>, to: Time) -> Vec<Step> {
    let (Some(names), Some(target)) = (draft.found.mark_names(), Mark::to_send_since(to)) else {
        return Vec::new();
    };
    let bricks = draft.bricks();
    let marks: Vec<Step> =
        bricks.flat_map(|(node, brick)| back(draft, node, brick, (&names, target))).collect();
    if marks.is_empty() {
        return Vec::new();
    }
    let mut steps = draft.halt();
    steps.extend(marks);
    steps.extend(draft.go());
    steps
}

/// A mark that is earlier already, or not there, stays as it is.
fn back(
    draft: &Builder<'_>,
    node: &str,
    brick: &BrickState,
    (names, target): (&MarkNames, Mark),
) -> Vec<Step> {
    let (stime, entry_stime) = marks_of(brick, names);
    let later = [(&names.stime, stime), (&names.entry_stime, entry_stime)];
    let later = later.into_iter().filter(|(_, now)| now.is_some_and(|now| now > target));
    later.map(|(name, _)| draft.mark(node, brick, name, State::value(&target.to_bytes()))).collect()
}
