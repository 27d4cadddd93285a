//! Records as lines: what libgfchangelog hands to gsyncd, and what gsyncd's xsync crawl writes.

use std::borrow::Cow;

use super::record::Fields;
use super::{Fault, LONGEST_FIELD, Owner, Parsed, Place, record};
use crate::domain::{Fop, Gfid, hex};

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
    let mut fields = Text { rest: window.get(2..end).unwrap_or_default() };
    let (gfid, change) = record::record(letter, &mut fields)?;
    if fields.rest.is_empty() { Ok((gfid, change, end + 1)) } else { Err(Fault::Separator) }
}

struct Text<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> for Text<'a> {
    fn gfid(&mut self) -> Result<Gfid, Fault> {
        Gfid::from_text(self.next()).ok_or(Fault::Gfid)
    }

    fn fop(&mut self) -> Result<Fop, Fault> {
        let name = self.next();
        let numbered = || {
            let number = std::str::from_utf8(name).ok()?.strip_prefix("FOP_")?.parse().ok()?;
            Some(Fop(number))
        };
        Fop::from_name(name).or_else(numbered).ok_or(Fault::Fop)
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

    fn deleted_path(&mut self) -> Result<Option<Cow<'a, [u8]>>, Fault> {
        if self.rest.is_empty() { Ok(None) } else { unescaped(self.next()).map(Some) }
    }

    /// Behind SETATTR xsync writes `uid gid mode atime mtime`.
    fn owner(&mut self) -> Result<Option<Owner>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (uid, gid, mode) = (self.number()?, self.number()?, self.number()?);
        self.rest = &[];
        Ok(Some(Owner { mode, uid, gid }))
    }
}

impl<'a> Text<'a> {
    fn next(&mut self) -> &'a [u8] {
        let end = memchr::memchr(b' ', self.rest).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        field
    }
}

/// Decodes `%XX`; borrowed if nothing is escaped.
fn unescaped(text: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
    if memchr::memchr(b'%', text).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escape = if byte == b'%' { tail.split_first_chunk::<2>() } else { None };
        match escape.and_then(|(digits, tail)| Some((hex::byte_of(*digits)?, tail))) {
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
