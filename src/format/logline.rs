//! One line of a gsyncd, glusterd, client or brick log of any era, into borrowed fields.
//!
//! ```text
//! gsyncd   [2026-11-21 03:35:51.81961] E [primary(worker /b/p1):788:log_failures] _GPrimary: text
//! 3.3      [2012-12-21 23:08:17.878283] E [syncdutils:133:log_raise_exception] <top>: text
//! C        [2026-11-21 03:42:22.703208 +0000] E [MSGID: 132032] [file.c:997:func] 0-dom: text
//! repeats  The message "W [MSGID: 114031] [file.c:1:func] 0-dom: text" repeated 12 times
//!          between [2026-11-21 03:42:22.703208 +0000] and [2026-11-21 03:43:22.000001 +0000]
//! command  [2015-10-20 19:25:35.333160]  : volume geo-replication … : SUCCESS
//! ```
//!
//! gsyncd prints microseconds without padding (`%d`): `.94949` is 94,949 µs. C logs pad. Both
//! read alike when the digits are taken as a count of microseconds. Sources: `logutils.py`
//! (`GLogger`), `libglusterfs/src/logging.c`.

use memchr::{memchr, memchr2, memmem};

use crate::domain::Time;

/// A log line with its time and its speaker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogLine<'a> {
    /// When; the last time for a folded repeat.
    pub at: Time,
    /// When first: differs from `at` only for a folded repeat.
    pub since: Time,
    /// How many messages the line represents; more than 1 for a folded repeat.
    pub times: u64,
    /// The level's letter: `C`, `E`, `W`, `N`, `I`, `D`, `T`, `A`, `M`; blank for a command.
    pub level: u8,
    /// Who speaks.
    pub origin: Origin<'a>,
    /// What is said, without the trailing newline.
    pub message: &'a [u8],
}

/// Who wrote a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin<'a> {
    /// gsyncd, in python.
    Gsyncd {
        /// Python module, such as `resource`.
        module: &'a [u8],
        /// The text in parentheses: `worker /b`, `monitor`, `slave node/b`; empty in 3.3.
        label: &'a [u8],
        /// Line of the logging call.
        line: u32,
        /// Function of the logging call.
        function: &'a [u8],
    },
    /// A C program: a mount, a brick, glusterd, libgfchangelog.
    Program {
        /// The message's number, from 3.6 on.
        msgid: Option<u32>,
        /// Source file.
        file: &'a [u8],
        /// Function.
        function: &'a [u8],
        /// Graph and translator, such as `0-vol-client-0`.
        domain: &'a [u8],
    },
    /// `cmd_history.log`: a command as it was typed.
    Command,
}

/// Parses one line, without its newline; `None` if it has none of the known forms.
#[must_use]
pub fn parse(line: &[u8]) -> Option<LogLine<'_>> {
    match line.first()? {
        b'[' => stamped(line),
        b'T' => repeated(line),
        _ => None,
    }
}

/// Whether a record begins here, by the first bytes of the line.
#[must_use]
pub fn begins_record(line: &[u8]) -> bool {
    match line.first() {
        Some(b'[') => stamp(line).is_some(),
        Some(b'T') => line.starts_with(REPEAT),
        Some(b'=') => line.starts_with(b"==> "),
        _ => false,
    }
}

fn stamped(line: &[u8]) -> Option<LogLine<'_>> {
    let (at, rest) = stamp(line)?;
    let rest = rest.strip_prefix(b" ")?;
    if let Some(command) = rest.strip_prefix(b" : ") {
        let origin = Origin::Command;
        return Some(LogLine { at, since: at, times: 1, level: b' ', origin, message: command });
    }
    let (level, origin, message) = body(rest)?;
    Some(LogLine { at, since: at, times: 1, level, origin, message })
}

const REPEAT: &[u8] = b"The message \"";

fn repeated(line: &[u8]) -> Option<LogLine<'_>> {
    let rest = line.strip_prefix(REPEAT)?;
    let end = memmem::rfind(rest, b"\" repeated ")?;
    let (inner, tail) = (rest.get(..end)?, rest.get(end + 11..)?);
    let (times, tail) = number(tail)?;
    let (since, tail) = stamp(tail.strip_prefix(b" times between ")?)?;
    let (at, _) = stamp(tail.strip_prefix(b" and ")?)?;
    let (level, origin, message) = body(inner)?;
    Some(LogLine { at, since, times, level, origin, message })
}

/// `L [where] who: message`, after the time.
fn body(rest: &[u8]) -> Option<(u8, Origin<'_>, &[u8])> {
    let (&level, rest) = rest.split_first()?;
    if !b"MACEWNIDT".contains(&level) {
        return None;
    }
    let rest = rest.strip_prefix(b" [")?;
    if let Some(rest) = rest.strip_prefix(b"MSGID: ") {
        let (msgid, rest) = number(rest)?;
        let rest = rest.strip_prefix(b"] [")?;
        let (place, rest) = place(rest)?;
        return Some(program(level, u32::try_from(msgid).ok(), &place, rest));
    }
    let (place, rest) = place(rest)?;
    if memchr(b'.', place.file).is_some() && !place.file.ends_with(b")") {
        return Some(program(level, None, &place, rest));
    }
    let (module, label) = match place.file.strip_suffix(b")") {
        Some(open) => {
            let paren = memchr(b'(', open)?;
            (open.get(..paren)?, open.get(paren + 1..)?)
        }
        None => (place.file, &b""[..]),
    };
    let colon = memchr(b':', rest).filter(|&colon| colon < 64)?;
    let message = rest.get(colon + 1..)?;
    let message = message.strip_prefix(b" ").unwrap_or(message);
    let Place { line, function, .. } = place;
    Some((level, Origin::Gsyncd { module, label, line, function }, message))
}

fn program<'a>(
    level: u8,
    msgid: Option<u32>,
    place: &Place<'a>,
    rest: &'a [u8],
) -> (u8, Origin<'a>, &'a [u8]) {
    let rest = if rest.starts_with(b"(-->") { after_stack(rest) } else { rest };
    let (domain, message) = domain(rest).unwrap_or((b"", rest));
    let origin = Origin::Program { msgid, file: place.file, function: place.function, domain };
    (level, origin, message.trim_ascii_end())
}

/// `0-vol-client-0: text`: a domain has no blank.
fn domain(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr2(b':', b' ', rest)?;
    let message = rest.get(colon..)?.strip_prefix(b": ")?;
    Some((rest.get(..colon)?, message))
}

/// A call stack `(-->…-->… ) 0-dict: text` ends at the first `) ` that a domain follows.
fn after_stack(rest: &[u8]) -> &[u8] {
    memmem::find_iter(rest, b") ")
        .filter_map(|end| rest.get(end + 2..))
        .find(|tail| tail.first().is_some_and(u8::is_ascii_digit) && domain(tail).is_some())
        .unwrap_or(rest)
}

/// The text in brackets: `file:line:function`, the file part still with its label.
struct Place<'a> {
    file: &'a [u8],
    line: u32,
    function: &'a [u8],
}

/// Reads `file:line:function] `; a label may contain brackets, therefore the first matching end counts.
fn place(rest: &[u8]) -> Option<(Place<'_>, &[u8])> {
    let mut from = 0;
    for _ in 0..4 {
        let end = from + memchr(b']', rest.get(from..)?)?;
        if let Some(place) = split_place(rest.get(..end)?) {
            let after = rest.get(end + 1..)?;
            return Some((place, after.strip_prefix(b" ").unwrap_or(after)));
        }
        from = end + 1;
    }
    None
}

fn split_place(inside: &[u8]) -> Option<Place<'_>> {
    let colon = memchr::memrchr(b':', inside)?;
    let function = inside.get(colon + 1..)?;
    let before = inside.get(..colon)?;
    let colon = memchr::memrchr(b':', before)?;
    let (line, rest) = number(before.get(colon + 1..)?)?;
    if !rest.is_empty() || function.is_empty() || colon == 0 {
        return None;
    }
    Some(Place { file: before.get(..colon)?, line: u32::try_from(line).ok()?, function })
}

/// Reads `[YYYY-MM-DD HH:MM:SS.micros +ZZZZ]` and returns what follows the bracket.
fn stamp(line: &[u8]) -> Option<(Time, &[u8])> {
    let head: &[u8; 20] = line.first_chunk()?;
    let fixed = head[0] == b'[' && head[5] == b'-' && head[8] == b'-' && head[11] == b' ';
    if !fixed || head[14] != b':' || head[17] != b':' {
        return None;
    }
    let two = |at: usize| -> Option<i64> {
        Some(digit(*head.get(at)?)? * 10 + digit(*head.get(at + 1)?)?)
    };
    let (year, month, day) = (two(1)? * 100 + two(3)?, two(6)?, two(9)?);
    let (hour, minute, second) = (two(12)?, two(15)?, two(18)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let mut rest = line.get(20..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let (value, after) = number(fraction)?;
        (micros, rest) = (i64::try_from(value).ok().filter(|&m| m < 1_000_000)?, after);
    }
    let mut offset = 0;
    if let Some(zone) = rest.strip_prefix(b" ") {
        (offset, rest) = zone_offset(zone)?;
    }
    let rest = rest.strip_prefix(b"]")?;
    let secs = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset;
    Some((Time::from_micros(secs * 1_000_000 + micros), rest))
}

/// `+0530` as seconds east of UTC.
fn zone_offset(zone: &[u8]) -> Option<(i64, &[u8])> {
    let (&[sign, h1, h2, m1, m2], rest) = zone.split_first_chunk()?;
    let secs = ((digit(h1)? * 10 + digit(h2)?) * 60 + digit(m1)? * 10 + digit(m2)?) * 60;
    match sign {
        b'+' => Some((secs, rest)),
        b'-' => Some((-secs, rest)),
        _ => None,
    }
}

/// Days since 1970 of a civil date (the usual era arithmetic, March-based years).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// A decimal number of at most nine digits, and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let len = text.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    if len == 0 || len > 9 {
        return None;
    }
    let (digits, rest) = text.split_at_checked(len)?;
    Some((digits.iter().fold(0, |value, byte| value * 10 + u64::from(byte - b'0')), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn micros(text: &str) -> i64 {
        text.parse::<Time>().unwrap().micros()
    }

    #[test]
    fn reads_gsyncd_lines_of_every_era() {
        for (line, at, module, label, function, message) in [
            (
                "[2026-11-21 03:35:51.81961] E [primary(worker /b/p1/b):788:log_failures] _GPrimary: ENTRY FAILED [{data=()}]",
                "2026-11-21T03:35:51.081961Z",
                "primary",
                "worker /b/p1/b",
                "log_failures",
                "ENTRY FAILED [{data=()}]",
            ),
            (
                "[2012-12-21 23:08:17.878283] E [syncdutils:133:log_raise_exception] <top>: FAIL: ",
                "2012-12-21T23:08:17.878283Z",
                "syncdutils",
                "",
                "log_raise_exception",
                "FAIL: ",
            ),
            (
                "[2016-02-15 10:58:40.6997] W [master(/data/a] b:c(1)):782:process] _GMaster: x: y",
                "2016-02-15T10:58:40.006997Z",
                "master",
                "/data/a] b:c(1)",
                "process",
                "x: y",
            ),
        ] {
            let got = parse(line.as_bytes()).unwrap();
            assert_eq!(got.at.micros(), micros(at));
            let Origin::Gsyncd { module: m, label: l, function: f, .. } = got.origin else {
                panic!("{line}")
            };
            assert_eq!((m, l, f), (module.as_bytes(), label.as_bytes(), function.as_bytes()));
            assert_eq!(got.message, message.as_bytes());
        }
    }

    #[test]
    fn reads_c_lines_of_every_era() {
        for (line, msgid, domain, message) in [
            (
                "[2026-11-21 03:42:22.703208 +0000] E [MSGID: 132032] [gf-history-changelog.c:997:gf_history_changelog] 0-gfchangelog: Requested changelog range is not available [{start=0}] ",
                Some(132_032),
                "0-gfchangelog",
                "Requested changelog range is not available [{start=0}]",
            ),
            (
                "[2015-06-08 07:53:00.060684] W [fuse-bridge.c:483:fuse_entry_cbk] 0-glusterfs-fuse: 19495709: LOOKUP() /d => -1 (Stale file handle)",
                None,
                "0-glusterfs-fuse",
                "19495709: LOOKUP() /d => -1 (Stale file handle)",
            ),
            (
                "[2016-02-15 10:58:54.871855] I [dict.c:473:dict_get] (-->/usr/lib/a.so(f+0x26) [0x7f83] -->/usr/lib/b.so.0(dict_get+0x93) [0x7f83] ) 0-dict: !this || key=x [Invalid argument]",
                None,
                "0-dict",
                "!this || key=x [Invalid argument]",
            ),
        ] {
            let got = parse(line.as_bytes()).unwrap();
            let Origin::Program { msgid: m, domain: d, .. } = got.origin else { panic!("{line}") };
            assert_eq!((m, d, got.message), (msgid, domain.as_bytes(), message.as_bytes()));
        }
    }

    #[test]
    fn folds_repeats_and_reads_offsets() {
        let line = b"The message \"W [MSGID: 114031] [c.c:1:f] 0-v-client-0: remote \"operation\" failed\" repeated 12 times between [2026-11-21 03:42:22.703208 +0000] and [2026-11-21 05:43:22.000001 +0200]";
        let got = parse(line).unwrap();
        assert_eq!((got.times, got.level), (12, b'W'));
        assert_eq!(got.since.micros(), micros("2026-11-21T03:42:22.703208Z"));
        assert_eq!(got.at.micros(), micros("2026-11-21T03:43:22.000001Z"));
        assert_eq!(got.message, b"remote \"operation\" failed");
    }

    #[test]
    fn reads_commands() {
        let got =
            parse(b"[2015-10-20 19:25:35.333160]  : volume stop x : FAILED : reason").unwrap();
        assert_eq!(
            (got.origin, got.message),
            (Origin::Command, &b"volume stop x : FAILED : reason"[..])
        );
    }

    #[test]
    fn refuses_other_text() {
        for line in [
            "",
            "[",
            "Traceback (most recent call last):",
            "[2026-13-21 03:42:22.1] E [a(b):1:c] d: e",
            "[2026-11-21 03:42:22.7032080] E [a(b):1:c] d: e",
            "[2026-11-21 03:42:22.703208] Q [a(b):1:c] d: e",
            "==> gsyncd.log <==",
            "[2026-11-21 03:42:22.703208",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = (parse(&bytes), begins_record(&bytes));
        }

        #[test]
        fn a_damaged_line_never_panics(cut in 0usize..120, flip in 0usize..120, byte: u8) {
            let mut line = b"[2026-11-21 03:35:51.81961] E [primary(worker /b/p1/b):788:log_failures] _GPrimary: ENTRY FAILED [{data=()}]".to_vec();
            if let Some(at) = line.get_mut(flip) { *at = byte; }
            line.truncate(cut);
            let _ = parse(&line);
        }

        #[test]
        fn dates_agree_with_the_calendar(day in 0i64..40_000, micros in 0i64..1_000_000) {
            let at = Time::from_micros(day * 86_400_000_000 + micros);
            let text = jiff::Timestamp::from_microsecond(at.micros()).unwrap().strftime("[%Y-%m-%d %H:%M:%S.%6f]").to_string();
            prop_assert_eq!(stamp(text.as_bytes()).map(|(at, _)| at), Some(at));
        }
    }
}
