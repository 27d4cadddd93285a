//! One file of changelogs or rollovers, filtered, item by item.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use regex::bytes::{Regex, RegexBuilder};

use super::history::{Damaged, gfid_at};
use super::{ChangelogsError, name_of, read_from, read_htime};
use crate::domain::{Fop, Gfid, Name, Time};
use crate::format::changelog::{Change, Damage, Fault, Item, Place, Record};
use crate::format::htime;
use crate::format::htime::Rollover;

/// Which records are wanted; an empty list wants all.
#[derive(Clone, Default, Debug)]
pub struct ShowOptions {
    /// Records of these objects.
    pub gfids: Vec<Gfid>,
    /// Records of these names: a basename, `<parent gfid>/<name>`, or a deleted path.
    pub paths: Vec<Vec<u8>>,
    /// Records with a name, or a deleted path, that this matches.
    pub matching: Option<NamePattern>,
    /// Records of these operations.
    pub ops: Vec<Op>,
    /// Slices that ended then or later.
    pub since: Option<Time>,
    /// Slices that ended then or earlier; the file still written to has no end.
    pub until: Option<Time>,
}

/// A regular expression over the bytes of names; matching takes time linear in the name.
#[derive(Clone, Debug)]
pub struct NamePattern(Regex);

impl NamePattern {
    fn is_in(&self, change: &Change<'_>) -> bool {
        let deleted = change.entry().and_then(|entry| entry.path.as_deref());
        change.places().any(|place| self.0.is_match(&place.name))
            || deleted.is_some_and(|path| self.0.is_match(path))
    }
}

impl FromStr for NamePattern {
    type Err = regex::Error;

    /// Compiles a pattern; `.` is any byte, for names may hold line breaks and need not be UTF-8.
    fn from_str(text: &str) -> Result<Self, regex::Error> {
        let mut builder = RegexBuilder::new(text);
        builder.unicode(false).dot_matches_new_line(true).size_limit(1 << 20).build().map(Self)
    }
}

/// An operation, or all of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// One operation.
    Fop(Fop),
    /// All of a kind, by the record's letter: D, E or M.
    Kind(&'static str),
}

impl FromStr for Op {
    type Err = String;

    /// Reads `RENAME` in any case, `E` or `ENTRY`, `D` or `DATA`, `M` or `METADATA`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_uppercase().as_str() {
            "E" | "ENTRY" => Ok(Self::Kind("E")),
            "D" | "DATA" => Ok(Self::Kind("D")),
            "M" | "META" | "METADATA" => Ok(Self::Kind("M")),
            name => Fop::from_name(name.as_bytes())
                .map(Self::Fop)
                .ok_or_else(|| "expected an operation such as RENAME, or E, D or M".to_owned()),
        }
    }
}

/// What the place and name of a file tell about its records.
#[derive(Clone, Debug)]
pub struct About {
    /// The end of its slice, by its name.
    pub time: Option<Time>,
    /// The brick it is on.
    pub brick: Option<Name>,
    /// Its base name.
    pub file: Name,
    /// Its path, as given.
    pub source: Name,
}

/// An item of a file.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// A record of a changelog.
    Record(&'a Record<'a>),
    /// A rollover of an HTIME.
    Rollover(&'a Rollover<'a>),
    /// Bytes that are neither.
    Damage(&'a Damaged),
}

/// Hands every wanted item of a file to `each`, until it answers `false`; of a tar archive as
/// libgfchangelog and gsyncd keep in `.processed` (`archive_<YYYYMM>.tar`), every member's.
///
/// # Errors
/// [`ChangelogsError::Unreadable`] if the file cannot be read.
pub fn show(
    path: &Path,
    wish: &ShowOptions,
    mut each: impl FnMut(&About, Shown<'_>) -> bool,
) -> Result<(), ChangelogsError> {
    let outcome = match Container::of(path) {
        Ok(Container::Archive) => members(path, wish, &mut each),
        Ok(Container::Htime) => rollovers(path, wish, &mut each),
        Ok(Container::Changelog) => File::open(path).and_then(|file| {
            let size = file.metadata()?.len();
            changelog(&About::of(path), path, wish, (file, size), &mut each).map(|_| ())
        }),
        Err(error) => Err(error),
    };
    outcome.map_err(|source| ChangelogsError::unreadable(path, source))
}

fn flow(wanted: bool) -> ControlFlow<()> {
    if wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

fn rollovers(
    path: &Path,
    wish: &ShowOptions,
    each: &mut impl FnMut(&About, Shown<'_>) -> bool,
) -> io::Result<()> {
    let about = About::of(path);
    read_htime(path, |item| match item {
        htime::Item::Rollover(rollover) => {
            let time = Some(Time::from_secs(rollover.time.into()));
            flow(!wish.spans(time) || each(&about, Shown::Rollover(rollover)))
        }
        htime::Item::Damage { offset, length } => {
            flow(each(&about, Shown::Damage(&damaged(path, *offset, *length, false))))
        }
        htime::Item::Torn { offset, length } => {
            flow(each(&about, Shown::Damage(&damaged(path, *offset, *length, true))))
        }
    })
}

/// Shows one changelog, given with a guess of its length; answers whether more is wanted.
fn changelog(
    about: &About,
    path: &Path,
    wish: &ShowOptions,
    (source, size): (impl Read, u64),
    each: &mut impl FnMut(&About, Shown<'_>) -> bool,
) -> io::Result<bool> {
    let sought: Vec<_> =
        wish.paths.iter().map(|path| Sought::new(path, about.brick.as_ref())).collect();
    let in_time = wish.spans(about.time);
    let mut go_on = true;
    read_from(source, size, |item| {
        go_on = match item {
            Item::Record(record) if in_time && wish.wants(record, &sought) => {
                each(about, Shown::Record(record))
            }
            Item::Record(_) => true,
            Item::Damage(damage) | Item::Torn(damage) => {
                let torn = matches!(item, Item::Torn(_));
                let damaged = Damaged { file: path.to_owned(), damage: *damage, torn };
                each(about, Shown::Damage(&damaged))
            }
        };
        flow(go_on)
    })?;
    Ok(go_on)
}

/// Shows the changelogs in an archive. Only its headers are believed, and no extension of the
/// format: a member that claims to be sparse, or a name of gigabytes, costs nothing.
fn members(
    path: &Path,
    wish: &ShowOptions,
    each: &mut impl FnMut(&About, Shown<'_>) -> bool,
) -> io::Result<()> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut archive = tar::Archive::new(file);
    let mut end = 0;
    for member in archive.entries()?.raw(true) {
        let Ok(member) = member else {
            let about = About::of(path);
            each(&about, Shown::Damage(&damaged(path, end, size.saturating_sub(end), true)));
            return Ok(());
        };
        let length = member.size();
        end = member.raw_file_position().saturating_add(length.div_ceil(512).saturating_mul(512));
        let name = member.path_bytes().into_owned();
        let inside =
            path.join(OsStr::from_bytes(name.rsplit(|b| *b == b'/').next().unwrap_or(b"")));
        if !member.header().entry_type().is_file() {
            continue;
        }
        let about = About::of(&inside);
        let kept = length.min(size);
        if !changelog(&about, &inside, wish, (member, kept), each)? {
            return Ok(());
        }
        if end > size.next_multiple_of(512) {
            each(&about, Shown::Damage(&damaged(path, size, 0, true)));
            return Ok(());
        }
    }
    Ok(())
}

/// What a file is, as far as reading it goes.
enum Container {
    Changelog,
    Htime,
    Archive,
}

impl Container {
    /// An HTIME by its name, or by its first byte: no changelog begins with a slash. An archive by
    /// the mark in its first header.
    fn of(path: &Path) -> io::Result<Self> {
        let mut head = Vec::with_capacity(512);
        File::open(path)?.take(512).read_to_end(&mut head)?;
        let named =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"HTIME."));
        Ok(if named || head.starts_with(b"/") {
            Self::Htime
        } else if head.get(257..262) == Some(b"ustar") {
            Self::Archive
        } else {
            Self::Changelog
        })
    }
}

fn damaged(path: &Path, offset: u64, length: u64, torn: bool) -> Damaged {
    let fault = if torn { Fault::Short } else { Fault::Name };
    Damaged { file: path.to_owned(), damage: Damage { offset, length, fault }, torn }
}

impl About {
    fn of(path: &Path) -> Self {
        let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let brick = full.ancestors().find(|folder| folder.ends_with(".glusterfs/changelogs"));
        let brick = brick.and_then(Path::parent).and_then(Path::parent).map(Path::to_path_buf);
        let file = name_of(Path::new(path.file_name().unwrap_or(path.as_os_str())));
        let plain = file.as_bytes().strip_prefix(b"XSYNC-").unwrap_or(file.as_bytes());
        let time = htime::slice_of(plain).map(|(end, _)| Time::from_secs(end.into()));
        Self {
            time,
            brick: brick.as_deref().map(name_of),
            source: name_of(&PathBuf::from(path)),
            file,
        }
    }
}

impl ShowOptions {
    fn spans(&self, time: Option<Time>) -> bool {
        match time {
            Some(time) => {
                self.since.is_none_or(|since| time >= since)
                    && self.until.is_none_or(|until| time <= until)
            }
            None => self.until.is_none(),
        }
    }

    fn wants(&self, record: &Record<'_>, sought: &[Sought<'_>]) -> bool {
        let op = |op: &Op| match op {
            Op::Fop(fop) => record.change.fop() == Some(*fop),
            Op::Kind(letter) => record.change.letter() == *letter,
        };
        (self.gfids.is_empty() || self.gfids.contains(&record.gfid))
            && (self.ops.is_empty() || self.ops.iter().any(op))
            && self.matching.as_ref().is_none_or(|pattern| pattern.is_in(&record.change))
            && (sought.is_empty() || sought.iter().any(|sought| sought.is_in(&record.change)))
    }
}

/// A name or path to search for.
struct Sought<'a> {
    /// The whole path, without a leading slash.
    path: &'a [u8],
    name: &'a [u8],
    /// The directory; `None` for any.
    parent: Option<Gfid>,
    /// Whether only a deleted path can match: the directory is not known.
    lost: bool,
}

impl<'a> Sought<'a> {
    /// Parses a basename, `<parent gfid>/<name>`, or a path, whose directory is looked up on the brick.
    fn new(text: &'a [u8], brick: Option<&Name>) -> Self {
        let path = text.strip_prefix(b"/").unwrap_or(text);
        let bare = path.strip_prefix(b".gfid/").unwrap_or(path);
        let Some(at) = bare.iter().rposition(|&byte| byte == b'/') else {
            return Self { path, name: bare, parent: None, lost: false };
        };
        let (folder, name) = bare.split_at(at);
        let on_brick = || gfid_at(Path::new(brick?.as_os_str()), folder);
        let parent = Gfid::from_text(folder).or_else(on_brick);
        Self { path, name: name.get(1..).unwrap_or_default(), parent, lost: parent.is_none() }
    }

    /// Whether a record is about it, judged by the record alone.
    fn is_in(&self, change: &Change<'_>) -> bool {
        let here = |place: &Place<'_>| {
            *place.name == *self.name && self.parent.is_none_or(|parent| parent == place.parent)
        };
        let deleted = change.entry().and_then(|entry| entry.path.as_deref());
        deleted == Some(self.path) || (!self.lost && change.places().any(here))
    }
}
