//! Any bytes as a changelog: no panic, offsets grow, nothing is read twice, windows change nothing.
#![no_main]

use georepair::format::changelog::{Decoder, Item, records};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let whole: Vec<_> = records(bytes).collect();
    let mut end = 0;
    for item in &whole {
        let (offset, length) = match item {
            Item::Record(record) => (record.offset, 1),
            Item::Damage(damage) | Item::Torn(damage) => (damage.offset, damage.length),
        };
        assert!(offset >= end && offset + length <= bytes.len() as u64);
        end = offset + length;
    }
    let cut = usize::from(cut).min(bytes.len());
    let (mut decoder, mut found, mut at) = (Decoder::default(), Vec::new(), 0);
    while let Some(item) = decoder.next(&bytes[..cut], &mut at, false) {
        found.push(item);
    }
    decoder.drop_front(at);
    let (rest, mut at) = (&bytes[at..], 0);
    while let Some(item) = decoder.next(rest, &mut at, true) {
        found.push(item);
    }
    assert_eq!(whole, found);
});
