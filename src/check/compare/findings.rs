//! Findings from differences: severity, path and facts of both sides.

use super::difference::{Difference, Differences};
use super::sides::Sides;
use crate::domain::{AuditFinding, Code, Facts, Gfid, Name, QUARANTINE, Severity};
use crate::scan::inventory::{Item, ItemKind, Object};

/// The finding for one difference of an object.
#[must_use]
pub fn finding(sides: &Sides<'_>, how: Difference) -> AuditFinding {
    let (code, mut says) = (how.code(), how.says(sides));
    let path = sides.primary_paths.first().or(sides.secondary_paths.first()).cloned();
    let facts = |object: Option<&Object>, paths: &[Name]| {
        object.and_then(Object::item).map(|item| facts(item, paths))
    };
    let mut severity = code.severity();
    if how == Difference::OnlyOnSecondary && path.as_ref().is_some_and(is_quarantined) {
        severity = Severity::Benign;
        says += " (quarantined by a reset)";
    } else if is_beyond_a_crawl(sides, how) {
        severity = Severity::Warning;
        says += "; a crawl of what existed before the session does not replicate that";
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

/// Whether it is in the quarantine, where a reset keeps what it removed from the secondary.
fn is_quarantined(path: &Name) -> bool {
    path.as_bytes().starts_with(QUARANTINE.as_bytes())
}

/// Whether replication cannot be expected to have replicated it: a crawl of what existed before
/// the session creates no fifos, sockets and devices, and copies neither the root's own mode nor
/// xattrs and ACLs of directories; a device never gets its number (seen on 10.3).
fn is_beyond_a_crawl(sides: &Sides<'_>, how: Difference) -> bool {
    let pair = sides.here().zip(sides.there());
    match how {
        Difference::OnlyOnPrimary => sides.here().is_some_and(|item| {
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

/// What is known of a copy.
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

/// Counts files that are empty on the secondary only. If most of the files that differ in size
/// are, that is what went wrong, and it has a code of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EmptyFiles {
    empty: u64,
    other: u64,
}

impl EmptyFiles {
    /// Counts an object.
    pub fn count(&mut self, sides: &Sides<'_>, found: Differences) {
        if !found.contains(Difference::Size) {
            return;
        }
        if sides.is_empty_on_secondary() {
            self.empty += 1;
        } else {
            self.other += 1;
        }
    }

    /// The finding, if most of the files that differ in size are empty.
    #[must_use]
    pub fn finding(self) -> Option<AuditFinding> {
        let says = format!(
            "{} of {} files that differ in size are empty on the secondary: they were created, but \
             their data was not sent, as by rsync 3.5.0, which reports success; compare `rsync \
             --version` on all nodes",
            self.empty,
            self.empty + self.other
        );
        (self.empty > self.other).then(|| AuditFinding::new(Code::DataSyncEmpty, says))
    }
}

/// The finding for an object of one side whose name belongs to another gfid on the other side.
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
        "the same name has another gfid on the secondary: gsyncd fails on this conflict",
    );
    AuditFinding { code, severity: code.severity(), says: says.to_owned(), ..it }
}
