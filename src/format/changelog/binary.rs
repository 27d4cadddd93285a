//! Records in binary: gfids as 16 raw bytes, numbers as little-endian u32, NUL between fields.

use std::borrow::Cow;

use super::ascii::{deleted_path, name};
use super::{Change, Entry, Fault, Owner, Parsed, Place, Version};
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
    let mut fields = Fields { rest };
    let gfid = fields.gfid(0)?;
    let change = match letter {
        b'D' => Change::Data,
        b'M' => Change::Metadata { fop: fields.fop()?, owner: None },
        _ => Change::Entry(entry(&mut fields, version)?),
    };
    Ok((gfid, change, bytes.len() - fields.rest.len()))
}

#[inline]
fn entry<'a>(fields: &mut Fields<'a>, version: Version) -> Result<Entry<'a>, Fault> {
    let fop = fields.fop()?;
    let (mut owner, mut to, mut path) = (None, None, None);
    let place = match fop {
        Fop::CREATE | Fop::MKNOD | Fop::MKDIR => {
            let (mode, uid) = (fields.number()?, fields.number()?);
            owner = Some(Owner { mode, uid, gid: fields.number()? });
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
            if version == Version::V1_2 {
                path = deleted_path(&mut fields.rest)?;
            }
            place
        }
        _ => return Err(Fault::Fop),
    };
    Ok(Entry { fop, owner, place, to, path })
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    #[inline]
    fn gfid(&mut self, end: u8) -> Result<Gfid, Fault> {
        let (field, rest) = self.rest.split_first_chunk::<17>().ok_or(Fault::Short)?;
        let [raw @ .., separator] = *field;
        if separator != end {
            return Err(Fault::Separator);
        }
        self.rest = rest;
        Ok(Gfid::from_bytes(raw))
    }

    #[inline]
    fn number(&mut self) -> Result<u32, Fault> {
        let (field, rest) = self.rest.split_first_chunk::<5>().ok_or(Fault::Short)?;
        let [raw @ .., separator] = *field;
        if separator != 0 {
            return Err(Fault::Separator);
        }
        self.rest = rest;
        Ok(u32::from_le_bytes(raw))
    }

    /// An operation; a number that no release knows would be a wrong guess at where records begin.
    fn fop(&mut self) -> Result<Fop, Fault> {
        let fop = Fop(self.number()?);
        fop.name().map(|_| fop).ok_or(Fault::Fop)
    }

    #[inline]
    fn place(&mut self) -> Result<Place<'a>, Fault> {
        let parent = self.gfid(b'/')?;
        Ok(Place { parent, name: Cow::Borrowed(name(&mut self.rest)?) })
    }
}
