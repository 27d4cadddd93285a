//! What is wrong with a brick's changelogs and their index, as findings.

use std::cmp::Ordering;

use crate::domain::{AuditFinding, Code, Facts, Mark, Name, Severity, Time};
use crate::format::htime::Count;
use crate::scan::changelog::{HistoryIndex, Htime};

/// The findings of a brick's changelog index; `stimes` are the marks of all its sessions.
///
/// A missing changelog that every session has already passed is benign: none reads it again. One
/// that no session was notified of is not, however old.
#[must_use]
pub fn history_index(index: &HistoryIndex, stimes: &[Mark]) -> Vec<AuditFinding> {
    if !index.expected {
        return Vec::new();
    }
    // Without a mark, the next session begins with a crawl and reads no history.
    let needed_from = stimes.iter().map(|mark| mark.sec).min();
    let mut found = Vec::new();
    found.extend(missing_index(index));
    found.extend(index.files.iter().filter_map(uncounted));
    found.extend(index.files.iter().filter_map(broken));
    found.extend(index.litter.iter().map(|name| {
        let says = "libgfchangelog takes it for an index without a count, and history ends there";
        let path = Some(Name::from([b"htime/", name.as_bytes()].concat()));
        AuditFinding { path, ..AuditFinding::new(Code::HtimeLitter, says) }
    }));
    found.extend(runs(&index.missing).map(|run| {
        let says = format!("the index names {}, and nothing is there: gsyncd skips it", run.says());
        rated(run.finding(Code::ChangelogMissing, says), run.last, needed_from)
    }));
    found.extend(runs(&index.unlisted).map(|run| {
        // No mark makes it benign: marks pass over what no worker was notified of.
        let says = format!(
            "the index does not name {}: a brick that stops leaves one, and no worker is notified \
             of it; its changes may be missing on the secondary",
            run.says()
        );
        run.finding(Code::HtimeGap, says)
    }));
    found.extend(index.misplaced.iter().map(|(end, place)| {
        let says = "the index looks for it in the place of another release: gsyncd skips it";
        let path = Some(place.clone());
        let it = AuditFinding { path, ..AuditFinding::new(Code::ChangelogMisplaced, says) };
        rated(it, *end, needed_from)
    }));
    found.extend(index.damaged.iter().map(|it| {
        let (offset, length) = (it.damage.offset, it.damage.length);
        let what = if it.torn {
            "ends in the middle of a record"
        } else {
            "holds bytes that are no record"
        };
        let says = format!("it {what}: {length} bytes from offset {offset}");
        let path = Some(Name::from(it.file.as_os_str().as_encoded_bytes()));
        let primary = Some(Facts::new().with("offset", offset).with("length", length));
        AuditFinding { path, primary, ..AuditFinding::new(Code::ChangelogDamaged, says) }
    }));
    found
}

fn missing_index(index: &HistoryIndex) -> Option<AuditFinding> {
    let missing = |says: String| Some(AuditFinding::new(Code::HtimeMissing, says));
    if !index.folder {
        return missing(
            "changelogs are written, and .glusterfs/changelogs/htime is gone".to_owned(),
        );
    }
    match &index.current {
        None if index.files.is_empty() => missing("htime holds no index".to_owned()),
        None => missing(
            "htime has no trusted.glusterfs.current_htime: after a restart the brick starts a new one"
                .to_owned(),
        ),
        Some(name) if !index.files.iter().any(|file| file.name == *name) => {
            missing(format!("current_htime names {name}, which is gone: the brick will not start"))
        }
        Some(_) => None,
    }
}

fn uncounted(file: &Htime) -> Option<AuditFinding> {
    if file.is_counted() {
        return None;
    }
    let path = Some(Name::from(format!("htime/{}", file.name)));
    let Some(Count { last, rollovers }) = file.count else {
        let says = "it has no trusted.glusterfs.htime: history fails, and the brick will not start";
        return Some(AuditFinding { path, ..AuditFinding::new(Code::HtimeMissing, says) });
    };
    let held = file.rollovers;
    let says = match rollovers.cmp(&held) {
        Ordering::Greater => format!(
            "its xattr counts {rollovers} changelogs, it holds {held}: each restart of the brick \
             adds some; history before 9.4 fails by it"
        ),
        Ordering::Less => {
            format!(
                "its xattr counts {rollovers} changelogs, it holds {held}: the last are not read"
            )
        }
        Ordering::Equal => {
            format!("its xattr ends at {}, its last changelog does not", moment(last))
        }
    };
    let severity = if rollovers > held { Severity::Warning } else { Severity::Loss };
    let facts = |count: u64, last: u32| {
        Some(Facts::new().with("changelogs", count).with("last", Time::from_secs(last.into())))
    };
    let (primary, secondary) = (facts(rollovers, last), facts(held, file.last.unwrap_or_default()));
    let it = AuditFinding::new(Code::HtimeCountWrong, says);
    Some(AuditFinding { path, severity, primary, secondary, ..it })
}

fn broken(file: &Htime) -> Option<AuditFinding> {
    let (offset, what) = file.broken?;
    let says = format!(
        "{what} at offset {offset}: libgfchangelog expects paths of equal length, in order"
    );
    let path = Some(Name::from(format!("htime/{}", file.name)));
    let primary = Some(Facts::new().with("offset", offset));
    let severity = Severity::Fatal;
    Some(AuditFinding { path, primary, severity, ..AuditFinding::new(Code::HtimeGap, says) })
}

/// A finding about a changelog that no session needs any more is benign.
fn rated(it: AuditFinding, end: u32, needed_from: Option<u32>) -> AuditFinding {
    let past = needed_from.is_none_or(|stime| end <= stime);
    AuditFinding { severity: if past { Severity::Benign } else { it.severity }, ..it }
}

/// Changelogs that follow each other in a list.
struct Run {
    first: u32,
    last: u32,
    count: u64,
}

impl Run {
    fn says(&self) -> String {
        if self.count == 1 {
            format!("CHANGELOG.{}", self.first)
        } else {
            format!("{} changelogs, CHANGELOG.{} to .{}", self.count, self.first, self.last)
        }
    }

    fn finding(&self, code: Code, says: String) -> AuditFinding {
        let path = Some(Name::from(format!("CHANGELOG.{}", self.first)));
        let time = |end: u32| Time::from_secs(end.into());
        let primary =
            Some(Facts::new().with("first", time(self.first)).with("last", time(self.last)));
        AuditFinding { path, primary, below: self.count - 1, ..AuditFinding::new(code, says) }
    }
}

/// Ends of slices no further apart than an hour are one finding.
fn runs(ends: &[u32]) -> impl Iterator<Item = Run> {
    let near = |a: &u32, b: &u32| b.saturating_sub(*a) <= 3600;
    ends.chunk_by(near).filter_map(|run| {
        let (first, last) = (*run.first()?, *run.last()?);
        Some(Run { first, last, count: run.len() as u64 })
    })
}

fn moment(secs: u32) -> Time {
    Time::from_secs(secs.into())
}
