//! Records to bytes, exactly as bricks write them: for tests and benches.

use std::io::Write as _;

use super::{Change, Encoding, Entry, Form, Owner, Place, Record, Version};
use crate::domain::{Fop, Gfid};

/// Appends a record in this form; the file's header comes from [`Form::header`].
pub fn encode(record: &Record<'_>, form: Form, out: &mut Vec<u8>) {
    match form.encoding {
        Encoding::Text => line(record, out),
        Encoding::Ascii => fields(record, form.version, &Ascii, out),
        Encoding::Binary => fields(record, form.version, &Binary, out),
    }
}

impl Form {
    /// The line a file of this form begins with; nothing for text.
    #[must_use]
    pub fn header(self) -> String {
        let encoding = match self.encoding {
            Encoding::Text => return String::new(),
            Encoding::Binary => 1,
            Encoding::Ascii => 2,
        };
        let minor = if self.version == Version::V1_1 { 1 } else { 2 };
        format!("GlusterFS Changelog | version: v1.{minor} | encoding : {encoding}\n")
    }
}

trait Fields {
    fn gfid(&self, gfid: Gfid, out: &mut Vec<u8>);
    fn number(&self, number: u32, out: &mut Vec<u8>);
}

struct Ascii;
struct Binary;

impl Fields for Ascii {
    fn gfid(&self, gfid: Gfid, out: &mut Vec<u8>) {
        let _ = write!(out, "{gfid}");
    }
    fn number(&self, number: u32, out: &mut Vec<u8>) {
        let _ = write!(out, "{number}");
    }
}

impl Fields for Binary {
    fn gfid(&self, gfid: Gfid, out: &mut Vec<u8>) {
        out.extend_from_slice(gfid.as_bytes());
    }
    fn number(&self, number: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Every further field is preceded by a NUL, the record ended by one.
fn fields(record: &Record<'_>, version: Version, form: &impl Fields, out: &mut Vec<u8>) {
    out.extend_from_slice(record.change.letter().as_bytes());
    form.gfid(record.gfid, out);
    let number = |number: u32, out: &mut Vec<u8>| {
        out.push(0);
        form.number(number, out);
    };
    let place = |place: &Place<'_>, out: &mut Vec<u8>| {
        out.push(0);
        form.gfid(place.parent, out);
        out.push(b'/');
        out.extend_from_slice(&place.name);
    };
    match &record.change {
        Change::Data => {}
        Change::Metadata { fop, .. } => number(fop.0, out),
        Change::Entry(entry) => {
            number(entry.fop.0, out);
            if let Some(Owner { mode, uid, gid }) = entry.owner {
                for field in [mode, uid, gid] {
                    number(field, out);
                }
            }
            place(&entry.place, out);
            if let Some(to) = &entry.to {
                place(to, out);
            }
            if version == Version::V1_2 && matches!(entry.fop, Fop::UNLINK | Fop::RMDIR) {
                out.push(0);
                out.extend_from_slice(entry.path.as_deref().unwrap_or(b"\0"));
            }
        }
    }
    out.push(0);
}

fn line(record: &Record<'_>, out: &mut Vec<u8>) {
    let _ = write!(out, "{} {}", record.change.letter(), record.gfid);
    match &record.change {
        Change::Data => {}
        Change::Metadata { fop, owner: None } => {
            let _ = write!(out, " {fop}");
        }
        Change::Metadata { fop, owner: Some(Owner { mode, uid, gid }) } => {
            let _ = write!(out, " {fop} {uid} {gid} {mode} 0.0 0.0");
        }
        Change::Entry(Entry { fop, owner, place, to, path }) => {
            let _ = write!(out, " {fop}");
            if let Some(Owner { mode, uid, gid }) = owner {
                let _ = write!(out, " {mode} {uid} {gid}");
            }
            for Place { parent, name } in [Some(place), to.as_deref()].into_iter().flatten() {
                let _ = write!(out, " {parent}/");
                escaped(name, out);
            }
            if let Some(path) = path {
                out.push(b' ');
                escaped(path, out);
            }
        }
    }
    out.push(b'\n');
}

/// As libgfchangelog escapes since 3.12: blank, line feed and the percent sign itself.
fn escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b' ' => out.extend_from_slice(b"%20"),
            b'\n' => out.extend_from_slice(b"%0A"),
            b'%' => out.extend_from_slice(b"%25"),
            byte => out.push(byte),
        }
    }
}
