//! Records in ASCII: text fields apart by NUL, no line ends.

use std::borrow::Cow;

use super::record::Fields;
use super::{Fault, LONGEST_FIELD, Owner, Parsed, Place, Version, record};
use crate::domain::{Fop, Gfid};

/// Reads the record at the start of the bytes (`changelog_encode_ascii`).
#[expect(clippy::inline_always, reason = "else every record is copied once more")]
#[inline(always)]
pub(super) fn record(bytes: &[u8], version: Version) -> Parsed<'_> {
    let (&letter, rest) = bytes.split_first().ok_or(Fault::Short)?;
    if !matches!(letter, b'D' | b'E' | b'M') {
        return Err(Fault::Letter);
    }
    let mut fields = Ascii { rest, version };
    let (gfid, change) = record::record(letter, &mut fields)?;
    Ok((gfid, change, bytes.len() - fields.rest.len()))
}

struct Ascii<'a> {
    rest: &'a [u8],
    version: Version,
}

impl<'a> Fields<'a> for Ascii<'a> {
    #[inline]
    fn gfid(&mut self) -> Result<Gfid, Fault> {
        self.gfid_before(0)
    }

    #[inline]
    fn fop(&mut self) -> Result<Fop, Fault> {
        self.decimal(Fault::Fop).map(Fop)
    }

    #[inline]
    fn number(&mut self) -> Result<u32, Fault> {
        self.decimal(Fault::Number)
    }

    /// `<parent>/<name>` and the NUL behind it.
    #[inline]
    fn place(&mut self) -> Result<Place<'a>, Fault> {
        let parent = self.gfid_before(b'/')?;
        Ok(Place { parent, name: Cow::Borrowed(name(&mut self.rest)?) })
    }

    #[inline]
    fn deleted_path(&mut self) -> Result<Option<Cow<'a, [u8]>>, Fault> {
        deleted_path(&mut self.rest, self.version)
    }

    #[inline]
    fn owner(&mut self) -> Result<Option<Owner>, Fault> {
        Ok(None)
    }
}

impl Ascii<'_> {
    /// A gfid's 36 characters and the byte that ends them.
    #[inline]
    fn gfid_before(&mut self, end: u8) -> Result<Gfid, Fault> {
        let Some((text, rest)) = self.rest.split_first_chunk::<37>() else {
            return Err(if could_be_gfid(self.rest) { Fault::Short } else { Fault::Gfid });
        };
        let [text @ .., separator] = text;
        // In this order, so that bytes that are not a gfid are reported as such first.
        let gfid = Gfid::from_text(text).ok_or(Fault::Gfid)?;
        self.rest = rest;
        if *separator == end { Ok(gfid) } else { Err(Fault::Separator) }
    }

    /// A decimal number and the NUL behind it.
    #[inline]
    fn decimal(&mut self, fault: Fault) -> Result<u32, Fault> {
        let mut value: u64 = 0;
        for (length, &byte) in self.rest.iter().enumerate() {
            match byte {
                b'0'..=b'9' if length < 10 => value = value * 10 + u64::from(byte - b'0'),
                0 if length > 0 => {
                    self.rest = self.rest.get(length + 1..).unwrap_or_default();
                    return u32::try_from(value).map_err(|_| fault);
                }
                _ => return Err(fault),
            }
        }
        Err(Fault::Short)
    }
}

/// Whether the bytes are the beginning of a gfid's text.
fn could_be_gfid(bytes: &[u8]) -> bool {
    bytes.iter().take(36).all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// A basename and the NUL behind it.
#[inline]
pub(super) fn name<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let window = rest.get(..LONGEST_FIELD).unwrap_or(rest);
    let end = memchr::memchr2(0, b'/', window).ok_or(if window.len() < LONGEST_FIELD {
        Fault::Short
    } else {
        Fault::Name
    })?;
    let (name, tail) = rest.split_at(end);
    let (&0, tail) = tail.split_first().ok_or(Fault::Short)? else { return Err(Fault::Name) };
    *rest = tail;
    Ok(name)
}

/// What v1.2 adds to UNLINK and RMDIR: the deleted path and its NUL. A path that was not captured is
/// two NULs, the field's own and one that `del_entry_fn` writes instead of a path.
pub(super) fn deleted_path<'a>(
    rest: &mut &'a [u8],
    version: Version,
) -> Result<Option<Cow<'a, [u8]>>, Fault> {
    if version == Version::V1_1 {
        return Ok(None);
    }
    let window = rest.get(..LONGEST_FIELD).unwrap_or(rest);
    let end = memchr::memchr(0, window).ok_or(if window.len() < LONGEST_FIELD {
        Fault::Short
    } else {
        Fault::Name
    })?;
    let (path, tail) = rest.split_at(end);
    let tail = tail.get(1..).unwrap_or_default();
    if !path.is_empty() {
        *rest = tail;
        return Ok(Some(Cow::Borrowed(path)));
    }
    let (&0, tail) = tail.split_first().ok_or(Fault::Short)? else {
        return Err(Fault::Separator);
    };
    *rest = tail;
    Ok(None)
}
