//! `resolve-gfid`: one row per gfid, with all its paths.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{OutputStyle, Paint, PrintError, Record, Stream};
use crate::domain::Name;
use crate::scan::Meter;
use crate::scan::resolve::{Answer, BrickAnswer, Link, ObjectKind, Query, Status};

/// The document `georepair/gfids/1` on its way to standard output.
pub struct GfidList {
    stream: Stream<'static>,
    brick_width: usize,
    nul: bool,
    tally: BTreeMap<&'static str, u64>,
    blind: bool,
}

/// One answer, as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct GfidRow<'a> {
    /// The answer.
    pub answer: &'a Answer,
    /// How wide the bricks' column is; none where there is one brick only.
    pub brick_width: usize,
    /// Whether only the paths are wanted, each ended by NUL.
    pub nul: bool,
}

impl GfidList {
    /// Starts the document; with `nul`, people's format is the bare paths, each ended by NUL.
    ///
    /// # Errors
    /// [`PrintError`] if standard output cannot be written.
    pub fn start<'n>(
        look: OutputStyle,
        bricks: impl ExactSizeIterator<Item = &'n Name>,
        nul: bool,
    ) -> Result<Self, PrintError> {
        let several = bricks.len() > 1;
        let widths = bricks.map(|name| name.to_string().chars().count());
        let brick_width = if several { widths.max().unwrap_or_default() } else { 0 };
        let stream = Stream::to_stdout("georepair/gfids/1", "gfids", look, nul)?;
        Ok(Self { stream, brick_width, nul, tally: BTreeMap::new(), blind: false })
    }

    /// Prints answers.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn push(&mut self, answers: &[Answer]) -> Result<(), PrintError> {
        for answer in answers {
            *self.tally.entry(word(answer.status())).or_default() += 1;
            self.blind |= answer.is_unreadable();
        }
        let (brick_width, nul) = (self.brick_width, self.nul);
        let row = |answer| GfidRow { answer, brick_width, nul };
        let rows: Vec<_> = answers.iter().map(row).collect();
        self.stream.push(&rows)
    }

    /// Hands what was printed so far to the reader.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn flush(&mut self) -> Result<(), PrintError> {
        self.stream.flush()
    }

    /// Whether the reader closed the pipe.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.stream.is_gone()
    }

    /// Whether something could not be read.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.blind
    }

    /// Whether every query so far has a path.
    #[must_use]
    pub fn all_resolved(&self) -> bool {
        self.tally.keys().all(|status| *status == word(Some(Status::Resolved)))
    }

    /// The counts in one line, such as `12 resolved, 1 missing`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut counts: Vec<_> = self.tally.iter().collect();
        counts.sort_by_key(|(word, count)| (**word != "resolved", std::cmp::Reverse(**count)));
        let parts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        if parts.is_empty() { "no queries".to_owned() } else { parts.join(", ") }
    }

    /// Ends the document with its head.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn finish(self, meter: &Meter) -> Result<(), PrintError> {
        self.stream.finish(&json!({
            "summary": self.tally,
            "scanned": { "folders": meter.folders, "entries": meter.entries },
        }))
    }
}

fn word(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Resolved) => "resolved",
        Some(Status::Orphan) => "orphan",
        Some(Status::Cycle) => "cycle",
        Some(Status::Dangling) => "dangling",
        Some(Status::Foreign) => "foreign",
        Some(Status::Missing) => "missing",
        Some(Status::Malformed) => "malformed",
        None => "unknown",
    }
}

fn kind_word(kind: Option<ObjectKind>) -> &'static str {
    match kind {
        Some(ObjectKind::Directory) => "directory",
        Some(ObjectKind::File) => "file",
        Some(ObjectKind::Symlink) => "symlink",
        Some(ObjectKind::Special) => "special",
        None => "-",
    }
}

impl GfidRow<'_> {
    /// The gfid, or the query's text if there is none.
    fn label(&self) -> Option<String> {
        match (&self.answer.gfid, &self.answer.query) {
            (Some(gfid), _) => Some(gfid.to_string()),
            (None, Query::Malformed(text)) => Some(text.lossy().into_owned()),
            _ => None,
        }
    }

    fn asked(&self) -> Option<Name> {
        match &self.answer.query {
            Query::Gfid(_) => None,
            Query::Path(text) | Query::Malformed(text) => Some(text.clone()),
            Query::Entry(entry) => {
                let parent = format!(".gfid/{}/", entry.parent).into_bytes();
                Some(Name::from([&parent, entry.name.as_bytes()].concat()))
            }
        }
    }

    fn write_paths(&self, out: &mut dyn Write) -> io::Result<()> {
        let resolved = self.answer.status() == Some(Status::Resolved);
        for link in self.answer.owner().filter(|_| resolved).into_iter().flat_map(|s| &s.links) {
            out.write_all(link.path.as_bytes())?;
            out.write_all(b"\0")?;
        }
        Ok(())
    }

    fn line(
        &self,
        out: &mut dyn Write,
        first: &str,
        kind: &str,
        rest: impl Display,
    ) -> io::Result<()> {
        write!(out, "{first:36}  {kind:9}  ")?;
        if self.brick_width > 0 {
            let brick = match self.answer.owner() {
                Some(sight) if !first.is_empty() => sight.brick.to_string(),
                _ => String::new(),
            };
            write!(out, "{brick:0$}  ", self.brick_width)?;
        }
        writeln!(out, "{rest}")
    }

    fn remark(&self, out: &mut dyn Write, rest: impl Display) -> io::Result<()> {
        self.line(out, "", "", rest)
    }

    fn write_owner(
        &self,
        look: &OutputStyle,
        sight: &BrickAnswer,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let label =
            self.label().map_or_else(|| "-".to_owned(), |text| Name::from(text).to_string());
        let kind = kind_word(sight.kind);
        let mut links = sight.links.iter();
        let says = sight.says.as_deref().unwrap_or_default();
        if sight.status == Some(Status::Resolved) {
            let first = links.next().map(|link| link.path.to_string()).unwrap_or_default();
            self.line(out, &label, kind, first)?;
        } else {
            let word = Paint::Bad.on(word(sight.status));
            self.line(out, &label, kind, format_args!("{word}: {says}"))?;
        }
        for link in links {
            self.remark(out, &link.path)?;
        }
        if sight.status == Some(Status::Resolved) && !says.is_empty() {
            self.remark(out, Paint::Warn.on(says))?;
        }
        if let Some(linkto) = &sight.linkto {
            self.remark(out, format_args!("DHT linkto file: the data is on {linkto}"))?;
        }
        if look.verbose {
            self.write_details(sight, out)?;
        }
        Ok(())
    }

    fn write_details(&self, sight: &BrickAnswer, out: &mut dyn Write) -> io::Result<()> {
        for above in sight.ancestors.iter() {
            let gfid = above.gfid.map_or_else(|| "no gfid".to_owned(), |gfid| gfid.to_string());
            self.remark(out, Paint::Faint.on(format_args!("in {gfid}  {}", above.name)))?;
        }
        for stale in &sight.stale {
            let says = format_args!("stale name: {} in {}", stale.name, stale.parent);
            self.remark(out, Paint::Faint.on(says))?;
        }
        Ok(())
    }

    fn write_other(&self, sight: &BrickAnswer, out: &mut dyn Write) -> io::Result<()> {
        let word = Paint::Warn.on(word(sight.status));
        match (sight.links.first(), &sight.says) {
            (Some(link), _) => {
                self.remark(out, format_args!("but on {}: {word}: {}", sight.brick, link.path))
            }
            (None, Some(says)) => {
                self.remark(out, format_args!("but on {}: {word}: {says}", sight.brick))
            }
            (None, None) => self.remark(out, format_args!("but on {}: {word}", sight.brick)),
        }
    }

    fn elsewhere(&self) -> Vec<Value> {
        let owner = self.answer.owner();
        let others = self.answer.bricks.iter().filter(|sight| Some(*sight) != owner);
        others.map(elsewhere).collect()
    }
}

/// Another brick's answer, in short.
fn elsewhere(sight: &BrickAnswer) -> Value {
    json!({
        "brick": &*sight.brick, "status": sight.status, "kind": sight.kind,
        "paths": paths(&sight.links), "paths_bytes": exact_paths(&sight.links),
        "linkto": sight.linkto, "says": sight.says,
    })
}

fn paths(links: &[Link]) -> Vec<&Name> {
    links.iter().map(|link| &link.path).collect()
}

fn exact_paths(links: &[Link]) -> Vec<Option<String>> {
    links.iter().map(|link| link.path.exact()).collect()
}

impl Record for GfidRow<'_> {
    fn human(&self, look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        if self.nul {
            return self.write_paths(out);
        }
        let Some(owner) = self.answer.owner() else {
            let label = self.asked().map(|text| text.to_string()).unwrap_or_default();
            let word = Paint::Bad.on(word(self.answer.status()));
            return self.line(
                out,
                &label,
                "-",
                format_args!("{word}: neither a gfid nor a path on a brick"),
            );
        };
        self.write_owner(look, owner, out)?;
        let contradicted = self.answer.disagrees();
        for sight in self.answer.bricks.iter().filter(|sight| *sight != owner) {
            let same = sight.status == owner.status && sight.links == owner.links;
            if look.verbose || (contradicted && !same) {
                self.write_other(sight, out)?;
            }
        }
        Ok(())
    }
}

impl Serialize for GfidRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let none = Vec::new();
        let owner = self.answer.owner();
        let links = owner.map_or(&none, |sight| &sight.links);
        let parents: Vec<_> = links.iter().map(|link| link.parent).collect();
        let ancestors: Vec<_> =
            owner.into_iter().flat_map(|sight| sight.ancestors.iter()).collect();
        let stale: Vec<_> = owner.into_iter().flat_map(|sight| &sight.stale).collect();
        let asked = self.asked();
        let mut out = serializer.serialize_struct("Gfid", 17)?;
        out.serialize_field("gfid", &self.label())?;
        out.serialize_field("kind", &owner.and_then(|sight| sight.kind))?;
        out.serialize_field("status", &self.answer.status())?;
        out.serialize_field("brick", &owner.map(|sight| &*sight.brick))?;
        out.serialize_field("paths", &paths(links))?;
        out.serialize_field("paths_bytes", &exact_paths(links))?;
        out.serialize_field("ancestors", &ancestors)?;
        out.serialize_field("via", &owner.and_then(|sight| sight.via))?;
        out.serialize_field("parents", &parents)?;
        out.serialize_field("unseen", &owner.map_or(0, |sight| sight.unseen))?;
        out.serialize_field("stale", &stale)?;
        out.serialize_field("linkto", &owner.and_then(|sight| sight.linkto.as_ref()))?;
        out.serialize_field("asked", &asked)?;
        out.serialize_field("asked_bytes", &asked.as_ref().and_then(Name::exact))?;
        out.serialize_field("says", &owner.and_then(|sight| sight.says.as_ref()))?;
        out.serialize_field("disagrees", &self.answer.disagrees())?;
        out.serialize_field("elsewhere", &self.elsewhere())?;
        out.end()
    }
}
