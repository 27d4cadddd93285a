//! Fields of program errors and exceptions: exit codes, error streams, tracebacks, calls.

use std::borrow::Cow;

use memchr::memmem;

use super::MessageFields;
use crate::domain::{EntryId, Errno, FailedEntry, Gfid};
use crate::format::fields::{between, field};
use crate::format::traceback::Subject;
use crate::format::{fields, traceback};

/// `Rsync: .gfid/<gfid> [errcode: 23]`.
pub(super) fn file_errcode(message: &[u8]) -> MessageFields<'_> {
    let path = between(message, ": ", " [errcode: ").unwrap_or_default();
    let gfids = match traceback::subject_of(path) {
        Subject::Gfid(gfid) => vec![gfid],
        _ => Vec::new(),
    };
    let exit_code = between(message, "[errcode: ", "]").and_then(fields::int);
    MessageFields { exit_code, gfids, words: program(message), ..MessageFields::default() }
}

fn program(message: &[u8]) -> Cow<'static, [u8]> {
    let tar = memmem::find(message.get(..40).unwrap_or(message), b"ar").is_some();
    Cow::Borrowed(if tar { &b"tar"[..] } else { b"rsync" })
}

/// GlusterFS's internal xattrs, which file systems refuse to take from rsync.
const INTERNAL: &[&[u8]] =
    &[b"trusted.glusterfs.", b"trusted.SGI_ACL", b"trusted.afr.", b"security."];

pub(super) fn sync_error(message: &[u8]) -> MessageFields<'_> {
    let error = field(message, "error").or_else(|| between(message, "): ", "")).unwrap_or(message);
    let xattr =
        memmem::find(error, b"lsetxattr").is_some() || memmem::find(error, b"xattr").is_some();
    let noise = xattr && INTERNAL.iter().any(|name| memmem::find(error, name).is_some());
    let gfid = memmem::find(error, b".gfid/").and_then(|at| error.get(at + 6..at + 42));
    let errno = memmem::rfind(error, b"(").and_then(|at| {
        let digits = error.get(at + 1..)?;
        fields::int(digits.get(..memmem::find(digits, b")")?)?)
    });
    MessageFields {
        errno: errno.filter(|n| (1..=200).contains(n)).map(Errno),
        gfids: gfid.and_then(Gfid::from_text).into_iter().collect(),
        words: if noise { Cow::Borrowed(b"internal xattr") } else { program(message) },
        ..MessageFields::default()
    }
}

pub(super) fn sync_taken(message: &[u8]) -> MessageFields<'_> {
    MessageFields {
        exit_code: field(message, "return_code").and_then(fields::int).filter(|&code| code != 0),
        words: Cow::Borrowed(if field(message, "num_files") == Some(b"0") { b"none" } else { b"" }),
        ..MessageFields::default()
    }
}

/// Whether rsync checked files but transferred none: `empty`, `none` (no files), `moved`, or empty
/// if unknown.
pub(super) fn stats_words(message: &[u8]) -> Cow<'static, [u8]> {
    let count = |mark| {
        between(message, mark, ",").and_then(|text| {
            let digits: Vec<u8> =
                text.trim_ascii().iter().copied().take_while(u8::is_ascii_digit).collect();
            fields::int(&digits)
        })
    };
    let moved = count("regular files transferred: ").or_else(|| count("files transferred: "));
    Cow::Borrowed(match (moved, count("Number of files: ")) {
        (Some(0), Some(looked)) if looked > 0 => b"empty",
        (Some(0), _) => b"none",
        (Some(_), _) => b"moved",
        _ => b"",
    })
}

/// `command returned error [{cmd=ssh …}, {error=255}]`, `command "ssh …" returned with 255`.
pub(super) fn command_failed(message: &[u8]) -> MessageFields<'_> {
    let command = field(message, "cmd").or_else(|| between(message, "command \"", "\" returned"));
    let command = command.unwrap_or_default();
    let exit_code = match memmem::rfind(message, b"error=") {
        Some(at) => message.get(at + 6..).map(leading_int),
        None => between(message, "\" returned with ", "").map(leading_int),
    };
    let first = command.split(|&byte| byte == b' ').next().unwrap_or_default();
    let mut name = first.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    if memmem::find(command, b" system:: mount ").is_some() {
        name = b"mountbroker";
    }
    MessageFields {
        exit_code: exit_code.flatten(),
        words: Cow::Borrowed(name),
        ..MessageFields::default()
    }
}

fn leading_int(text: &[u8]) -> Option<i32> {
    let len = text.iter().take_while(|b| b.is_ascii_digit() || **b == b'-').count();
    text.get(..len).and_then(fields::int)
}

/// The kind of a child's error output: `ssh> Permission denied (publickey).`
pub(super) fn child_words(message: &[u8]) -> Cow<'_, [u8]> {
    let text = between(message, "> ", "").unwrap_or(message);
    let known: &[(&[u8], &[u8])] = &[
        (b"Permission denied", b"denied"),
        (b"REMOTE HOST IDENTIFICATION HAS CHANGED", b"denied"),
        (b"Host key verification failed", b"denied"),
        (b"Too many authentication failures", b"denied"),
        (b"Connection refused", b"unreachable"),
        (b"Connection timed out", b"unreachable"),
        (b"Operation timed out", b"unreachable"),
        (b"No route to host", b"unreachable"),
        (b"Network is unreachable", b"unreachable"),
        (b"Could not resolve hostname", b"unreachable"),
        (b"Name or service not known", b"unreachable"),
        (b"Connection closed by", b"unreachable"),
        (b"closed by remote host", b"unreachable"),
        (b"Connection reset", b"unreachable"),
        (b"/nonexistent/gsyncd", b"placeholder"),
        (b"in restricted SSH session is not allowed", b"restricted"),
        (b"disallowed rsync invocation", b"restricted"),
        (b"UnicodeDecodeError", b"unicode"),
        (b"UnicodeEncodeError", b"unicode"),
        (b"ImportError", b"python"),
        (b"ModuleNotFoundError", b"python"),
        (b"SyntaxError", b"python"),
    ];
    match known.iter().find(|(sign, _)| memmem::find(text, sign).is_some()) {
        Some((_, words)) => Cow::Borrowed(words),
        None => Cow::Borrowed(b""),
    }
}

pub(super) fn raised(tail: &[u8]) -> MessageFields<'static> {
    let Some(exception) = traceback::parse(tail) else { return MessageFields::default() };
    let innermost = exception.frames.last().map_or("", |frame| &frame.function);
    let words = format!("{} in {innermost}", exception.name()).into_bytes();
    let mut out = MessageFields {
        errno: exception.errno,
        words: Cow::Owned(words),
        ..MessageFields::default()
    };
    match exception.subject() {
        Some(Subject::Entry(EntryId { parent, name })) => {
            out.entries.push(FailedEntry {
                parent: Some(parent),
                name: Some(name),
                errno: exception.errno,
                ..FailedEntry::default()
            });
        }
        Some(Subject::Gfid(gfid)) => out.gfids.push(gfid),
        _ => {}
    }
    if let Some(Subject::Entry(EntryId { parent, name })) = exception.target() {
        let gfid = out.gfids.first().copied();
        let errno = exception.errno;
        out.entries.push(FailedEntry {
            gfid,
            parent: Some(parent),
            name: Some(name),
            errno,
            ..FailedEntry::default()
        });
    }
    out.op = exception.op().map(Cow::Borrowed);
    for entry in &mut out.entries {
        entry.op = out.op.clone().map(Cow::into_owned);
    }
    out.exception = Some(exception);
    out
}

/// A changelog or history that cannot be read, and whether gsyncd fell back to a full crawl.
pub(super) fn crawl_failed(message: &[u8]) -> MessageFields<'_> {
    let error = field(message, "error").unwrap_or(message);
    let fell_back = memmem::find(message, b"fallback to xsync").is_some();
    let words = Cow::Borrowed(if fell_back { &b"fallback"[..] } else { b"" });
    let errno = fields::errno(error).or_else(|| trailing_errno(message));
    MessageFields { errno, words, ..MessageFields::default() }
}

/// `…: 61 - No data available`, as 3.6 logs it.
fn trailing_errno(message: &[u8]) -> Option<Errno> {
    let dash = memmem::rfind(message, b" - ")?;
    let before = message.get(..dash)?;
    let number = before.rsplit(|&byte| byte == b' ').next().and_then(fields::int)?;
    Some(Errno(number))
}

/// `call failed [{call=…}, {method=entry_ops}, {error=OSError}]` and its older forms.
pub(super) fn call_failed(message: &[u8]) -> MessageFields<'_> {
    let method = field(message, "method").or_else(|| between(message, "(", ")"));
    let error = field(message, "error").or_else(|| between(message, "on peer with ", ""));
    MessageFields {
        op: method.map(String::from_utf8_lossy),
        words: Cow::Borrowed(error.unwrap_or_default()),
        ..MessageFields::default()
    }
}

pub(super) fn status_words(message: &[u8]) -> Cow<'_, [u8]> {
    let status = field(message, "status").or_else(|| between(message, ": ", ""));
    Cow::Borrowed(status.unwrap_or_default().trim_ascii())
}

/// An error of gsyncd's own: known by its words without names and numbers.
pub(super) fn gave_up(message: &[u8]) -> MessageFields<'_> {
    let end = memmem::find(message, b" of ").or_else(|| memmem::find(message, b": ")).unwrap_or(48);
    let words = message.get(..end.min(message.len()).min(64)).unwrap_or_default();
    let symbol = between(message, "failed with ", " (").and_then(fields::errno);
    MessageFields { errno: symbol, words: Cow::Borrowed(words), ..MessageFields::default() }
}
