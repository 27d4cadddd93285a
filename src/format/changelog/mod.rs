//! Changelogs: what every brick records about each change, in every form it is written in.
//!
//! A brick writes `CHANGELOG.<time>` in ASCII or binary ([`Encoding`]), version 1.1 or 1.2
//! (glusterfs `changelog-encoders.c`); libgfchangelog turns it into lines of text for gsyncd
//! (`gf-changelog-journal-handler.c`), and gsyncd's hybrid crawl writes the same lines into
//! `XSYNC-CHANGELOG.<time>`. Names are bytes in all of them. [`records`] reads a slice,
//! [`Decoder`] a file of any size window by window; neither copies names unless the text form
//! has them escaped.

mod ascii;
mod binary;
mod encode;
mod record;
mod resync;
mod text;

use std::borrow::Cow;
use std::fmt;

use crate::domain::{Fop, Gfid};
use resync::Search;

pub use encode::encode;

/// How the records of a file are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// `changelog.encoding binary` (1): gfids and numbers raw, fields apart by NUL.
    Binary,
    /// `changelog.encoding ascii` (2), the default: gfids and numbers as text, fields apart by NUL.
    Ascii,
    /// Lines with blanks between fields and names percent-escaped: libgfchangelog's and xsync's.
    Text,
}

/// The version in the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// `GlusterFS` 3.5 and 3.6.
    V1_1,
    /// `GlusterFS` 3.7 and later: UNLINK and RMDIR carry the deleted path or its absence.
    V1_2,
}

/// Everything a reader must know to read the records of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    /// The version in the header; 1.2 for text, which has none.
    pub version: Version,
    /// How records are written.
    pub encoding: Encoding,
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// Where it begins in the file, in bytes.
    pub offset: u64,
    /// The object that was changed.
    pub gfid: Gfid,
    /// What happened to it.
    pub change: Change<'a>,
}

/// What happened to an object.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Change<'a> {
    /// D: its content changed, at least once in the slice.
    Data,
    /// M: owner, mode, times or xattrs changed, once a slice and kind.
    Metadata {
        /// The first operation of its kind in the slice.
        fop: Fop,
        /// What xsync wrote beside a SETATTR; changelogs of bricks never have it.
        owner: Option<Owner>,
    },
    /// E: a name was made, moved or removed.
    Entry(Entry<'a>),
}

/// The content of an E record.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry<'a> {
    /// CREATE, MKNOD, MKDIR, SYMLINK, LINK, RENAME, UNLINK or RMDIR.
    pub fop: Fop,
    /// For CREATE, MKNOD and MKDIR: mode and owner as the caller gave them.
    pub owner: Option<Owner>,
    /// The name; for RENAME the old one.
    pub place: Place<'a>,
    /// For RENAME the new name; boxed, so that the many records without one are small.
    pub to: Option<Box<Place<'a>>>,
    /// The path below the volume's root that an UNLINK or RMDIR removed, without a leading slash;
    /// only with `changelog.capture-del-path on`.
    pub path: Option<Cow<'a, [u8]>>,
}

/// Mode and owner of a new object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Owner {
    /// Type and permission bits. Bricks may sign-extend it: only the low 16 bits mean something.
    pub mode: u32,
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

impl Record<'_> {
    /// The record with names of its own.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        let change = match self.change {
            Change::Data => Change::Data,
            Change::Metadata { fop, owner } => Change::Metadata { fop, owner },
            Change::Entry(Entry { fop, owner, place, to, path }) => Change::Entry(Entry {
                fop,
                owner,
                place: place.into_owned(),
                to: to.map(|to| Box::new(to.into_owned())),
                path: path.map(|path| Cow::Owned(path.into_owned())),
            }),
        };
        Record { offset: self.offset, gfid: self.gfid, change }
    }
}

impl Change<'_> {
    /// The letter a record of it begins with: D, E or M.
    #[must_use]
    pub fn letter(&self) -> &'static str {
        match self {
            Self::Data => "D",
            Self::Metadata { .. } => "M",
            Self::Entry(_) => "E",
        }
    }

    /// The operation; a D record has none.
    #[must_use]
    pub fn fop(&self) -> Option<Fop> {
        match self {
            Self::Data => None,
            Self::Metadata { fop, .. } => Some(*fop),
            Self::Entry(entry) => Some(entry.fop),
        }
    }

    /// The content, for an E record.
    #[must_use]
    pub fn entry(&self) -> Option<&Entry<'_>> {
        match self {
            Self::Entry(entry) => Some(entry),
            _ => None,
        }
    }

    /// The names an E record touches: the old one, and for RENAME the new one.
    pub fn places(&self) -> impl Iterator<Item = &Place<'_>> {
        self.entry()
            .into_iter()
            .flat_map(|entry| std::iter::once(&entry.place).chain(entry.to.as_deref()))
    }
}

impl Place<'_> {
    fn into_owned(self) -> Place<'static> {
        Place { parent: self.parent, name: Cow::Owned(self.name.into_owned()) }
    }
}

/// A name in a directory, borrowed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place<'a> {
    /// The directory.
    pub parent: Gfid,
    /// The basename: any bytes but NUL and `/`.
    pub name: Cow<'a, [u8]>,
}

/// What a reader meets in a changelog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item<'a> {
    /// A sound record.
    Record(Record<'a>),
    /// Bytes that are not a record; reading continues after them.
    Damage(Damage),
    /// The file ends in the middle of a record.
    Torn(Damage),
}

/// Bytes that are not a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Where they begin in the file.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
    /// What is wrong with the first of them.
    pub fault: Fault,
}

/// Why bytes are not a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The bytes end first.
    #[error("ends in the middle")]
    Short,
    /// The file does not begin as a changelog does.
    #[error("no changelog header")]
    Header,
    /// A version other than 1.1 and 1.2, or an encoding other than 1 and 2.
    #[error("unknown version or encoding")]
    Unknown,
    /// A record begins with D, E or M.
    #[error("no record begins so")]
    Letter,
    /// There is no gfid where one should be.
    #[error("bad gfid")]
    Gfid,
    /// There is something else where a field should end.
    #[error("bad separator")]
    Separator,
    /// No operation that changelogs hold, or none at all.
    #[error("bad operation number")]
    Fop,
    /// No decimal number of 32 bits.
    #[error("bad number")]
    Number,
    /// A name that cannot be one.
    #[error("bad name")]
    Name,
}

/// A record's parts and its length in bytes, or why there is none.
type Parsed<'a> = Result<(Gfid, Change<'a>, usize), Fault>;

/// No name or path on a brick is longer; a longer field means a lost separator.
const LONGEST_FIELD: usize = 4200;

const MAGIC: &[u8] = b"GlusterFS Changelog | version: v";

impl Form {
    /// Parses the header line; also returns the header's length.
    ///
    /// # Errors
    /// [`Fault::Short`] if the line is cut, [`Fault::Unknown`] for a version or encoding that
    /// no release writes, [`Fault::Header`] for anything else.
    pub fn of_header(bytes: &[u8]) -> Result<(Self, usize), Fault> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err(if MAGIC.starts_with(bytes) { Fault::Short } else { Fault::Header });
        };
        let window = rest.get(..32).unwrap_or(rest);
        let Some(end) = memchr::memchr(b'\n', window) else {
            return Err(if rest.len() < 32 { Fault::Short } else { Fault::Header });
        };
        let line = window.get(..end).unwrap_or_default();
        let (version, encoding) = match line {
            b"1.1 | encoding : 1" => (Version::V1_1, Encoding::Binary),
            b"1.1 | encoding : 2" => (Version::V1_1, Encoding::Ascii),
            b"1.2 | encoding : 1" => (Version::V1_2, Encoding::Binary),
            b"1.2 | encoding : 2" => (Version::V1_2, Encoding::Ascii),
            _ => return Err(Fault::Unknown),
        };
        Ok((Self { version, encoding }, MAGIC.len() + end + 1))
    }

    /// Reads the record at the start of the bytes.
    #[expect(
        clippy::inline_always,
        reason = "else every record is copied twice: a fifth of the time"
    )]
    #[inline(always)]
    fn record(self, bytes: &[u8]) -> Parsed<'_> {
        match self.encoding {
            Encoding::Ascii => ascii::record(bytes, self.version),
            Encoding::Binary => binary::record(bytes, self.version),
            Encoding::Text => text::record(bytes),
        }
    }
}

/// Text has no header; it begins with its first record.
const TEXT: Form = Form { version: Version::V1_2, encoding: Encoding::Text };

/// Reads a changelog that is wholly in memory.
///
/// ```
/// use georepair::format::changelog::{Item, records};
/// let file = b"GlusterFS Changelog | version: v1.2 | encoding : 2\n\
///              D00000000-0000-0000-0000-000000000001\0";
/// assert!(matches!(records(file).next(), Some(Item::Record(record)) if record.offset == 51));
/// ```
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let mut reader = Decoder::default();
    let mut at = 0;
    std::iter::from_fn(move || reader.next(bytes, &mut at, true))
}

/// Reads a changelog of any size, window by window; memory is the window's.
#[derive(Clone, Default, Debug)]
pub struct Decoder {
    form: Option<Form>,
    /// Where the window begins in the file.
    base: u64,
    /// Where damage began whose end is not found yet.
    damage: Option<(u64, Fault)>,
}

impl Decoder {
    /// The form of the file, once its header has been read.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// The next item of the window from `at`, which moves on; `None` when more bytes are needed,
    /// or at the end of the `last` window. Then drop what lies before `at` with
    /// [`Decoder::drop_front`], append to the window, and go on.
    pub fn next<'a>(&mut self, window: &'a [u8], at: &mut usize, last: bool) -> Option<Item<'a>> {
        loop {
            if let Some((start, fault)) = self.damage {
                return self.resync(window, at, last, Damage { offset: start, length: 0, fault });
            }
            let rest = window.get(*at..).unwrap_or_default();
            let Some(form) = self.form else {
                match self.begin(rest) {
                    Ok(length) => *at += length,
                    Err(Fault::Short) if !last => return None,
                    Err(fault) => self.damage = Some((self.base + as_u64(*at), fault)),
                }
                continue;
            };
            let fault = match form.record(rest) {
                Ok((gfid, change, length)) => {
                    let offset = self.base + as_u64(*at);
                    *at += length;
                    return Some(Item::Record(Record { offset, gfid, change }));
                }
                Err(_) if rest.is_empty() => return None,
                Err(Fault::Short) if !last => return None,
                Err(Fault::Letter) if rest.starts_with(b"G") => match Form::of_header(rest) {
                    // A second header: two files put together, or a brick that went down hard.
                    Ok((form, length)) => {
                        self.form = Some(form);
                        *at += length;
                        continue;
                    }
                    Err(Fault::Short) if !last => return None,
                    Err(fault) => fault,
                },
                Err(fault) => fault,
            };
            self.damage = Some((self.base + as_u64(*at), fault));
        }
    }

    /// Notes that the first `length` bytes of the window were dropped.
    pub fn drop_front(&mut self, length: usize) {
        self.base += as_u64(length);
    }

    /// Learns the form from the start of the file; answers with the header's length.
    fn begin(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let fault = match Form::of_header(bytes) {
            Ok((form, length)) => {
                self.form = Some(form);
                return Ok(length);
            }
            Err(fault) => fault,
        };
        if fault == Fault::Header {
            match text::record(bytes) {
                Ok(_) => {
                    self.form = Some(TEXT);
                    return Ok(0);
                }
                Err(Fault::Short) => return Err(Fault::Short),
                Err(_) => {}
            }
        }
        Err(fault)
    }

    /// Looks for the end of the damage.
    fn resync<'a>(
        &mut self,
        window: &'a [u8],
        at: &mut usize,
        last: bool,
        mut damage: Damage,
    ) -> Option<Item<'a>> {
        let past_first = usize::from(damage.offset == self.base + as_u64(*at));
        // What looks like a record inside a cut one is its name.
        let torn = damage.fault == Fault::Short;
        let found = if torn {
            Search::None
        } else {
            resync::find(window, *at + past_first, self.form, last)
        };
        match found {
            Search::Found(form, start) => {
                self.form = Some(form);
                self.damage = None;
                *at = start;
                damage.length = self.base + as_u64(start) - damage.offset;
                return Some(Item::Damage(damage));
            }
            Search::Open(start) => {
                *at = start;
                return None;
            }
            Search::None if !last => {
                *at = window.len();
                return None;
            }
            Search::None => {}
        }
        *at = window.len();
        self.damage = None;
        self.form = self.form.or(Some(TEXT));
        damage.length = self.base + as_u64(window.len()) - damage.offset;
        Some(if torn { Item::Torn(damage) } else { Item::Damage(damage) })
    }
}

fn as_u64(length: usize) -> u64 {
    length as u64
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.encoding, self.version) {
            (Encoding::Text, _) => "text",
            (Encoding::Ascii, Version::V1_1) => "v1.1 ascii",
            (Encoding::Ascii, Version::V1_2) => "v1.2 ascii",
            (Encoding::Binary, Version::V1_1) => "v1.1 binary",
            (Encoding::Binary, Version::V1_2) => "v1.2 binary",
        })
    }
}

#[cfg(test)]
mod tests;
