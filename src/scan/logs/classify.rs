//! Classifies the lines of a chunk and extracts the relevant ones.
//!
//! This is the hot loop: nothing is allocated for an irrelevant line, and what is extracted borrows
//! from the chunk.

use memchr::{memchr, memchr_iter};

use crate::domain::Time;
use crate::format::log_fields::MessageFields;
use crate::format::log_message::Message;
use crate::format::logline::{LogLine, Origin};
use crate::format::{log_fields, log_message, logline, traceback};

/// What a chunk holds.
#[derive(Debug, Default)]
pub(super) struct Classified<'a> {
    /// Number of lines.
    pub(super) lines: u64,
    /// Lines in no known form.
    pub(super) unparsed: u64,
    /// Times of the first and last line that have one.
    pub(super) span: Option<(Time, Time)>,
    /// The first line in a known form: it shows which program writes.
    pub(super) first: Option<LogLine<'a>>,
    /// The relevant lines, in order.
    pub(super) events: Vec<Event<'a>>,
    /// Places in gsyncd's source, most of them once: module, function, line.
    pub(super) sites: Vec<LogLine<'a>>,
}

/// A relevant line.
#[derive(Clone, Debug)]
pub(super) struct Event<'a> {
    /// Line in the chunk, from 0.
    pub(super) line: u64,
    /// What it is.
    pub(super) what: What<'a>,
    /// The whole line.
    pub(super) text: &'a [u8],
    /// The unprefixed lines below it.
    pub(super) tail: &'a [u8],
    /// The message's fields; empty for a headless traceback and a section.
    pub(super) fields: MessageFields<'a>,
}

/// The kinds of relevant lines.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'a> {
    /// A message.
    Message(Message, LogLine<'a>),
    /// A traceback without the log line above it.
    Headless,
    /// `==> file <==`, as `tail -f` prints between files.
    Section(&'a [u8]),
}

impl<'a> Event<'a> {
    fn new(line: u64, what: What<'a>, text: &'a [u8]) -> Self {
        Self { line, what, text, tail: b"", fields: MessageFields::default() }
    }
}

/// Classifies a chunk that begins at a record's first line.
pub(super) fn classify(chunk: &[u8]) -> Classified<'_> {
    let mut classifier = Classifier { out: Classified::default(), seen: [0; 64], open: None };
    let mut from = 0;
    for newline in memchr_iter(b'\n', chunk) {
        classifier.line(chunk, from, newline);
        from = newline + 1;
    }
    if from < chunk.len() {
        classifier.line(chunk, from, chunk.len());
    }
    classifier.close(chunk, chunk.len());
    for event in &mut classifier.out.events {
        if let What::Message(message, line) = &event.what {
            event.fields = log_fields::message_fields(*message, line, event.tail);
        }
    }
    classifier.out
}

struct Classifier<'a> {
    out: Classified<'a>,
    /// Keys of the source places seen last, to skip most repeats.
    seen: [u64; 64],
    /// The record whose tail is being collected.
    open: Option<Open>,
}

/// A record whose following unprefixed lines belong to it.
#[derive(Clone, Copy)]
struct Open {
    /// The index of its event; `None` for a headless traceback.
    event: Option<usize>,
    /// Where the tail begins.
    tail: usize,
    /// The line there.
    line: u64,
}

impl<'a> Classifier<'a> {
    fn line(&mut self, chunk: &'a [u8], from: usize, to: usize) {
        let number = self.out.lines;
        self.out.lines += 1;
        let text = chunk.get(from..to).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if let Some(line) = logline::parse(text).or_else(|| logline::parse(unquoted(text))) {
            self.close(chunk, from);
            self.record(text, line, number, to + 1);
        } else if let Some(name) = section(text) {
            self.close(chunk, from);
            self.out.events.push(Event::new(number, What::Section(name), text));
        } else if self.open.is_none() {
            if traceback::begins(text) {
                self.open = Some(Open { event: None, tail: from, line: number });
            } else if !is_furniture(text) {
                self.out.unparsed += 1;
            }
        }
    }

    fn record(&mut self, text: &'a [u8], line: LogLine<'a>, number: u64, next: usize) {
        let first = self.out.span.map_or(line.since, |(first, _)| first);
        self.out.span = Some((first, line.at));
        if self.out.first.is_none() {
            self.out.first = Some(line);
        }
        self.site(&line);
        let Some(said) = log_message::known_message(&line) else { return };
        let event = Event::new(number, What::Message(said, line), text);
        match (said, self.out.events.last_mut()) {
            (Message::Progress, Some(last)) if same_progress(last, &line) => *last = event,
            _ => self.out.events.push(event),
        }
        if matches!(said, Message::Raised | Message::CallRaised | Message::StaleMount) {
            let event = Some(self.out.events.len() - 1);
            self.open = Some(Open { event, tail: next, line: number });
        }
    }

    /// Ends the open record's tail before `end`.
    fn close(&mut self, chunk: &'a [u8], end: usize) {
        let Some(open) = self.open.take() else { return };
        let tail = chunk.get(open.tail.min(end)..end).unwrap_or_default();
        if let Some(event) = open.event.and_then(|event| self.out.events.get_mut(event)) {
            event.tail = tail;
        } else {
            let text = tail.get(..memchr(b'\n', tail).unwrap_or(tail.len())).unwrap_or(tail);
            let what = What::Headless;
            self.out.events.push(Event { tail, ..Event::new(open.line, what, text) });
        }
    }

    fn site(&mut self, line: &LogLine<'a>) {
        let Origin::Gsyncd { module, line: number, function, .. } = line.origin else { return };
        let ends = u64::from(module.first().copied().unwrap_or_default()) << 8
            | u64::from(function.last().copied().unwrap_or_default());
        let key = u64::from(number) << 24 | (function.len() as u64 & 0xff) << 16 | ends;
        let slot = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize;
        if let Some(seen) = self.seen.get_mut(slot)
            && *seen != key
        {
            *seen = key;
            self.out.sites.push(*line);
        }
    }
}

/// Whether the last event is the same worker's progress, which a newer one replaces.
fn same_progress(last: &Event<'_>, line: &LogLine<'_>) -> bool {
    match (last.what, line.origin) {
        (
            What::Message(
                Message::Progress,
                LogLine { origin: Origin::Gsyncd { label: theirs, .. }, .. },
            ),
            Origin::Gsyncd { label: mine, .. },
        ) => theirs == mine,
        _ => false,
    }
}

/// The original line without the `> `, blanks or `file:12:` that a paste or grep puts before it.
fn unquoted(text: &[u8]) -> &[u8] {
    if !matches!(text.first(), Some(b'>' | b' ' | b'\t' | b'.' | b'/' | b'a'..=b'z')) {
        return b"";
    }
    let bracket = memchr(b'[', text.get(..200).unwrap_or(text)).unwrap_or(0);
    let (before, line) = text.split_at(bracket);
    let quoted = before.iter().all(|byte| b"> \t".contains(byte));
    let grepped =
        before.last() == Some(&b':') && !before.contains(&b' ') && !before.contains(&b'"');
    if quoted || grepped { line } else { b"" }
}

fn section(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"==> ")?.strip_suffix(b" <==")
}

/// Unprefixed lines that programs are known to print: volume graphs, crash dumps, separators.
fn is_furniture(text: &[u8]) -> bool {
    const BEGINNINGS: &[&[u8]] = &[
        b"Final graph:",
        b"Given volfile:",
        b"+---",
        b"----",
        b"pending frames:",
        b"frame :",
        b"patchset:",
        b"signal received:",
        b"time of crash:",
        b"configuration details:",
        b"package-string:",
        b"argp ",
        b"backtrace ",
        b"dlfcn ",
        b"libpthread ",
        b"llistxattr ",
        b"setfsid ",
        b"epoll.h ",
        b"xattr.h ",
        b"st_atim",
        b"/lib",
        b"/usr/",
        b"package-",
        b"...",
        b"$",
    ];
    let trimmed = text.trim_ascii_start();
    trimmed.is_empty()
        || BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
        || (trimmed.len() < text.len() && trimmed.first().is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &[u8] = b"[2026-11-21 03:00:00.1] I [m(worker /b):1:crawl] _G: chatter
[2026-11-21 03:00:01.1] E [syncdutils(worker /b):2:log_raise_exception] <top>: FAIL: 
Traceback (most recent call last):
  File \"a.py\", line 1, in f
OSError: [Errno 5] x
[2026-11-21 03:00:02.1] I [m(worker /b):1:process] _G: Batch Completed [{mode=x}]
[2026-11-21 03:00:03.1] I [m(worker /b):1:process] _G: Batch Completed [{mode=y}]
==> mnt.log <==
  File \"b.py\", line 2, in g
KeyError: 1

what is this
> [2026-11-21 03:00:04.1] E [m(worker /b):1:process] _G: META FAILED: ({}, 1)
gsyncd.log:7:[2026-11-21 03:00:05.1] E [m(worker /b):1:process] _G: META FAILED: ({}, 1)";

    #[test]
    fn takes_out_what_matters() {
        let got = classify(LOG);
        let mut seen = Vec::new();
        for event in &got.events {
            seen.push(match event.what {
                What::Message(said, _) => format!("{} {said:?}", event.line),
                What::Headless => format!("{} headless", event.line),
                What::Section(name) => format!("{} {}", event.line, name.escape_ascii()),
            });
        }
        let want =
            ["1 Raised", "6 Progress", "7 mnt.log", "8 headless", "12 MetaFailed", "13 MetaFailed"];
        assert_eq!(seen, want);
        assert_eq!((got.lines, got.unparsed), (14, 0));
        assert!(
            got.events[0].tail.starts_with(b"Traceback") && got.events[0].tail.ends_with(b"x\n")
        );
        assert_eq!(got.span.map(|(a, b)| b.secs() - a.secs()), Some(5));
    }

    #[test]
    fn counts_lines_in_no_known_form() {
        let got = classify(b"\x00\x01binary\nwhat is this\n\n[2026-11-21 03:00:00.1] nonsense\n");
        assert_eq!((got.lines, got.unparsed, got.events.len()), (4, 3, 0));
    }
}
