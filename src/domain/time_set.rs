//! The seconds in which something happened, in bounded memory.

use super::Time;

/// How many seconds are kept at either end: faults are judged by how they begin and end.
const KEPT: usize = 128;

/// Timestamps in seconds; beyond 256 only the first and last 128 are kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TimeSet {
    seconds: Vec<i64>,
}

impl TimeSet {
    /// Adds a time; times come nearly in order.
    pub fn add(&mut self, at: Time) {
        if self.seconds.last() == Some(&at.secs()) {
            return;
        }
        self.seconds.push(at.secs());
        if self.seconds.len() > 4 * KEPT {
            self.thin();
        }
    }

    /// Adds all moments of another part of the same log.
    pub fn merge(&mut self, other: &Self) {
        self.seconds.extend(&other.seconds);
        self.thin();
    }

    fn thin(&mut self) {
        self.seconds.sort_unstable();
        self.seconds.dedup();
        let len = self.seconds.len();
        if len > 2 * KEPT {
            self.seconds.drain(KEPT..len - KEPT);
        }
    }

    /// Whether one of these moments lies between `before` seconds before and `after` seconds
    /// after one of the others.
    #[must_use]
    pub fn near(&self, others: &Self, before: i64, after: i64) -> bool {
        self.share_near(others, before, after) > 0.0
    }

    /// The share of these moments, 0 to 1, that are as near to one of the others.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "there are a few hundred at most")]
    pub fn share_near(&self, others: &Self, before: i64, after: i64) -> f64 {
        if self.seconds.is_empty() {
            return 0.0;
        }
        let mut theirs = others.seconds.clone();
        theirs.sort_unstable();
        let is_near = |mine: &&i64| {
            let from = theirs.partition_point(|other| *other < **mine - before);
            theirs.get(from).is_some_and(|other| *other <= **mine + after)
        };
        self.seconds.iter().filter(is_near).count() as f64 / self.seconds.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(seconds: &[i64]) -> TimeSet {
        let mut out = TimeSet::default();
        for &second in seconds {
            out.add(Time::from_secs(second));
        }
        out
    }

    #[test]
    fn finds_neighbours_in_time() {
        let (mine, theirs) = (moments(&[100, 200]), moments(&[98, 300]));
        assert!(mine.near(&theirs, 2, 0) && !mine.near(&theirs, 1, 99));
        assert!((mine.share_near(&theirs, 2, 100) - 1.0).abs() < 1e-9);
        assert!((mine.share_near(&theirs, 2, 0) - 0.5).abs() < 1e-9);
        assert!(!moments(&[]).near(&theirs, 9, 9) && !mine.near(&moments(&[]), 9, 9));
    }

    #[test]
    fn stays_small_and_keeps_both_ends() {
        let mut many = moments(&(0..10_000).collect::<Vec<_>>());
        many.merge(&moments(&[20_000]));
        assert!(many.seconds.len() <= 2 * KEPT);
        assert!(many.near(&moments(&[0]), 0, 0) && many.near(&moments(&[20_000]), 0, 0));
    }
}
