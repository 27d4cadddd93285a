//! A message taken apart: operation, number, entry, gfids; what makes two of them the same.

use std::borrow::Cow;

use memchr::memmem;

use super::fields::{self, between, field};
use super::literal::{self, Literal};
use super::logline::{LogLine, Origin};
use super::saying::Saying;
use super::traceback::{self, Exception, Subject};
use crate::domain::{Entry, EntryId, Errno, Gfid, Name};

/// What one message says, as far as a diagnosis needs it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts<'a> {
    /// The operation, such as `CREATE`.
    pub op: Option<Cow<'a, str>>,
    /// The error number.
    pub errno: Option<Errno>,
    /// The exit status of a program.
    pub exit_code: Option<i32>,
    /// A missing parent: its children belong together.
    pub parent: Option<Gfid>,
    /// What else makes two incidents the same: a program, an exception, an address.
    pub words: Cow<'a, [u8]>,
    /// The brick the message names.
    pub brick: Option<&'a [u8]>,
    /// The entries that failed.
    pub entries: Vec<Entry>,
    /// The gfids that failed.
    pub gfids: Vec<Gfid>,
    /// The changelogs concerned.
    pub changelogs: Vec<String>,
    /// The exception of the traceback below the line.
    pub exception: Option<Exception>,
}

/// An entry of which nothing is known.
const NOTHING: Entry = Entry {
    gfid: None,
    parent: None,
    name: None,
    op: None,
    errno: None,
    secondary_gfid: None,
    path: None,
    now: None,
};

/// Takes a message apart. `tail` holds the unprefixed lines below it.
#[must_use]
pub fn of<'a>(saying: Saying, line: &LogLine<'a>, tail: &'a [u8]) -> Facts<'a> {
    let message = line.message;
    match saying {
        Saying::EntryFailed | Saying::MetaFailed | Saying::FixFailed | Saying::ConflictFixed => {
            failure(message)
        }
        Saying::MovedOn | Saying::IncompleteSync => {
            let changelogs = fields::changelogs(message).map(str::to_owned).collect();
            Facts { changelogs, ..Facts::default() }
        }
        Saying::SkippedGfids => Facts { gfids: gfid_list(message), ..Facts::default() },
        Saying::FileErrcode => file_errcode(message),
        Saying::SyncError => sync_error(message),
        Saying::SyncTaken => sync_taken(message),
        Saying::SyncStats => Facts { words: stats_words(message), ..Facts::default() },
        Saying::CommandFailed => command_failed(message),
        Saying::ChildSaid => Facts { words: child_words(message), ..Facts::default() },
        Saying::Raised | Saying::CallRaised => raised(tail),
        Saying::CallFailed => call_failed(message),
        Saying::RegisterFailed | Saying::HistoryFailed | Saying::CrawlFailed => {
            let error = field(message, "error").unwrap_or(message);
            let fell_back = memmem::find(message, b"fallback to xsync").is_some();
            let words = Cow::Borrowed(if fell_back { &b"fallback"[..] } else { b"" });
            let errno = fields::errno(error).or_else(|| trailing_errno(message));
            Facts { errno, words, ..Facts::default() }
        }
        Saying::MountGone => {
            let symbol = field(message, "error").or_else(|| between(message, "[", "]"));
            Facts { errno: symbol.and_then(fields::errno), ..Facts::default() }
        }
        Saying::WorkerStatus | Saying::CrawlStatus | Saying::MonitorStatus => {
            Facts { words: status_words(message), ..Facts::default() }
        }
        Saying::WorkerStarting | Saying::WorkerDied | Saying::WorkerHung | Saying::AgentDied => {
            let brick = field(message, "brick").or_else(|| between(message, "orker(", ")"));
            Facts { brick, ..Facts::default() }
        }
        Saying::RemoveFailed | Saying::RecursiveRemoveFailed => removal(message),
        Saying::RenameIgnored | Saying::BothExist | Saying::RenameOnMkdir => rename(message),
        Saying::RetriesExhausted => retries(message),
        Saying::UndecodedNames => undecoded(message),
        Saying::RemoteOpFailed => remote_op(line),
        Saying::FuseFailed => fuse(line),
        Saying::SplitBrain => split_brain(message),
        Saying::DhtGfidDiffers => dht(message),
        Saying::HandleMissing => Facts { gfids: handle_gfid(message), ..Facts::default() },
        Saying::GaveUp | Saying::ExecFailed => gave_up(message),
        Saying::ConfigUnreadable | Saying::StatusFileMissing | Saying::NotRunning => {
            Facts::default()
        }
        Saying::MountbrokerRefused | Saying::HistoryIndexBroken | Saying::ChangelogBroken => {
            Facts { words: Cow::Borrowed(message.get(..24).unwrap_or(message)), ..Facts::default() }
        }
        _ => Facts::default(),
    }
}

/// `ENTRY FAILED`, `META FAILED` and the fixer's messages: a python tuple of failure facts.
fn failure(message: &[u8]) -> Facts<'static> {
    let start = ["data=", "entry=", "FAILED: ", "entry ops "]
        .into_iter()
        .find_map(|mark| between(message, mark, ""));
    let tuple = start.and_then(literal::parse).map(|(value, _)| value);
    let Some([what, errno, rest @ ..]) = tuple.as_ref().and_then(Literal::list) else {
        return cut_failure(message);
    };
    let text = |key| what.get(key).and_then(Literal::text);
    let errno = errno.int().and_then(|n| i32::try_from(n).ok()).map(Errno);
    let info = rest.first();
    let on_target = info.and_then(|i| i.get("dst")) == Some(&Literal::Bool(true));
    let target = text("entry1").filter(|_| on_target || errno == Some(Errno::ENOENT));
    let place = target.or_else(|| text("entry")).and_then(EntryId::from_gfid_path);
    let gfid = text("gfid").or_else(|| text("go").and_then(|go| go.strip_prefix(b".gfid/")));
    let entry = Entry {
        gfid: gfid.and_then(Gfid::from_text),
        parent: place.as_ref().map(|place| place.parent),
        name: place.map(|place| place.name),
        op: text("op").map(|op| String::from_utf8_lossy(op).into_owned()),
        errno,
        secondary_gfid: info.and_then(secondary_gfid),
        ..NOTHING
    };
    of_entry(entry)
}

fn secondary_gfid(info: &Literal) -> Option<Gfid> {
    let text = info
        .text()
        .or_else(|| info.get("secondary_gfid").and_then(Literal::text))
        .or_else(|| info.get("slave_gfid").and_then(Literal::text));
    text.and_then(Gfid::from_text)
}

/// What can be saved of a failure whose line was cut.
fn cut_failure(message: &[u8]) -> Facts<'static> {
    let value = |key: &str| {
        let after = between(message, &format!("'{key}': "), "")?;
        let after = after.strip_prefix(b"u").unwrap_or(after);
        literal::parse(after).and_then(|(value, _)| value.text().map(<[u8]>::to_vec))
    };
    let place = value("entry").and_then(|path| EntryId::from_gfid_path(&path));
    let entry = Entry {
        gfid: value("gfid").and_then(|text| Gfid::from_text(&text)),
        parent: place.as_ref().map(|place| place.parent),
        name: place.map(|place| place.name),
        op: value("op").map(|op| String::from_utf8_lossy(&op).into_owned()),
        ..NOTHING
    };
    of_entry(entry)
}

/// The facts of one failed entry; failures for want of a parent are grouped by it.
fn of_entry(entry: Entry) -> Facts<'static> {
    let orphan = matches!(entry.errno, Some(Errno(2 | 116))) && entry.op.as_deref() != Some("META");
    Facts {
        op: entry.op.clone().map(Cow::Owned),
        errno: entry.errno,
        parent: entry.parent.filter(|_| orphan && entry.op.as_deref() != Some("MKDIR")),
        gfids: entry.gfid.into_iter().collect(),
        entries: vec![entry],
        ..Facts::default()
    }
}

fn gfid_list(message: &[u8]) -> Vec<Gfid> {
    let list = between(message, "= ", "").unwrap_or_default();
    list.split(|byte| b", '[]".contains(byte)).filter_map(Gfid::from_text).collect()
}

/// `Rsync: .gfid/<gfid> [errcode: 23]`.
fn file_errcode(message: &[u8]) -> Facts<'_> {
    let path = between(message, ": ", " [errcode: ").unwrap_or_default();
    let gfids = match traceback::subject_of(path) {
        Subject::Gfid(gfid) => vec![gfid],
        _ => Vec::new(),
    };
    let exit_code = between(message, "[errcode: ", "]").and_then(fields::int);
    Facts { exit_code, gfids, words: program(message), ..Facts::default() }
}

fn program(message: &[u8]) -> Cow<'static, [u8]> {
    let tar = memmem::find(message.get(..40).unwrap_or(message), b"ar").is_some();
    Cow::Borrowed(if tar { &b"tar"[..] } else { b"rsync" })
}

/// Attributes that GlusterFS keeps for itself; a file system refuses to take them from rsync.
const INTERNAL: &[&[u8]] =
    &[b"trusted.glusterfs.", b"trusted.SGI_ACL", b"trusted.afr.", b"security."];

fn sync_error(message: &[u8]) -> Facts<'_> {
    let error = field(message, "error").or_else(|| between(message, "): ", "")).unwrap_or(message);
    let xattr =
        memmem::find(error, b"lsetxattr").is_some() || memmem::find(error, b"xattr").is_some();
    let noise = xattr && INTERNAL.iter().any(|name| memmem::find(error, name).is_some());
    let gfid = memmem::find(error, b".gfid/").and_then(|at| error.get(at + 6..at + 42));
    let errno = memmem::rfind(error, b"(").and_then(|at| {
        let digits = error.get(at + 1..)?;
        fields::int(digits.get(..memmem::find(digits, b")")?)?)
    });
    Facts {
        errno: errno.filter(|n| (1..=200).contains(n)).map(Errno),
        gfids: gfid.and_then(Gfid::from_text).into_iter().collect(),
        words: if noise { Cow::Borrowed(b"internal xattr") } else { program(message) },
        ..Facts::default()
    }
}

fn sync_taken(message: &[u8]) -> Facts<'_> {
    Facts {
        exit_code: field(message, "return_code").and_then(fields::int).filter(|&code| code != 0),
        words: Cow::Borrowed(if field(message, "num_files") == Some(b"0") { b"none" } else { b"" }),
        ..Facts::default()
    }
}

/// Whether rsync looked at files and moved none: `empty`, `moved`, or nothing to say.
fn stats_words(message: &[u8]) -> Cow<'static, [u8]> {
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
fn command_failed(message: &[u8]) -> Facts<'_> {
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
    Facts { exit_code: exit_code.flatten(), words: Cow::Borrowed(name), ..Facts::default() }
}

fn leading_int(text: &[u8]) -> Option<i32> {
    let len = text.iter().take_while(|b| b.is_ascii_digit() || **b == b'-').count();
    text.get(..len).and_then(fields::int)
}

/// What a child said, without what differs each time: `ssh> Permission denied (publickey).`
fn child_words(message: &[u8]) -> Cow<'_, [u8]> {
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

fn raised(tail: &[u8]) -> Facts<'static> {
    let Some(exception) = traceback::parse(tail) else { return Facts::default() };
    let innermost = exception.frames.last().map_or("", |frame| &frame.function);
    let words = format!("{} in {innermost}", exception.name()).into_bytes();
    let mut facts = Facts { errno: exception.errno, words: Cow::Owned(words), ..Facts::default() };
    match exception.subject() {
        Some(Subject::Entry(EntryId { parent, name })) => {
            facts.entries.push(Entry {
                parent: Some(parent),
                name: Some(name),
                errno: exception.errno,
                ..NOTHING
            });
        }
        Some(Subject::Gfid(gfid)) => facts.gfids.push(gfid),
        _ => {}
    }
    if let Some(Subject::Entry(EntryId { parent, name })) = exception.target() {
        let gfid = facts.gfids.first().copied();
        let errno = exception.errno;
        facts.entries.push(Entry {
            gfid,
            parent: Some(parent),
            name: Some(name),
            errno,
            ..NOTHING
        });
    }
    facts.op = exception.op().map(Cow::Borrowed);
    facts.exception = Some(exception);
    facts
}

/// `…: 61 - No data available`, as 3.6 says it.
fn trailing_errno(message: &[u8]) -> Option<Errno> {
    let dash = memmem::rfind(message, b" - ")?;
    let before = message.get(..dash)?;
    let number = before.rsplit(|&byte| byte == b' ').next().and_then(fields::int)?;
    Some(Errno(number))
}

/// `call failed [{call=…}, {method=entry_ops}, {error=OSError}]` and its older forms.
fn call_failed(message: &[u8]) -> Facts<'_> {
    let method = field(message, "method").or_else(|| between(message, "(", ")"));
    let error = field(message, "error").or_else(|| between(message, "on peer with ", ""));
    Facts {
        op: method.map(String::from_utf8_lossy),
        words: Cow::Borrowed(error.unwrap_or_default()),
        ..Facts::default()
    }
}

fn status_words(message: &[u8]) -> Cow<'_, [u8]> {
    let status = field(message, "status").or_else(|| between(message, ": ", ""));
    Cow::Borrowed(status.unwrap_or_default().trim_ascii())
}

/// `Failed to remove [{gfid=…}, {pgfid=…}, {bname=…}, {error=…}]` and `… G => P/name. words`.
fn removal(message: &[u8]) -> Facts<'_> {
    let (gfid, parent, name, error) = if field(message, "gfid").is_some() {
        let of = |key| field(message, key);
        (of("gfid"), of("pgfid"), of("bname"), of("error"))
    } else {
        let gfid = between(message, "remove ", " =>");
        let place = between(message, "=> ", "").unwrap_or_default();
        let end = memmem::find(place, b"failed: ").or_else(|| memmem::rfind(place, b". "));
        let name = place.get(37..end.unwrap_or(place.len()));
        let error = end
            .and_then(|at| place.get(at..))
            .map(|e| e.strip_prefix(b"failed: ").or_else(|| e.strip_prefix(b". ")).unwrap_or(e));
        (gfid, place.get(..36), name, error)
    };
    let errno = error.and_then(fields::errno);
    let entry = Entry {
        gfid: gfid.and_then(Gfid::from_text),
        parent: parent.and_then(Gfid::from_text),
        name: name.map(Name::from),
        op: Some("RMDIR".to_owned()),
        errno,
        ..NOTHING
    };
    Facts { parent: None, ..of_entry(entry) }
}

/// Renames that went wrong: old and new place, and whose gfid stands where.
fn rename(message: &[u8]) -> Facts<'_> {
    let unquoted = |text: &[u8]| {
        let text = text.strip_prefix(b"'").and_then(|t| t.strip_suffix(b"'")).unwrap_or(text);
        EntryId::from_gfid_path(text)
    };
    let place = ["old", "source", "entry"]
        .into_iter()
        .find_map(|key| field(message, key))
        .or_else(|| between(message, "source entry:", "(gfid:"))
        .or_else(|| between(message, "Both Old(", ")"))
        .and_then(unquoted);
    let gfid = field(message, "gfid").or_else(|| between(message, "(gfid:", ")"));
    let disk = field(message, "disk_gfid").or_else(|| between(message, "on-disk gfid(", ")"));
    let entry = Entry {
        gfid: gfid.and_then(Gfid::from_text),
        parent: place.as_ref().map(|place| place.parent),
        name: place.map(|place| place.name),
        op: Some("RENAME".to_owned()),
        secondary_gfid: disk.and_then(Gfid::from_text),
        ..NOTHING
    };
    of_entry(entry)
}

/// `reached maximum retries [{args=['.gfid/P/n', …]}, {error=[Errno 16] …}]`.
fn retries(message: &[u8]) -> Facts<'_> {
    let args = field(message, "args").or_else(|| between(message, "retries (", ")..."));
    let (args, _) = args.and_then(literal::parse).unwrap_or((Literal::None, b""));
    let args: Vec<&[u8]> = match &args {
        Literal::List(items) => items.iter().filter_map(Literal::text).collect(),
        other => other.text().into_iter().collect(),
    };
    let error =
        field(message, "error").or_else(|| between(message, ")...", "")).unwrap_or_default();
    let errno = fields::errno(error);
    let mut facts = Facts { errno, ..Facts::default() };
    if let [folder, b"glusterfs.gfid.newfile", blob, ..] = args.as_slice() {
        let entry = new_file(folder, blob, errno);
        facts.gfids.extend(entry.gfid);
        facts.entries.push(entry);
        return facts;
    }
    match args.first().map(|path| traceback::subject_of(path)) {
        Some(Subject::Entry(EntryId { parent, name })) => {
            facts.entries.push(Entry { parent: Some(parent), name: Some(name), errno, ..NOTHING });
        }
        Some(Subject::Gfid(gfid)) => facts.gfids.push(gfid),
        _ => {}
    }
    facts
}

/// What `glusterfs.gfid.newfile` was to make: uid, gid, gfid and NUL, mode, name and NUL
/// (`syncdutils.py`, `entry_pack_reg`).
fn new_file(folder: &[u8], blob: &[u8], errno: Option<Errno>) -> Entry {
    let parent = folder.strip_prefix(b".gfid/").and_then(Gfid::from_text);
    let at = (0..blob.len().saturating_sub(35))
        .find(|&at| blob.get(at..at + 36).and_then(Gfid::from_text).is_some());
    let gfid = at.and_then(|at| Gfid::from_text(blob.get(at..at + 36)?));
    let rest = at.and_then(|at| blob.get(at + 41..)).unwrap_or_default();
    let name = rest.get(..memmem::find(rest, b"\0").unwrap_or(0)).filter(|name| !name.is_empty());
    Entry { gfid, parent, name: name.map(Name::from), errno, ..NOTHING }
}

/// Entries of a debug line whose names python could not decode.
fn undecoded(message: &[u8]) -> Facts<'_> {
    let list = between(message, "entries: ", "").and_then(literal::parse);
    let Some((Literal::List(items), _)) = list else { return Facts::default() };
    let text =
        |item: &Literal, key: &str| item.get(key).and_then(Literal::text).map(<[u8]>::to_vec);
    let odd = |bytes: &Vec<u8>| !bytes.is_ascii();
    let mut facts = Facts::default();
    for item in &items {
        let names = [text(item, "entry"), text(item, "entry1"), text(item, "link")];
        if !names.iter().flatten().any(odd) {
            continue;
        }
        let place = text(item, "entry").and_then(|path| EntryId::from_gfid_path(&path));
        let gfid = text(item, "gfid").and_then(|gfid| Gfid::from_text(&gfid));
        facts.gfids.extend(gfid);
        facts.op = text(item, "op").map(|op| Cow::Owned(String::from_utf8_lossy(&op).into_owned()));
        facts.entries.push(Entry {
            gfid,
            parent: place.as_ref().map(|place| place.parent),
            name: place.map(|place| place.name),
            op: facts.op.clone().map(Cow::into_owned),
            ..NOTHING
        });
    }
    facts
}

/// A client's failed operation: `Path: <gfid:G> (G) [words]` before 8, fields after.
fn remote_op<'a>(line: &LogLine<'a>) -> Facts<'a> {
    let message = line.message;
    let (path, gfid, errno) = if let Some(errno) = field(message, "errno") {
        let errno = fields::int(errno).map(Errno);
        (field(message, "path"), field(message, "gfid"), errno)
    } else {
        let open = memmem::rfind(message, b" (").unwrap_or(message.len());
        let path = between(message, "Path: ", "").map(|path| {
            path.get(..memmem::rfind(path, b" (").unwrap_or(path.len())).unwrap_or(path)
        });
        let gfid = message.get(open + 2..).and_then(|rest| rest.get(..36));
        let words = memmem::rfind(message, b"[").and_then(|at| message.get(at + 1..));
        let words = words.and_then(|words| words.strip_suffix(b"]"));
        let words = words.or_else(|| between(message, "failed: ", ". Path"));
        (path, gfid, words.and_then(fields::errno))
    };
    let op = match line.origin {
        Origin::Program { function, .. } => op_of_callback(function),
        _ => None,
    };
    let mut facts = Facts { errno, op, ..Facts::default() };
    let named = gfid.and_then(Gfid::from_text).filter(|gfid| !gfid.is_nil());
    name_paths(&mut facts, path.unwrap_or_default(), named);
    facts
}

/// `client4_0_lookup_cbk` and `fuse_rename_cbk` as `LOOKUP` and `RENAME`.
fn op_of_callback(function: &[u8]) -> Option<Cow<'static, str>> {
    let name = std::str::from_utf8(function).ok()?;
    let name = name.strip_suffix("_cbk")?;
    let name = name.rsplit('_').next()?;
    Some(Cow::Owned(name.to_ascii_uppercase()))
}

/// Adds the entry or gfid that a path such as `/.gfid/P/name` or `<gfid:G>/name` names.
fn name_paths(facts: &mut Facts<'_>, path: &[u8], gfid: Option<Gfid>) {
    let virtual_path = path.strip_prefix(b"/.gfid/").and_then(|rest| {
        let (parent, name) = rest.split_at_checked(36)?;
        Some((Gfid::from_text(parent)?, name.strip_prefix(b"/").unwrap_or_default()))
    });
    let nameless = path.strip_prefix(b"<gfid:").and_then(|rest| {
        let (parent, name) = rest.split_at_checked(36)?;
        let name = name.strip_prefix(b">").unwrap_or_default();
        Some((Gfid::from_text(parent)?, name.strip_prefix(b"/").unwrap_or_default()))
    });
    match virtual_path.or(nameless) {
        Some((parent, name)) if !name.is_empty() => {
            facts.gfids.extend(gfid);
            facts.entries.push(Entry {
                gfid,
                parent: Some(parent),
                name: Some(Name::from(name)),
                op: facts.op.clone().map(Cow::into_owned),
                errno: facts.errno,
                ..NOTHING
            });
        }
        Some((own, _)) => facts.gfids.push(own),
        None => facts.gfids.extend(gfid),
    }
}

/// `60: /.gfid/P/a -> /.gfid/P/b => -1 (words)`, `7: LOOKUP() /path => -1 (words)`.
fn fuse<'a>(line: &LogLine<'a>) -> Facts<'a> {
    let message = line.message;
    let end = memmem::rfind(message, b" => -1 (").unwrap_or(message.len());
    let words = message.get(end + 8..).and_then(|rest| rest.strip_suffix(b")"));
    let what = between(message.get(..end).unwrap_or_default(), ": ", "").unwrap_or_default();
    let path = match memmem::find(what, b"() ") {
        Some(at) => what.get(at + 3..).unwrap_or_default(),
        None => what.get(..memmem::find(what, b" -> ").unwrap_or(what.len())).unwrap_or_default(),
    };
    let op = match (memmem::find(what, b"() "), line.origin) {
        (Some(at), _) => what.get(..at).map(String::from_utf8_lossy),
        (None, Origin::Program { function, .. }) => op_of_callback(function),
        _ => None,
    };
    let mut facts = Facts { errno: words.and_then(fields::errno), op, ..Facts::default() };
    name_paths(&mut facts, path, None);
    if facts.entries.is_empty() && facts.gfids.is_empty() && !path.is_empty() {
        facts.entries.push(Entry {
            path: Some(Name::from(path)),
            op: facts.op.clone().map(Cow::into_owned),
            errno: facts.errno,
            ..NOTHING
        });
    }
    let ours = memmem::find(message, b".gfid/").is_some();
    facts.words = Cow::Borrowed(if ours { b"gsyncd" } else { b"" });
    facts
}

/// `Gfid mismatch detected for <gfid:P>/name>, G1 on vol-client-1 and G2 on vol-client-0.`
fn split_brain(message: &[u8]) -> Facts<'_> {
    let mut facts = Facts::default();
    if let Some(place) = between(message, " for <gfid:", "") {
        let parent = place.get(..36).and_then(Gfid::from_text);
        let end = memmem::rfind(place, b">, ").unwrap_or(place.len());
        let name = place.get(38..end).map(Name::from);
        let pair = place.get(end + 3..).unwrap_or_default();
        let first = pair.get(..36).and_then(Gfid::from_text);
        let second = between(pair, " and ", "").and_then(|g| g.get(..36)).and_then(Gfid::from_text);
        facts.gfids.extend(first.into_iter().chain(second));
        facts.entries.push(Entry { gfid: first, secondary_gfid: second, parent, name, ..NOTHING });
    } else {
        let text = between(message, "gfid:", "").and_then(|rest| rest.get(..36));
        facts.gfids.extend(text.and_then(Gfid::from_text).filter(|gfid| !gfid.is_nil()));
    }
    facts
}

/// `/path: gfid different on subvol. gfid local = G1, gfid subvol = G2`.
fn dht(message: &[u8]) -> Facts<'_> {
    let side =
        |mark| between(message, mark, "").and_then(|g| g.get(..36)).and_then(Gfid::from_text);
    let (local, other) = (side("gfid local = "), side("gfid subvol = "));
    let (local, other) =
        (local.or_else(|| side("gfid_local=")), other.or_else(|| side("gfid_subvol=")));
    let path = field(message, "path")
        .or_else(|| memmem::find(message, b": gfid differ").and_then(|at| message.get(..at)));
    Facts {
        gfids: local.into_iter().chain(other).collect(),
        entries: vec![Entry {
            gfid: local,
            secondary_gfid: other,
            path: path.map(Name::from),
            ..NOTHING
        }],
        ..Facts::default()
    }
}

fn handle_gfid(message: &[u8]) -> Vec<Gfid> {
    let handle = memmem::find(message, b".glusterfs/").and_then(|at| message.get(at + 17..at + 53));
    let named =
        field(message, "gfid").or_else(|| between(message, "gfid: ", "").and_then(|g| g.get(..36)));
    handle
        .and_then(Gfid::from_text)
        .or_else(|| named.and_then(Gfid::from_text))
        .into_iter()
        .collect()
}

/// An error of gsyncd's own: known by its words without names and numbers.
fn gave_up(message: &[u8]) -> Facts<'_> {
    let end = memmem::find(message, b" of ").or_else(|| memmem::find(message, b": ")).unwrap_or(48);
    let words = message.get(..end.min(message.len()).min(64)).unwrap_or_default();
    let symbol = between(message, "failed with ", " (").and_then(fields::errno);
    Facts { errno: symbol, words: Cow::Borrowed(words), ..Facts::default() }
}
