//! Runs many items in parallel, none before the one that it depends on has returned.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How one item went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// Done.
    Done,
    /// Failed, in words; items that depend on it are not started.
    Failed(String),
    /// Nothing more can be done, in words; items in flight are completed.
    Over(String),
}

/// The state that the workers share.
struct Board {
    /// Items whose dependency has returned, the first of the list on top.
    ready: BinaryHeap<Reverse<usize>>,
    under_way: usize,
    outcomes: Vec<Option<Outcome>>,
    over: Option<String>,
}

/// Runs all items of a list, `jobs` at once, as close to the list's order as possible.
///
/// `above` has for each item the earlier one that it depends on: it starts only after that one
/// has returned. Each worker has a `Cache` of its own.
///
/// # Errors
/// The reason of the first item that returned [`Outcome::Over`].
pub(super) fn in_order<Cache: Default>(
    above: &[Option<usize>],
    jobs: NonZeroUsize,
    work: impl Fn(usize, &mut Cache) -> Outcome + Sync,
) -> Result<Vec<Outcome>, String> {
    let below = below(above);
    let first = above.iter().enumerate().filter(|(_, above)| above.is_none());
    let board = Board {
        ready: first.map(|(index, _)| Reverse(index)).collect(),
        under_way: 0,
        outcomes: vec![None; above.len()],
        over: None,
    };
    let (board, news) = (Mutex::new(board), Condvar::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(above.len()) {
            scope.spawn(|| {
                let mut cache = Cache::default();
                while let Some(index) = next(&board, &news) {
                    let outcome = work(index, &mut cache);
                    let woken = lock(&board).ends(index, outcome, &below);
                    if woken > 1 {
                        news.notify_all();
                    } else {
                        news.notify_one();
                    }
                }
                news.notify_all();
            });
        }
    });
    let board = board.into_inner().unwrap_or_else(PoisonError::into_inner);
    match board.over {
        Some(why) => Err(why),
        None => {
            Ok(board.outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Done)).collect())
        }
    }
}

/// The items that depend on each.
fn below(above: &[Option<usize>]) -> Vec<Vec<usize>> {
    let mut below = vec![Vec::new(); above.len()];
    for (index, above) in above.iter().enumerate() {
        if let Some(list) = above.and_then(|above| below.get_mut(above)) {
            list.push(index);
        }
    }
    below
}

fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next item to run; `None` if there is none left, or everything is over.
fn next(board: &Mutex<Board>, news: &Condvar) -> Option<usize> {
    let mut board = lock(board);
    loop {
        if board.over.is_some() {
            return None;
        }
        if let Some(Reverse(index)) = board.ready.pop() {
            board.under_way += 1;
            return Some(index);
        }
        if board.under_way == 0 {
            return None;
        }
        board = news.wait(board).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Board {
    /// Records the outcome of an item; returns how many others can start now.
    fn ends(&mut self, index: usize, outcome: Outcome, below: &[Vec<usize>]) -> usize {
        self.under_way -= 1;
        let hanging = below.get(index).map_or(&[][..], Vec::as_slice);
        let woken = match &outcome {
            Outcome::Done => {
                self.ready.extend(hanging.iter().copied().map(Reverse));
                hanging.len()
            }
            Outcome::Failed(_) => {
                self.forgo(hanging, below);
                0
            }
            Outcome::Over(why) => {
                self.over.get_or_insert_with(|| why.clone());
                usize::MAX
            }
        };
        self.record(index, outcome);
        woken
    }

    /// Fails everything that depends on a failed item, directly or not.
    fn forgo(&mut self, hanging: &[usize], below: &[Vec<usize>]) {
        let mut left = hanging.to_vec();
        while let Some(index) = left.pop() {
            self.record(index, Outcome::Failed("its directory failed".to_owned()));
            left.extend(below.get(index).into_iter().flatten());
        }
    }

    fn record(&mut self, index: usize, outcome: Outcome) {
        if let Some(slot) = self.outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn jobs(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    /// Any tree: each item hangs on an earlier one, or on none.
    fn trees() -> impl Strategy<Value = Vec<Option<usize>>> {
        proptest::collection::vec(any::<Option<proptest::sample::Index>>(), 0..60).prop_map(
            |picks| {
                let above = |(index, pick): (usize, Option<proptest::sample::Index>)| {
                    pick.filter(|_| index > 0).map(|pick| pick.index(index))
                };
                picks.into_iter().enumerate().map(above).collect()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_begins_before_what_it_hangs_on_has_returned(
            above in trees(), count in 1_usize..9, fails in proptest::collection::btree_set(0_usize..60, 0..4),
        ) {
            let story = Mutex::new(Vec::new());
            let outcomes = in_order(&above, jobs(count), |index, (): &mut ()| {
                story.lock().unwrap().push((index, false));
                std::thread::yield_now();
                story.lock().unwrap().push((index, true));
                if fails.contains(&index) { Outcome::Failed("no".to_owned()) } else { Outcome::Done }
            }).unwrap();
            let story = story.into_inner().unwrap();
            let at = |what| story.iter().position(|told| *told == what);
            for (index, above) in above.iter().enumerate() {
                let began = story.iter().filter(|told| **told == (index, false)).count();
                match above {
                    Some(above) if outcomes[*above] != Outcome::Done => {
                        prop_assert_eq!(began, 0);
                        prop_assert!(matches!(outcomes[index], Outcome::Failed(_)));
                    }
                    Some(above) => prop_assert!(at((*above, true)) < at((index, false))),
                    None => prop_assert_eq!(began, 1),
                }
                prop_assert!(began <= 1);
            }
        }
    }

    #[test]
    fn one_worker_keeps_the_order_of_the_list() {
        let above = [None, Some(0), Some(1), Some(1), Some(0), None];
        let story = Mutex::new(Vec::new());
        let outcomes = in_order(&above, jobs(1), |index, (): &mut ()| {
            story.lock().unwrap().push(index);
            Outcome::Done
        });
        assert_eq!(outcomes.unwrap(), vec![Outcome::Done; 6]);
        assert_eq!(story.into_inner().unwrap(), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn all_is_over_at_once() {
        let begun = AtomicUsize::new(0);
        let all = vec![None; 100_000];
        let said = in_order(&all, jobs(4), |index, (): &mut ()| {
            begun.fetch_add(1, Ordering::Relaxed);
            if index == 10 {
                return Outcome::Over("the mount is gone".to_owned());
            }
            // On a busy machine the others get far before the news is out; not through them all.
            std::thread::sleep(Duration::from_millis(1));
            Outcome::Done
        });
        assert_eq!(said, Err("the mount is gone".to_owned()));
        assert!(begun.into_inner() < all.len());
    }

    #[test]
    fn as_many_as_asked_for_are_under_way() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let began = Instant::now();
        in_order(&[None; 64], jobs(8), |_, (): &mut ()| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Each waits for the others to come in, and a moment for one too many.
            while most.load(Ordering::SeqCst) < 8 && began.elapsed() < Duration::from_mins(1) {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(5));
            now.fetch_sub(1, Ordering::SeqCst);
            Outcome::Done
        })
        .unwrap();
        assert_eq!(most.into_inner(), 8);
    }
}
