//! Records as lines: what libgfchangelog hands to gsyncd, and what gsyncd's xsync crawl writes.

use std::borrow::Cow;

use super::{Change, Entry, Fault, LONGEST_FIELD, Owner, Parsed, Place};
use crate::domain::{Fop, Gfid};

/// Reads the line at the start of the bytes.
///
/// Names are percent-escaped: all of RFC 3986 up to 3.11, blank, line feed and `%` since; undoing
/// every `%XX` is right for both.
pub(super) fn record(bytes: &[u8]) -> Parsed<'_> {
    let (&letter, _) = bytes.split_first().ok_or(Fault::Short)?;
    if !matches!(letter, b'D' | b'E' | b'M') {
        return Err(Fault::Letter);
    }
    if bytes.get(1).is_some_and(|&byte| byte != b' ') {
        return Err(Fault::Separator);
    }
    let window = bytes.get(..6 * LONGEST_FIELD).unwrap_or(bytes);
    let end = memchr::memchr(b'\n', window).ok_or(if window.len() < 6 * LONGEST_FIELD {
        Fault::Short
    } else {
        Fault::Separator
    })?;
    let mut fields = Fields { rest: window.get(2..end).unwrap_or_default() };
    let gfid = Gfid::from_text(fields.next()).ok_or(Fault::Gfid)?;
    let change = match letter {
        b'D' => Change::Data,
        b'M' => metadata(&mut fields)?,
        _ => Change::Entry(entry(&mut fields)?),
    };
    if fields.rest.is_empty() { Ok((gfid, change, end + 1)) } else { Err(Fault::Separator) }
}

/// `M <gfid> SETATTR`; xsync adds `uid gid mode atime mtime`.
fn metadata<'a>(fields: &mut Fields<'a>) -> Result<Change<'a>, Fault> {
    let fop = fop(fields)?;
    if fields.rest.is_empty() {
        return Ok(Change::Metadata { fop, owner: None });
    }
    let (uid, gid, mode) = (fields.number()?, fields.number()?, fields.number()?);
    fields.rest = &[];
    Ok(Change::Metadata { fop, owner: Some(Owner { mode, uid, gid }) })
}

fn entry<'a>(fields: &mut Fields<'a>) -> Result<Entry<'a>, Fault> {
    let fop = fop(fields)?;
    let (mut owner, mut to, mut path) = (None, None, None);
    let place = match fop {
        Fop::CREATE | Fop::MKNOD | Fop::MKDIR => {
            let (mode, uid, gid) = (fields.number()?, fields.number()?, fields.number()?);
            owner = Some(Owner { mode, uid, gid });
            fields.place()?
        }
        Fop::SYMLINK | Fop::LINK => fields.place()?,
        Fop::RENAME => {
            let place = fields.place()?;
            to = Some(fields.place()?);
            place
        }
        Fop::UNLINK | Fop::RMDIR => {
            let place = fields.place()?;
            if !fields.rest.is_empty() {
                path = Some(unescaped(fields.next())?);
            }
            place
        }
        _ => return Err(Fault::Fop),
    };
    Ok(Entry { fop, owner, place, to, path })
}

fn fop(fields: &mut Fields<'_>) -> Result<Fop, Fault> {
    let name = fields.next();
    let numbered = || {
        let number = std::str::from_utf8(name).ok()?.strip_prefix("FOP_")?.parse().ok()?;
        Some(Fop(number))
    };
    Fop::from_name(name).or_else(numbered).ok_or(Fault::Fop)
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> &'a [u8] {
        let end = memchr::memchr(b' ', self.rest).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        field
    }

    fn number(&mut self) -> Result<u32, Fault> {
        let text = std::str::from_utf8(self.next()).map_err(|_| Fault::Number)?;
        text.parse().map_err(|_| Fault::Number)
    }

    fn place(&mut self) -> Result<Place<'a>, Fault> {
        let (parent, rest) = self.next().split_at_checked(36).ok_or(Fault::Name)?;
        let parent = Gfid::from_text(parent).ok_or(Fault::Gfid)?;
        let name = unescaped(rest.strip_prefix(b"/").ok_or(Fault::Name)?)?;
        if name.contains(&b'/') { Err(Fault::Name) } else { Ok(Place { parent, name }) }
    }
}

/// The bytes behind `%XX`; borrowed where nothing is escaped.
fn unescaped(text: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
    if memchr::memchr(b'%', text).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escape = if byte == b'%' { tail.split_first_chunk::<2>() } else { None };
        match escape.and_then(|(digits, tail)| Some((hex(*digits)?, tail))) {
            Some((0, _)) => return Err(Fault::Name),
            Some((plain, tail)) => {
                out.push(plain);
                rest = tail;
            }
            None => out.push(byte),
        }
    }
    Ok(Cow::Owned(out))
}

fn hex([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}
