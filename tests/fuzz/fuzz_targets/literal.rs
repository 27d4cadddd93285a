//! Any bytes are a python literal or none, and never a panic.
#![no_main]

use georepair::format::literal;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = literal::parse(bytes);
    let _ = literal::unescape_surrogates(bytes);
});
