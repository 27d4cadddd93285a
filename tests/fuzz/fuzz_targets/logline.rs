//! A line of any bytes is read, classified and taken apart without a panic.
#![no_main]

use georepair::format::{log_fields, log_message, logline};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (line, tail) = bytes.split_at(bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len()));
    if let Some(line) = logline::parse(line)
        && let Some(said) = log_message::known_message(&line)
    {
        let _ = log_fields::message_fields(said, &line, tail);
    }
});
