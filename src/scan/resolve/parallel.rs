//! Maps a batch on several threads where that pays.

use rayon::prelude::*;

/// Below this many items, one thread is faster than handing them to several.
const WORTH_THREADS: usize = 16;

/// Maps the items, keeping their order.
pub(super) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    each: impl Fn(&T) -> R + Sync + Send,
) -> Vec<R> {
    if items.len() < WORTH_THREADS {
        items.iter().map(each).collect()
    } else {
        items.par_iter().map(each).collect()
    }
}
