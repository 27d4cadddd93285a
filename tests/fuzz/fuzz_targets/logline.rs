//! A line of any bytes is read, classified and taken apart without a panic.
#![no_main]

use georepair::format::{facts, logline, saying};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (line, tail) = bytes.split_at(bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len()));
    if let Some(line) = logline::parse(line)
        && let Some(said) = saying::of(&line)
    {
        let _ = facts::of(said, &line, tail);
    }
});
