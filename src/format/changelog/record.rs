//! The grammar that all encodings share: which fields a record has, in which order.

use std::borrow::Cow;

use super::{Change, Entry, Fault, Owner, Place};
use crate::domain::{Fop, Gfid};

/// The fields of one record, read one after the other.
pub(super) trait Fields<'a> {
    /// The gfid of the object itself, and what ends it.
    fn gfid(&mut self) -> Result<Gfid, Fault>;
    /// An operation.
    fn fop(&mut self) -> Result<Fop, Fault>;
    /// A number.
    fn number(&mut self) -> Result<u32, Fault>;
    /// A name in its directory.
    fn place(&mut self) -> Result<Place<'a>, Fault>;
    /// The path that UNLINK and RMDIR end with, if this form has one.
    fn deleted_path(&mut self) -> Result<Option<Cow<'a, [u8]>>, Fault>;
    /// Owner and mode after a METADATA operation, if this form has them.
    fn owner(&mut self) -> Result<Option<Owner>, Fault>;
}

/// Reads what follows a record's letter.
#[expect(clippy::inline_always, reason = "else every record is copied once more")]
#[inline(always)]
pub(super) fn record<'a>(
    letter: u8,
    fields: &mut impl Fields<'a>,
) -> Result<(Gfid, Change<'a>), Fault> {
    let gfid = fields.gfid()?;
    let change = match letter {
        b'D' => Change::Data,
        b'M' => Change::Metadata { fop: fields.fop()?, owner: fields.owner()? },
        _ => Change::Entry(entry(fields)?),
    };
    Ok((gfid, change))
}

#[expect(clippy::inline_always, reason = "else every entry is copied once more")]
#[inline(always)]
fn entry<'a>(fields: &mut impl Fields<'a>) -> Result<Entry<'a>, Fault> {
    let fop = fields.fop()?;
    let (mut owner, mut to, mut path) = (None, None, None);
    if matches!(fop, Fop::CREATE | Fop::MKNOD | Fop::MKDIR) {
        let (mode, uid) = (fields.number()?, fields.number()?);
        owner = Some(Owner { mode, uid, gid: fields.number()? });
    } else if !matches!(fop, Fop::SYMLINK | Fop::LINK | Fop::RENAME | Fop::UNLINK | Fop::RMDIR) {
        return Err(Fault::Fop);
    }
    let place = fields.place()?;
    match fop {
        Fop::RENAME => to = Some(Box::new(fields.place()?)),
        Fop::UNLINK | Fop::RMDIR => path = fields.deleted_path()?,
        _ => {}
    }
    Ok(Entry { fop, owner, place, to, path })
}
