//! `changelog show` and `history`: records one a line, aligned for people.

use std::fmt::{self, Display};
use std::io::{self, Write};

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Format, OutputStyle, Paint, PrintError, Record, Stream};
use crate::domain::{Gfid, Name, Time, counted, twin};
use crate::format::changelog;
use crate::format::changelog::{Change, Owner, Place};
use crate::scan::changelog::{Damaged, History, Reuse};

/// The document `georepair/changelog/1` on its way to standard output.
pub struct RecordList {
    stream: Stream<'static>,
    look: OutputStyle,
    count: u64,
    damage: Vec<Value>,
    omitted: u64,
    torn: bool,
}

/// How many damaged places are listed one by one; all are counted.
const DAMAGE_LISTED: usize = 1000;

/// One record, as it is shown.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The end of the record's slice; unknown in the file that is still written to.
    pub time: Option<Time>,
    /// The brick, where it is known.
    pub brick: Option<&'a Name>,
    /// Further bricks that recorded the same.
    pub also: Vec<&'a Name>,
    /// The file's base name.
    pub file: &'a Name,
    /// The file's path as it was read.
    pub source: &'a Name,
    /// The record.
    pub record: &'a changelog::Record<'a>,
    /// The path of its directory then.
    pub parent_path: Option<&'a Name>,
    /// The path of a RENAME's new directory then.
    pub new_parent_path: Option<&'a Name>,
    /// The object that a RENAME replaced.
    pub replaced: Option<Gfid>,
}

/// One rollover of an HTIME, as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct RolloverRow {
    /// When the slice ended.
    pub time: Time,
    /// The changelog's path as the brick wrote it.
    #[serde(flatten, serialize_with = "twin::path")]
    pub path: Name,
    /// Whether nothing happened in the slice.
    pub empty: bool,
    /// Where the path begins in the HTIME.
    pub offset: u64,
}

impl RecordList {
    /// Starts the document.
    ///
    /// # Errors
    /// [`PrintError`] where standard output takes nothing.
    pub fn start(look: OutputStyle) -> Result<Self, PrintError> {
        let stream = Stream::to_stdout("georepair/changelog/1", "records", look, false)?;
        Ok(Self { stream, look, count: 0, damage: Vec::new(), omitted: 0, torn: false })
    }

    /// Prints one record or rollover.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn push(&mut self, row: &impl Record) -> Result<(), PrintError> {
        self.count += 1;
        self.stream.push_one(row)
    }

    /// Notes bytes that are no record.
    pub fn damaged(&mut self, damaged: &Damaged) {
        self.torn |= damaged.torn;
        if self.damage.len() >= DAMAGE_LISTED {
            self.omitted += 1;
            return;
        }
        self.damage.push(damage_fields(damaged));
    }

    /// Whether the reader went away.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.stream.is_gone()
    }

    /// How many records were printed.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether anything was damaged or cut.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        !self.damage.is_empty()
    }

    /// Prints a whole history; `bricks` are the names that its events count.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn push_history(&mut self, history: &History, bricks: &[Name]) -> Result<(), PrintError> {
        for event in &history.events {
            let source = Name::from(event.file.as_os_str().as_encoded_bytes());
            self.push(&Row {
                time: event.time.map(|end| Time::from_secs(end.into())),
                brick: bricks.get(event.brick),
                also: event.also.iter().filter_map(|&brick| bricks.get(brick)).collect(),
                file: &event.file_name(),
                source: &source,
                record: &event.record,
                parent_path: event.parent_path.as_ref(),
                new_parent_path: event.new_parent_path.as_ref(),
                replaced: event.replaced,
            })?;
        }
        history.damage.iter().for_each(|damaged| self.damaged(damaged));
        if self.look.format == Format::Human {
            for reuse in &history.reuses {
                self.stream.push_one(&ReuseRow(reuse))?;
            }
        }
        Ok(())
    }

    /// Ends the document.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn finish(self, reuses: &[Reuse], notes: &[String]) -> Result<(), PrintError> {
        let reuses: Vec<_> = reuses.iter().map(ReuseRow).collect();
        self.stream.finish(&json!({
            "torn": self.torn, "damaged": self.damage, "damaged_omitted": self.omitted,
            "count": self.count, "reuses": reuses, "notes": notes,
        }))
    }
}

/// A damaged place of a changelog, as documents show it.
pub(super) fn damage_fields(damaged: &Damaged) -> Value {
    let path = Name::from(damaged.file.as_os_str().as_encoded_bytes());
    let found = damaged.damage;
    json!({
        "path": path, "path_bytes": path.exact(), "torn": damaged.torn,
        "offset": found.offset, "length": found.length, "why": found.fault.to_string(),
    })
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.record.change.entry();
        let owner = owner_of(&self.record.change);
        let name = entry.map(|entry| Name::from(&*entry.place.name));
        let to = entry.and_then(|entry| entry.to.as_ref());
        let new_name = to.map(|to| Name::from(&*to.name));
        let deleted = entry.and_then(|entry| entry.path.as_deref()).map(Name::from);
        let exact = |name: Option<&Name>| name.and_then(Name::exact);
        let mut out = serializer.serialize_struct("Row", 26)?;
        out.serialize_field("time", &self.time)?;
        out.serialize_field("brick", &self.brick)?;
        out.serialize_field("file", self.file)?;
        out.serialize_field("offset", &self.record.offset)?;
        out.serialize_field("type", self.record.change.letter())?;
        out.serialize_field("fop", &self.record.change.fop())?;
        out.serialize_field("gfid", &self.record.gfid)?;
        out.serialize_field("mode", &owner.map(|owner| owner.mode & 0xffff))?;
        out.serialize_field("uid", &owner.map(|owner| owner.uid))?;
        out.serialize_field("gid", &owner.map(|owner| owner.gid))?;
        out.serialize_field("parent", &entry.map(|entry| entry.place.parent))?;
        out.serialize_field("name", &name)?;
        out.serialize_field("name_bytes", &exact(name.as_ref()))?;
        out.serialize_field("new_parent", &to.map(|to| to.parent))?;
        out.serialize_field("new_name", &new_name)?;
        out.serialize_field("new_name_bytes", &exact(new_name.as_ref()))?;
        out.serialize_field("deleted_path", &deleted)?;
        out.serialize_field("deleted_path_bytes", &exact(deleted.as_ref()))?;
        out.serialize_field("parent_path", &self.parent_path)?;
        out.serialize_field("parent_path_bytes", &exact(self.parent_path))?;
        out.serialize_field("new_parent_path", &self.new_parent_path)?;
        out.serialize_field("new_parent_path_bytes", &exact(self.new_parent_path))?;
        out.serialize_field("replaced", &self.replaced)?;
        out.serialize_field("also", &self.also)?;
        out.serialize_field("source", self.source)?;
        out.serialize_field("source_bytes", &self.source.exact())?;
        out.end()
    }
}

fn owner_of(change: &Change<'_>) -> Option<Owner> {
    match change {
        Change::Data => None,
        Change::Metadata { owner, .. } => *owner,
        Change::Entry(entry) => entry.owner,
    }
}

impl Record for Row<'_> {
    fn human(&self, look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        match self.time {
            Some(time) => write!(out, "{time:20}")?,
            None => write!(out, "{:20}", "since the rollover")?,
        }
        let fop = self.record.change.fop().map_or_else(|| "DATA".to_owned(), |fop| fop.to_string());
        let letter = self.record.change.letter();
        write!(out, "  {letter} {fop:12}  {}", self.record.gfid)?;
        if let Some(entry) = self.record.change.entry() {
            write!(out, "  {}", shown(&entry.place, self.parent_path))?;
            if let Some(to) = &entry.to {
                write!(out, " -> {}", shown(to, self.new_parent_path))?;
            }
            if let (Some(path), None) = (&entry.path, self.parent_path) {
                write!(out, "  was {}", Name::from(&**path))?;
            }
        }
        if let Some(Owner { mode, uid, gid }) = owner_of(&self.record.change) {
            write!(out, "  {:o} {uid}:{gid}", mode & 0xffff)?;
        }
        if let Some(replaced) = self.replaced {
            write!(out, "  replaces {replaced}")?;
        }
        if look.verbose {
            write!(out, "  {}:{}", self.source, self.record.offset)?;
            for brick in &self.also {
                write!(out, "  also on {brick}")?;
            }
        }
        writeln!(out)
    }
}

/// A name with the path of its directory, or with its gfid where no path is known.
fn shown(place: &Place<'_>, parent_path: Option<&Name>) -> impl Display {
    let parent = parent_path.cloned();
    let (gfid, name) = (place.parent, Name::from(&*place.name));
    fmt::from_fn(move |f| match &parent {
        Some(parent) if parent.as_bytes() == b"." => write!(f, "{name}"),
        Some(parent) => {
            write!(f, "{}", Name::from([parent.as_bytes(), b"/", name.as_bytes()].concat()))
        }
        None => write!(f, "{gfid}/{name}"),
    })
}

struct ReuseRow<'a>(&'a Reuse);

impl Serialize for ReuseRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Reuse { entry, parent_path, pattern, gfids, count, first, last } = self.0;
        let time = |end: &Option<u32>| end.map(|end| Time::from_secs(end.into()));
        json!({
            "pattern": pattern.name(), "says": pattern.says(), "parent": entry.parent,
            "name": entry.name, "name_bytes": entry.name.exact(),
            "parent_path": parent_path, "parent_path_bytes": parent_path.as_ref().and_then(Name::exact),
            "gfids": gfids, "count": count, "first": time(first), "last": time(last),
        })
        .serialize(serializer)
    }
}

impl Record for ReuseRow<'_> {
    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        let reuse = self.0;
        let name = reuse.entry.name.as_bytes();
        let place = Place { parent: reuse.entry.parent, name: name.into() };
        writeln!(
            out,
            "{} {}: {} ({})",
            Paint::Warn.on(format_args!("name {}", reuse.pattern.name())),
            shown(&place, reuse.parent_path.as_ref()),
            reuse.pattern.says(),
            counted(reuse.count, "time"),
        )
    }
}

impl Record for RolloverRow {
    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        let what = if self.empty { "empty" } else { "     " };
        writeln!(out, "{:20}  {what}  {}", self.time, self.path)
    }
}
