//! `retry`: nothing but a start that is proved.

use super::Builder;
use crate::plan::Step;

pub(super) fn steps(draft: &Builder<'_>) -> Vec<Step> {
    let mut steps = draft.halt();
    steps.extend(draft.go());
    steps
}
