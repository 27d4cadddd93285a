//! What differs between two sides, in words.

use super::{Difference, Differences};
use crate::domain::{AuditFinding, Code, Facts, Gfid, Name, QUARANTINE, Severity};
use crate::scan::inventory::{Item, ItemKind, Object};

/// Both sides of one object, with its paths on either.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The object.
    pub gfid: Gfid,
    /// The primary's.
    pub primary: Option<&'a Object>,
    /// The secondary's.
    pub secondary: Option<&'a Object>,
    /// Its paths on the primary.
    pub primary_paths: &'a [Name],
    /// Its paths on the secondary.
    pub secondary_paths: &'a [Name],
}

/// Puts one difference of an object into words.
#[must_use]
pub fn finding(sides: &Sides<'_>, how: Difference) -> AuditFinding {
    let (code, mut says) = words(sides, how);
    let path = sides.primary_paths.first().or(sides.secondary_paths.first()).cloned();
    let facts = |object: Option<&Object>, paths: &[Name]| {
        object.and_then(Object::item).map(|item| facts(item, paths))
    };
    let mut severity = code.severity();
    if how == Difference::OnlyOnSecondary && path.as_ref().is_some_and(is_quarantined) {
        severity = Severity::Benign;
        says += ": a reset kept it";
    } else if is_beyond_a_crawl(sides, how) {
        severity = Severity::Warning;
        says += "; a crawl of what was there before the session does not carry that";
    }
    AuditFinding {
        severity,
        gfid: Some(sides.gfid),
        path,
        primary: facts(sides.primary, sides.primary_paths),
        secondary: facts(sides.secondary, sides.secondary_paths),
        ..AuditFinding::new(code, says)
    }
}

/// Whether it is what a reset kept of an emptied secondary.
fn is_quarantined(path: &Name) -> bool {
    path.as_bytes().starts_with(QUARANTINE.as_bytes())
}

/// Whether replication cannot be expected to have carried it: a crawl of what was there before
/// the session makes no fifos, sockets and devices, and carries neither the root's own mode nor
/// xattrs and ACLs of directories; a device never gets its number (seen on 10.3).
fn is_beyond_a_crawl(sides: &Sides<'_>, how: Difference) -> bool {
    let pair = sides.primary.and_then(Object::item).zip(sides.secondary.and_then(Object::item));
    match how {
        Difference::OnlyOnPrimary => sides.primary.and_then(Object::item).is_some_and(|item| {
            matches!(item.kind, ItemKind::Fifo | ItemKind::Socket | ItemKind::Device)
        }),
        Difference::Metadata => pair.is_some_and(|(here, there)| {
            let equal = here.mode == there.mode && here.owner == there.owner;
            match here.kind {
                ItemKind::Directory => equal || sides.gfid == Gfid::ROOT,
                // gsyncd makes every device with number 0.
                ItemKind::Device => equal && here.xattrs == there.xattrs,
                _ => false,
            }
        }),
        _ => false,
    }
}

fn words(sides: &Sides<'_>, how: Difference) -> (Code, String) {
    let (here, there) =
        (sides.primary.and_then(Object::item), sides.secondary.and_then(Object::item));
    let kind = here.or(there).map_or("object", |item| item.kind.word());
    let (code, says) = match how {
        Difference::OnlyOnPrimary => {
            (Code::OnlyOnPrimary, format!("the {kind} is missing on the secondary"))
        }
        Difference::OnlyOnSecondary => {
            (Code::OnlyOnSecondary, format!("the {kind} is not on the primary"))
        }
        Difference::Type => {
            let word = |item: Option<&Item>| item.map_or("nothing", |item| item.kind.word());
            (
                Code::TypeDiffers,
                format!("a {} on the primary, a {} on the secondary", word(here), word(there)),
            )
        }
        Difference::Place => (
            Code::PlaceDiffers,
            format!("the {kind} stands elsewhere on the secondary: a rename did not arrive"),
        ),
        Difference::LinkMissing => {
            let links = |item: Option<&Item>| item.map_or(0, |item| item.links);
            (
                Code::LinkMissing,
                format!("{} names on the primary, {} on the secondary", links(here), links(there)),
            )
        }
        Difference::Size => (Code::SizeDiffers, size_words(here, there)),
        Difference::Mtime => (
            Code::MtimeDiffers,
            "same size, other time of the last change: the content may differ too".to_owned(),
        ),
        Difference::Metadata => {
            (Code::MetadataDiffers, format!("{} differ", metadata_words(here, there)))
        }
        Difference::Target => {
            (Code::TargetDiffers, "the symlink leads elsewhere on the secondary".to_owned())
        }
        Difference::Content => (Code::ContentDiffers, "same size, other content".to_owned()),
        Difference::PrimaryCopies => (Code::CopiesDiffer, copies_words("primary", sides.primary)),
        Difference::SecondaryCopies => {
            (Code::CopiesDiffer, copies_words("secondary", sides.secondary))
        }
    };
    (code, says)
}

fn size_words(here: Option<&Item>, there: Option<&Item>) -> String {
    let size = |item: Option<&Item>| item.map_or(0, |item| item.sharded.unwrap_or(item.size));
    if is_empty(here, there) {
        return format!(
            "empty on the secondary, {} bytes on the primary: its data never arrived",
            size(here)
        );
    }
    format!("{} bytes on the primary, {} on the secondary", size(here), size(there))
}

fn is_empty(here: Option<&Item>, there: Option<&Item>) -> bool {
    here.zip(there).is_some_and(|(here, there)| here.size > 0 && there.size == 0)
}

fn metadata_words(here: Option<&Item>, there: Option<&Item>) -> String {
    let Some((here, there)) = here.zip(there) else { return "mode or owner".to_owned() };
    let parts = [
        ("mode", here.mode != there.mode && here.kind != ItemKind::Symlink),
        ("owner", here.owner != there.owner),
        ("ACL or user xattrs", here.xattrs != there.xattrs),
        ("device number", here.device != there.device),
    ];
    let parts: Vec<_> = parts.iter().filter(|part| part.1).map(|part| part.0).collect();
    parts.join(" and ")
}

fn copies_words(side: &str, object: Option<&Object>) -> String {
    let found = object.and_then(|object| object.disagreement.as_ref());
    let what = found.map_or("", |found| found.what);
    let count = found.map_or(0, |found| found.bricks.len());
    let bricks = if count == 1 { "brick does" } else { "bricks do" };
    format!(
        "the {side}'s own copies disagree in {what}: {count} {bricks} not have what the first has; heal the volume first"
    )
}

/// What there is to know of a copy.
fn facts(item: &Item, paths: &[Name]) -> Facts {
    let mut facts = Facts::new().with("type", item.kind.word()).with("paths", paths.to_vec());
    if item.kind == ItemKind::File {
        facts = facts.with("size", item.sharded.unwrap_or(item.size));
        facts = facts.with("mtime", item.mtime.time());
    }
    if item.xattrs != 0 {
        facts = facts.with("xattrs", format!("{:016x}", item.xattrs));
    }
    if let Some(target) = &item.target {
        facts = facts.with("target", target.clone());
    }
    facts = facts
        .with("mode", format!("{:04o}", item.mode))
        .with("uid", u64::from(item.owner.0))
        .with("gid", u64::from(item.owner.1))
        .with("links", item.links);
    match item.content {
        Some(content) => facts.with("xxh3", format!("{content:032x}")),
        None => facts,
    }
}

/// Counts files that are empty on the secondary only; where they are most of what differs in
/// size, that is what went wrong, and it has a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EmptyFiles {
    empty: u64,
    other: u64,
}

/// A counter of empty files.
#[must_use]
pub fn empties() -> EmptyFiles {
    EmptyFiles::default()
}

impl EmptyFiles {
    /// Counts an object.
    pub fn count(&mut self, sides: &Sides<'_>, found: Differences) {
        if !found.contains(Difference::Size) {
            return;
        }
        let item = |object: Option<&'_ Object>| object.and_then(Object::item).cloned();
        if is_empty(item(sides.primary).as_ref(), item(sides.secondary).as_ref()) {
            self.empty += 1;
        } else {
            self.other += 1;
        }
    }

    /// The finding, where empty files are most of the files that differ in size.
    #[must_use]
    pub fn finding(self) -> Option<AuditFinding> {
        let says = format!(
            "{} of {} files that differ in size are empty on the secondary: entries are made and \
             data never arrives, as with rsync 3.5.0, which reports success; compare `rsync \
             --version` on all nodes",
            self.empty,
            self.empty + self.other
        );
        (self.empty > self.other).then(|| AuditFinding::new(Code::DataSyncEmpty, says))
    }
}

/// The name of an object that one side has is taken by another gfid on the other side.
#[must_use]
pub fn other_gfid(sides: &Sides<'_>, rival: Gfid) -> AuditFinding {
    let rival = Facts::new().with("gfid", rival);
    let it = if sides.primary.is_some() {
        AuditFinding { secondary: Some(rival), ..finding(sides, Difference::OnlyOnPrimary) }
    } else {
        AuditFinding { primary: Some(rival), ..finding(sides, Difference::OnlyOnSecondary) }
    };
    let (code, says) = (
        Code::GfidDiffers,
        "the same name has another gfid on the secondary: a conflict that gsyncd runs into",
    );
    AuditFinding { code, severity: code.severity(), says: says.to_owned(), ..it }
}
