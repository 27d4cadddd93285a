//! Compares the sets of gfids in names and in handles by checksum, without a table of either.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::Gfid;

/// The numbers below this prime are a field: 1/3 of a gfid, three times, is the gfid.
const PRIME: u64 = (1 << 61) - 1;
/// One sum for each `.glusterfs/aa/bb`.
const SHARDS: usize = 1 << 16;

/// A sum for each shard of `.glusterfs`: names count for a gfid, its handle counts against it.
///
/// Each of an object's `n` names adds the n-th part of the gfid's digest, so that all of them
/// together and the one handle come to zero. A shard that is not zero holds a gfid that only one
/// side knows; one that is zero by chance has odds of 2⁻⁶¹. This takes 512 KiB for any brick, where
/// a set of the gfids would take gigabytes.
#[derive(Debug)]
pub(super) struct Checksum {
    sums: Vec<AtomicU64>,
}

impl Checksum {
    pub(super) fn new() -> Self {
        Self { sums: std::iter::repeat_with(AtomicU64::default).take(SHARDS).collect() }
    }

    /// Counts one of an object's names.
    pub(super) fn name(&self, gfid: Gfid, names: u64) {
        let part = if names <= 1 { digest(gfid) } else { times(digest(gfid), inverse(names)) };
        self.add(gfid, part);
    }

    /// Counts a handle.
    pub(super) fn handle(&self, gfid: Gfid) {
        self.add(gfid, PRIME - digest(gfid));
    }

    fn add(&self, gfid: Gfid, part: u64) {
        if let Some(sum) = self.sums.get(usize::from(shard(gfid))) {
            let add = |sum: u64| Some((sum + part) % PRIME);
            // Never refuses.
            let _ = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        }
    }

    /// The shards in which names and handles differ, as the first two bytes of their gfids.
    pub(super) fn unequal(&self) -> Vec<u16> {
        let odd = |(shard, sum): (usize, &AtomicU64)| {
            (sum.load(Ordering::Relaxed) != 0).then(|| u16::try_from(shard).ok()).flatten()
        };
        self.sums.iter().enumerate().filter_map(odd).collect()
    }
}

/// The shard of a gfid's handle.
pub(super) fn shard(gfid: Gfid) -> u16 {
    let [first, second, ..] = *gfid.as_bytes();
    u16::from_be_bytes([first, second])
}

/// Never zero: a zero digest would make a missing gfid invisible.
fn digest(gfid: Gfid) -> u64 {
    xxhash_rust::xxh3::xxh3_64(gfid.as_bytes()) % (PRIME - 1) + 1
}

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b) % u128::from(PRIME);
    u64::try_from(product).unwrap_or_default()
}

/// By Fermat: `n` to the power of the prime less two.
fn inverse(n: u64) -> u64 {
    let (mut base, mut exponent, mut result) = (n % PRIME, PRIME - 2, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gfid(number: u128) -> Gfid {
        Gfid::from_bytes(number.to_be_bytes())
    }

    proptest! {
        #[test]
        fn all_names_and_one_handle_are_nothing(objects in proptest::collection::vec((any::<u128>(), 1..9_u64), 0..50)) {
            let tally = Checksum::new();
            for &(object, names) in &objects {
                for _ in 0..names { tally.name(gfid(object), names); }
            }
            for &(object, _) in objects.iter().rev() { tally.handle(gfid(object)); }
            prop_assert!(tally.unequal().is_empty());
        }

        #[test]
        fn whatever_one_side_lacks_shows(object: u128, names in 1..9_u64, seen in 0..9_u64) {
            prop_assume!(seen < names);
            let tally = Checksum::new();
            for _ in 0..seen { tally.name(gfid(object), names); }
            tally.handle(gfid(object));
            prop_assert_eq!(tally.unequal(), vec![shard(gfid(object))]);
        }
    }
}
