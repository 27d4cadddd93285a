//! Fields of messages of mounts and bricks: failed operations, split-brain, differing gfids.

use std::borrow::Cow;

use memchr::memmem;

use super::MessageFields;
use crate::domain::{Errno, FailedEntry, Gfid, Name};
use crate::format::fields;
use crate::format::fields::{between, field};
use crate::format::logline::{LogLine, Origin};

/// A client's failed operation: `Path: <gfid:G> (G) [words]` before 8, fields after.
pub(super) fn remote_op<'a>(line: &LogLine<'a>) -> MessageFields<'a> {
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
    let mut out = MessageFields { errno, op, ..MessageFields::default() };
    let named = gfid.and_then(Gfid::from_text).filter(|gfid| !gfid.is_nil());
    name_paths(&mut out, path.unwrap_or_default(), named);
    out
}

/// `client4_0_lookup_cbk` and `fuse_rename_cbk` as `LOOKUP` and `RENAME`.
fn op_of_callback(function: &[u8]) -> Option<Cow<'static, str>> {
    let name = std::str::from_utf8(function).ok()?;
    let name = name.strip_suffix("_cbk")?;
    let name = name.rsplit('_').next()?;
    Some(Cow::Owned(name.to_ascii_uppercase()))
}

/// Adds the entry or gfid that a path such as `/.gfid/P/name` or `<gfid:G>/name` names.
fn name_paths(out: &mut MessageFields<'_>, path: &[u8], gfid: Option<Gfid>) {
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
            out.gfids.extend(gfid);
            out.entries.push(FailedEntry {
                gfid,
                parent: Some(parent),
                name: Some(Name::from(name)),
                op: out.op.clone().map(Cow::into_owned),
                errno: out.errno,
                ..FailedEntry::default()
            });
        }
        Some((own, _)) => out.gfids.push(own),
        None => out.gfids.extend(gfid),
    }
}

/// `60: /.gfid/P/a -> /.gfid/P/b => -1 (words)`, `7: LOOKUP() /path => -1 (words)`.
pub(super) fn fuse<'a>(line: &LogLine<'a>) -> MessageFields<'a> {
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
    let mut out =
        MessageFields { errno: words.and_then(fields::errno), op, ..MessageFields::default() };
    name_paths(&mut out, path, None);
    if out.entries.is_empty() && out.gfids.is_empty() && !path.is_empty() {
        out.entries.push(FailedEntry {
            path: Some(Name::from(path)),
            op: out.op.clone().map(Cow::into_owned),
            errno: out.errno,
            ..FailedEntry::default()
        });
    }
    let ours = memmem::find(message, b".gfid/").is_some();
    out.words = Cow::Borrowed(if ours { b"gsyncd" } else { b"" });
    out
}

/// `Gfid mismatch detected for <gfid:P>/name>, G1 on vol-client-1 and G2 on vol-client-0.`
pub(super) fn split_brain(message: &[u8]) -> MessageFields<'_> {
    let mut out = MessageFields::default();
    if let Some(place) = between(message, " for <gfid:", "") {
        let parent = place.get(..36).and_then(Gfid::from_text);
        let end = memmem::rfind(place, b">, ").unwrap_or(place.len());
        let name = place.get(38..end).map(Name::from);
        let pair = place.get(end + 3..).unwrap_or_default();
        let first = pair.get(..36).and_then(Gfid::from_text);
        let second = between(pair, " and ", "").and_then(|g| g.get(..36)).and_then(Gfid::from_text);
        out.gfids.extend(first.into_iter().chain(second));
        out.entries.push(FailedEntry {
            gfid: first,
            secondary_gfid: second,
            parent,
            name,
            ..FailedEntry::default()
        });
    } else {
        let text = between(message, "gfid:", "").and_then(|rest| rest.get(..36));
        out.gfids.extend(text.and_then(Gfid::from_text).filter(|gfid| !gfid.is_nil()));
    }
    out
}

/// `/path: gfid different on subvol. gfid local = G1, gfid subvol = G2`.
pub(super) fn dht(message: &[u8]) -> MessageFields<'_> {
    let side =
        |mark| between(message, mark, "").and_then(|g| g.get(..36)).and_then(Gfid::from_text);
    let (local, other) = (side("gfid local = "), side("gfid subvol = "));
    let (local, other) =
        (local.or_else(|| side("gfid_local=")), other.or_else(|| side("gfid_subvol=")));
    let path = field(message, "path")
        .or_else(|| memmem::find(message, b": gfid differ").and_then(|at| message.get(..at)));
    MessageFields {
        gfids: local.into_iter().chain(other).collect(),
        entries: vec![FailedEntry {
            gfid: local,
            secondary_gfid: other,
            path: path.map(Name::from),
            ..FailedEntry::default()
        }],
        ..MessageFields::default()
    }
}

pub(super) fn handle_gfid(message: &[u8]) -> Vec<Gfid> {
    let handle = memmem::find(message, b".glusterfs/").and_then(|at| message.get(at + 17..at + 53));
    let named =
        field(message, "gfid").or_else(|| between(message, "gfid: ", "").and_then(|g| g.get(..36)));
    handle
        .and_then(Gfid::from_text)
        .or_else(|| named.and_then(Gfid::from_text))
        .into_iter()
        .collect()
}
