//! Any bytes as an HTIME: no panic, and every byte is in exactly one item.
#![no_main]

use georepair::format::htime::{Item, rollovers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut end = 0;
    for item in rollovers(bytes) {
        let (offset, length) = match item {
            Item::Rollover(rollover) => (rollover.offset, rollover.path.len() as u64 + 1),
            Item::Damage { offset, length } | Item::Torn { offset, length } => (offset, length),
        };
        assert_eq!(offset, end);
        end = offset + length;
    }
    assert_eq!(end, bytes.len() as u64);
});
