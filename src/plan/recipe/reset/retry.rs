//! `retry`: nothing but a start that is proved.

use super::Draft;
use crate::plan::Step;

pub(super) fn steps(draft: &Draft<'_>) -> Vec<Step> {
    let mut steps = draft.halt();
    steps.extend(draft.go());
    steps
}
