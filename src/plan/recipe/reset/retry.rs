//! `retry`: a restart that is verified.

use super::Builder;
use crate::plan::Step;

pub(super) fn steps(builder: &Builder<'_>) -> Vec<Step> {
    let mut steps = builder.stop();
    steps.extend(builder.start_and_verify());
    steps
}
