//! Keeps the least n items in any order of arrival, to bound memory on a badly damaged brick.

use std::collections::BinaryHeap;

/// How many of a kind are kept.
pub(super) const KEPT: usize = 10_000;

/// The least [`KEPT`] of all that were pushed, and how many those were.
#[derive(Clone, Debug)]
pub(super) struct FirstN<T: Ord> {
    kept: BinaryHeap<T>,
    count: u64,
}

impl<T: Ord> Default for FirstN<T> {
    fn default() -> Self {
        Self { kept: BinaryHeap::new(), count: 0 }
    }
}

impl<T: Ord> FirstN<T> {
    pub(super) fn push(&mut self, item: T) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(item);
        } else if let Some(mut last) = self.kept.peek_mut()
            && item < *last
        {
            *last = item;
        }
    }

    /// What was kept, in order.
    pub(super) fn kept(self) -> Vec<T> {
        self.kept.into_sorted_vec()
    }

    /// How many were pushed and not kept.
    pub(super) fn dropped(&self) -> u64 {
        self.count - self.kept.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_are_kept_in_any_order() {
        let most = u32::try_from(KEPT).unwrap() + 500;
        let mut sample = FirstN::default();
        for number in (0..most).rev() {
            sample.push(number);
        }
        assert_eq!(sample.dropped(), 500);
        assert_eq!(sample.kept(), (0..most - 500).collect::<Vec<_>>());
    }
}
