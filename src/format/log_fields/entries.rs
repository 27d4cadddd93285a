//! Failed entry operations: python tuples, removals, renames, exhausted retries.

use std::borrow::Cow;

use memchr::memmem;

use super::MessageFields;
use crate::domain::{EntryId, Errno, FailedEntry, Gfid, Name};
use crate::format::fields::{between, field};
use crate::format::literal::Literal;
use crate::format::traceback::Subject;
use crate::format::{fields, literal, traceback};

/// `ENTRY FAILED`, `META FAILED` and the fixer's messages: a python tuple with the failure.
pub(super) fn failure(message: &[u8]) -> MessageFields<'static> {
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
    let entry = FailedEntry {
        gfid: gfid.and_then(Gfid::from_text),
        parent: place.as_ref().map(|place| place.parent),
        name: place.map(|place| place.name),
        op: text("op").map(|op| String::from_utf8_lossy(op).into_owned()),
        errno,
        secondary_gfid: info.and_then(secondary_gfid),
        ..FailedEntry::default()
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

/// What is readable of a failure whose line was cut.
fn cut_failure(message: &[u8]) -> MessageFields<'static> {
    let value = |key: &str| {
        let after = between(message, &format!("'{key}': "), "")?;
        let after = after.strip_prefix(b"u").unwrap_or(after);
        literal::parse(after).and_then(|(value, _)| value.text().map(<[u8]>::to_vec))
    };
    let place = value("entry").and_then(|path| EntryId::from_gfid_path(&path));
    let entry = FailedEntry {
        gfid: value("gfid").and_then(|text| Gfid::from_text(&text)),
        parent: place.as_ref().map(|place| place.parent),
        name: place.map(|place| place.name),
        op: value("op").map(|op| String::from_utf8_lossy(&op).into_owned()),
        ..FailedEntry::default()
    };
    of_entry(entry)
}

/// The fields of one failed entry; failures because of a missing parent are grouped by it.
fn of_entry(entry: FailedEntry) -> MessageFields<'static> {
    let orphan = matches!(entry.errno, Some(Errno(2 | 116))) && entry.op.as_deref() != Some("META");
    MessageFields {
        op: entry.op.clone().map(Cow::Owned),
        errno: entry.errno,
        parent: entry.parent.filter(|_| orphan && entry.op.as_deref() != Some("MKDIR")),
        gfids: entry.gfid.into_iter().collect(),
        entries: vec![entry],
        ..MessageFields::default()
    }
}

pub(super) fn gfid_list(message: &[u8]) -> Vec<Gfid> {
    let list = between(message, "= ", "").unwrap_or_default();
    list.split(|byte| b", '[]".contains(byte)).filter_map(Gfid::from_text).collect()
}

/// `Failed to remove [{gfid=…}, {pgfid=…}, {bname=…}, {error=…}]` and `… G => P/name. words`.
pub(super) fn removal(message: &[u8]) -> MessageFields<'_> {
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
    let entry = FailedEntry {
        gfid: gfid.and_then(Gfid::from_text),
        parent: parent.and_then(Gfid::from_text),
        name: name.map(Name::from),
        op: Some("RMDIR".to_owned()),
        errno,
        ..FailedEntry::default()
    };
    MessageFields { parent: None, ..of_entry(entry) }
}

/// Failed renames: old and new name, and the gfids found there.
pub(super) fn rename(message: &[u8]) -> MessageFields<'_> {
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
    let entry = FailedEntry {
        gfid: gfid.and_then(Gfid::from_text),
        parent: place.as_ref().map(|place| place.parent),
        name: place.map(|place| place.name),
        op: Some("RENAME".to_owned()),
        secondary_gfid: disk.and_then(Gfid::from_text),
        ..FailedEntry::default()
    };
    of_entry(entry)
}

/// `reached maximum retries [{args=['.gfid/P/n', …]}, {error=[Errno 16] …}]`.
pub(super) fn retries(message: &[u8]) -> MessageFields<'_> {
    let args = field(message, "args").or_else(|| between(message, "retries (", ")..."));
    let (args, _) = args.and_then(literal::parse).unwrap_or((Literal::None, b""));
    let args: Vec<&[u8]> = match &args {
        Literal::List(items) => items.iter().filter_map(Literal::text).collect(),
        other => other.text().into_iter().collect(),
    };
    let error =
        field(message, "error").or_else(|| between(message, ")...", "")).unwrap_or_default();
    let errno = fields::errno(error);
    let mut out = MessageFields { errno, ..MessageFields::default() };
    if let [folder, b"glusterfs.gfid.newfile", blob, ..] = args.as_slice() {
        let entry = new_file(folder, blob, errno);
        out.gfids.extend(entry.gfid);
        out.entries.push(entry);
        return out;
    }
    match args.first().map(|path| traceback::subject_of(path)) {
        Some(Subject::Entry(EntryId { parent, name })) => {
            out.entries.push(FailedEntry {
                parent: Some(parent),
                name: Some(name),
                errno,
                ..FailedEntry::default()
            });
        }
        Some(Subject::Gfid(gfid)) => out.gfids.push(gfid),
        _ => {}
    }
    out
}

/// What `glusterfs.gfid.newfile` was to create: uid, gid, gfid and NUL, mode, name and NUL
/// (`syncdutils.py`, `entry_pack_reg`).
fn new_file(folder: &[u8], blob: &[u8], errno: Option<Errno>) -> FailedEntry {
    let parent = folder.strip_prefix(b".gfid/").and_then(Gfid::from_text);
    let at = (0..blob.len().saturating_sub(35))
        .find(|&at| blob.get(at..at + 36).and_then(Gfid::from_text).is_some());
    let gfid = at.and_then(|at| Gfid::from_text(blob.get(at..at + 36)?));
    let rest = at.and_then(|at| blob.get(at + 41..)).unwrap_or_default();
    let name = rest.get(..memmem::find(rest, b"\0").unwrap_or(0)).filter(|name| !name.is_empty());
    FailedEntry { gfid, parent, name: name.map(Name::from), errno, ..FailedEntry::default() }
}

/// Entries of a debug line whose names python could not decode.
pub(super) fn undecoded(message: &[u8]) -> MessageFields<'_> {
    let list = between(message, "entries: ", "").and_then(literal::parse);
    let Some((Literal::List(items), _)) = list else { return MessageFields::default() };
    let text =
        |item: &Literal, key: &str| item.get(key).and_then(Literal::text).map(<[u8]>::to_vec);
    let odd = |bytes: &Vec<u8>| !bytes.is_ascii();
    let mut out = MessageFields::default();
    for item in &items {
        let names = [text(item, "entry"), text(item, "entry1"), text(item, "link")];
        if !names.iter().flatten().any(odd) {
            continue;
        }
        let place = text(item, "entry").and_then(|path| EntryId::from_gfid_path(&path));
        let gfid = text(item, "gfid").and_then(|gfid| Gfid::from_text(&gfid));
        out.gfids.extend(gfid);
        out.op = text(item, "op").map(|op| Cow::Owned(String::from_utf8_lossy(&op).into_owned()));
        out.entries.push(FailedEntry {
            gfid,
            parent: place.as_ref().map(|place| place.parent),
            name: place.map(|place| place.name),
            op: out.op.clone().map(Cow::into_owned),
            ..FailedEntry::default()
        });
    }
    out
}
