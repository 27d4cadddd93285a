//! `rewind`: the marks go back to a time that the changelogs still cover, never forward.

use super::Builder;
use crate::domain::{BrickState, Mark, MarkNames};
use crate::plan::{State, Step};

pub(super) fn steps(builder: &Builder<'_>) -> Vec<Step> {
    let target = builder.options.since.and_then(Mark::to_send_since);
    let (Some(names), Some(target)) = (builder.found.mark_names(), target) else {
        return Vec::new();
    };
    let marks: Vec<Step> = builder
        .bricks()
        .flat_map(|(node, brick)| rewound(builder, node, brick, (&names, target)))
        .collect();
    if marks.is_empty() {
        return Vec::new();
    }
    let mut steps = builder.stop();
    steps.extend(marks);
    steps.extend(builder.start_and_verify());
    steps
}

/// A mark that is missing or already earlier is left as it is.
fn rewound(
    builder: &Builder<'_>,
    node: &str,
    brick: &BrickState,
    (names, target): (&MarkNames, Mark),
) -> Vec<Step> {
    let later = |name: &&&String| brick.marks.get(**name).is_some_and(|now| *now > target);
    let set = |name| builder.mark(node, brick, name, State::value(&target.to_bytes()));
    [&names.stime, &names.entry_stime].iter().filter(later).map(|name| set(name)).collect()
}
