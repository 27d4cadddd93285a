//! `resync`: the marks of every brick become (0, 0), so that the crawl looks at everything.
//!
//! Removing them is not enough: every directory keeps an stime of its own, and a crawl without
//! the root's skips what is equal there. (0, 0) on the root makes gsyncd disregard them.

use super::Builder;
use crate::plan::Step;

pub(super) fn steps(builder: &Builder<'_>) -> Vec<Step> {
    let mut steps = builder.stop();
    steps.extend(builder.zero_marks());
    steps.extend(builder.remove_dir_marks());
    steps.extend(builder.empty_secondary());
    steps.extend(builder.start_and_verify());
    steps
}
