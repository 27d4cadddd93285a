//! Records in binary: gfids as 16 raw bytes, numbers as little-endian u32, NUL between fields.

use std::borrow::Cow;

use super::ascii::{deleted_path, name};
use super::record::Fields;
use super::{Fault, Owner, Parsed, Place, Version, record};
use crate::domain::{Fop, Gfid};

/// Reads the record at the start of the bytes (`changelog_encode_binary`).
///
/// Numbers are in the byte order of the brick's machine; only little-endian bricks are read.
#[inline]
pub(super) fn record(bytes: &[u8], version: Version) -> Parsed<'_> {
    let (&letter, rest) = bytes.split_first().ok_or(Fault::Short)?;
    if !matches!(letter, b'D' | b'E' | b'M') {
        return Err(Fault::Letter);
    }
    let mut fields = Binary { rest, version };
    let (gfid, change) = record::record(letter, &mut fields)?;
    Ok((gfid, change, bytes.len() - fields.rest.len()))
}

struct Binary<'a> {
    rest: &'a [u8],
    version: Version,
}

impl<'a> Fields<'a> for Binary<'a> {
    #[inline]
    fn gfid(&mut self) -> Result<Gfid, Fault> {
        self.raw(0).map(Gfid::from_bytes)
    }

    /// An operation; a number that no release knows would be a wrong guess at where records begin.
    #[inline]
    fn fop(&mut self) -> Result<Fop, Fault> {
        let fop = Fop(self.number()?);
        fop.name().map(|_| fop).ok_or(Fault::Fop)
    }

    #[inline]
    fn number(&mut self) -> Result<u32, Fault> {
        self.raw(0).map(u32::from_le_bytes)
    }

    #[inline]
    fn place(&mut self) -> Result<Place<'a>, Fault> {
        let parent = self.raw(b'/').map(Gfid::from_bytes)?;
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

impl Binary<'_> {
    /// So many raw bytes and the one that ends them.
    #[inline]
    fn raw<const LENGTH: usize>(&mut self, end: u8) -> Result<[u8; LENGTH], Fault> {
        let (raw, rest) = self.rest.split_first_chunk().ok_or(Fault::Short)?;
        let (separator, rest) = rest.split_first().ok_or(Fault::Short)?;
        if *separator != end {
            return Err(Fault::Separator);
        }
        self.rest = rest;
        Ok(*raw)
    }
}
