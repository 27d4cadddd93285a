//! Tells which `GlusterFS` releases may have written a gsyncd log line.
//!
//! A gsyncd line names the module, function and line that logged it, and these lines move with
//! nearly every release. `releases.tsv` holds where every function and logging call stood in each
//! final release since 3.2.0, as read from the release tags of
//! <https://github.com/gluster/glusterfs>; `tests/tools/release-table.py` writes it.

mod fingerprint;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

pub use fingerprint::Fingerprint;
use thiserror::Error;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("releases.tsv")));

/// Tells the releases in which `function` of `module` logs from `line`; `None` if none does.
///
/// For a call that spans lines this is the line of its start, as python 3.8 and later report it,
/// or of its last operand, as older ones do.
#[must_use]
pub fn logged_at(module: &str, function: &str, line: u32) -> Option<ReleaseSet> {
    TABLE.releases(module, function, line, |row, offset| {
        row.calls.split([' ', '/']).any(|call| call.parse() == Ok(offset))
    })
}

/// Tells the releases in which `line` of `file` lies inside `function`; `None` if it never does.
///
/// `file` is as a traceback names it (`…/syncdaemon/resource.py`) or the bare file name. A file of
/// another folder is none of gsyncd's.
#[must_use]
pub fn framed_at(file: &str, function: &str, line: u32) -> Option<ReleaseSet> {
    TABLE.releases(module_of(file)?, function, line, |_, _| true)
}

/// The module that a file of the sync daemon holds.
fn module_of(file: &str) -> Option<&str> {
    let name = match file.rsplit_once('/') {
        Some((folder, name)) if folder.rsplit('/').next() == Some("syncdaemon") => name,
        Some(_) => return None,
        None => file,
    };
    name.strip_suffix(".py")
}

/// What `releases.tsv` holds, its places still as text: most are never asked for.
struct Table {
    releases: Vec<&'static str>,
    modules: HashSet<&'static str>,
    functions: HashMap<(&'static str, &'static str), Vec<Row>>,
}

/// A function as it was in some releases: its size and calls, and its line in each release.
struct Row {
    lines: u32,
    calls: &'static str,
    places: &'static str,
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table =
            Self { releases: Vec::new(), modules: HashSet::new(), functions: HashMap::new() };
        let mut module = "";
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(names) = line.strip_prefix("releases ") {
                table.releases = names.split(' ').take(ReleaseSet::CAPACITY).collect();
            } else if let Some((function, row)) = line.strip_prefix('\t').and_then(Row::read) {
                table.functions.entry((module, function)).or_default().push(row);
            } else {
                module = line;
                table.modules.insert(module);
            }
        }
        table
    }

    /// The releases where `line` lies in `function` and the row agrees, given the line's offset.
    fn releases(
        &self,
        module: &str,
        function: &str,
        line: u32,
        agrees: impl Fn(&Row, u32) -> bool,
    ) -> Option<ReleaseSet> {
        let mut found = ReleaseSet::NONE;
        for row in self.functions.get(&(module, function))? {
            for (first, releases) in row.places() {
                let offset = line.checked_sub(first).filter(|offset| *offset < row.lines);
                if offset.is_some_and(|offset| agrees(row, offset)) {
                    found = found.union(releases.parse().ok()?);
                }
            }
        }
        (!found.is_empty()).then_some(found)
    }
}

impl Row {
    fn read(text: &'static str) -> Option<(&'static str, Self)> {
        let mut fields = text.split('\t');
        let function = fields.next()?;
        let lines = fields.next()?.parse().ok()?;
        Some((function, Self { lines, calls: fields.next()?, places: fields.next()? }))
    }

    /// The function's first line, and the text of the releases which have it there.
    fn places(&self) -> impl Iterator<Item = (u32, &'static str)> {
        self.places.split(' ').filter_map(|place| {
            let (first, releases) = place.split_once(':')?;
            Some((first.parse().ok()?, releases))
        })
    }
}

/// A set of final `GlusterFS` releases since 3.2.0, in release order: branch by branch.
///
/// Its text is `4.1.6 to 4.1.10`, `3.9.1` or `6.6 to 6.10, 7.1 to 7.9`; a run may cross branches.
/// It is read from `4.1.6..4.1.10`, `3.9.1` or `6.6..6.10,7.1..7.9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReleaseSet([u64; 4]);

/// A text that is not a release or a range of releases.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a known release or range of releases: `{0}`")]
pub struct UnknownRelease(String);

impl ReleaseSet {
    const NONE: Self = Self([0; 4]);
    const CAPACITY: usize = 256;

    /// Every release that the table knows.
    #[must_use]
    pub fn all() -> Self {
        (0..TABLE.releases.len()).fold(Self::NONE, Self::with)
    }

    /// The releases from `from` to `to`, both included, in release order.
    ///
    /// `None` if either is not a release, or if `to` is the earlier one.
    #[must_use]
    pub fn between(from: &str, to: &str) -> Option<Self> {
        let (from, to) = (position(from)?, position(to)?);
        (from <= to).then(|| (from..=to).fold(Self::NONE, Self::with))
    }

    /// The releases of one branch, such as `3.12`, `4.1` or `9`; empty if there is no such branch.
    #[must_use]
    pub fn branch(branch: &str) -> Self {
        let of_branch = |name: &str| {
            name.strip_prefix(branch)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|patch| !patch.contains('.'))
        };
        let names = TABLE.releases.iter().enumerate().filter(|(_, name)| of_branch(name));
        names.map(|(position, _)| position).fold(Self::NONE, Self::with)
    }

    /// The releases in both sets.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        self.zip(other, |mine, theirs| mine & theirs)
    }

    /// The releases in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        self.zip(other, |mine, theirs| mine | theirs)
    }

    /// Whether a release from `from` to `to` (as [`ReleaseSet::between`]) is in the set.
    #[must_use]
    pub fn contains_any(self, from: &str, to: &str) -> bool {
        Self::between(from, to).is_some_and(|range| !self.intersect(range).is_empty())
    }

    /// Whether every release of this set is in the other.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        self.intersect(other) == self
    }

    /// Whether no release is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// How many releases are in the set.
    #[must_use]
    pub fn len(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    fn zip(mut self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        for (word, theirs) in self.0.iter_mut().zip(other.0) {
            *word = with(*word, theirs);
        }
        self
    }

    fn with(mut self, position: usize) -> Self {
        if let Some(word) = self.0.get_mut(position / 64) {
            *word |= 1 << (position % 64);
        }
        self
    }

    fn has(self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }
}

/// The position of a release in release order.
fn position(release: &str) -> Option<usize> {
    TABLE.releases.iter().position(|name| *name == release)
}

impl FromStr for ReleaseSet {
    type Err = UnknownRelease;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').try_fold(Self::NONE, |set, range| {
            let (from, to) = range.split_once("..").unwrap_or((range, range));
            let range = Self::between(from.trim(), to.trim());
            range.map(|range| set.union(range)).ok_or_else(|| UnknownRelease(text.to_owned()))
        })
    }
}

impl fmt::Display for ReleaseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no release");
        }
        let mut names = TABLE.releases.iter().enumerate().map(|(at, name)| (self.has(at), name));
        let mut separator = "";
        while let Some((_, first)) = names.find(|(member, _)| *member) {
            write!(f, "{separator}{first}")?;
            if let Some((_, last)) = names.by_ref().take_while(|(member, _)| *member).last() {
                write!(f, " to {last}")?;
            }
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_reads() {
        let text = include_str!("releases.tsv");
        assert_eq!(TABLE.releases.first(), Some(&"3.2.0"));
        assert!(TABLE.releases.len() < ReleaseSet::CAPACITY, "a wider ReleaseSet is due");
        let rows = text.lines().filter(|line| line.starts_with('\t')).count();
        assert_eq!(TABLE.functions.values().map(Vec::len).sum::<usize>(), rows);
        for row in TABLE.functions.values().flatten() {
            assert_eq!(row.places().count(), row.places.split(' ').count());
            for (_, releases) in row.places() {
                assert!(!releases.parse::<ReleaseSet>().unwrap().is_empty());
            }
        }
    }

    #[test]
    fn a_call_is_found_on_the_lines_that_old_and_new_pythons_report() {
        let at =
            |line| logged_at("syncdutils", "log_raise_exception", line).map(|set| set.to_string());
        assert_eq!(at(345), Some("8.0 to 11.1".to_owned()));
        assert_eq!(at(346), Some("8.0 to 11.1".to_owned()));
        assert_eq!(at(344), None);
    }

    #[test]
    fn what_no_release_has_is_none() {
        assert_eq!(logged_at("resource", "entry_ops", 9_999), None);
        assert_eq!(logged_at("resource", "no_such_function", 603), None);
        assert_eq!(logged_at("afr-common", "afr_notify", 5_390), None);
        assert_eq!(logged_at("resource", "entry_ops", 0), None);
        assert_eq!(framed_at("/opt/syncdaemon/resource.py", "entry_ops", 1), None);
        assert_eq!(framed_at("/usr/lib64/python2.7/logging/__init__.py", "<module>", 2), None);
        assert_eq!(framed_at("resource", "entry_ops", 604), None);
    }

    #[test]
    fn sets_read_as_runs_in_release_order() {
        let text = |set: &str| set.parse::<ReleaseSet>().map(|set| set.to_string());
        assert_eq!(text("3.9.1").as_deref(), Ok("3.9.1"));
        assert_eq!(text("4.1.6..4.1.10").as_deref(), Ok("4.1.6 to 4.1.10"));
        assert_eq!(text("10.0..10.5, 11.0..11.1").as_deref(), Ok("10.0 to 11.1"));
        assert_eq!(text("7.1..7.9,6.6..6.10").as_deref(), Ok("6.6 to 6.10, 7.1 to 7.9"));
        assert_eq!(ReleaseSet::all().to_string(), "3.2.0 to 11.1");
        assert_eq!(ReleaseSet::NONE.to_string(), "no release");
        assert!(text("5.2..5.0").is_err() && text("").is_err() && text("12.0").is_err());
    }

    #[test]
    fn ranges_and_branches_hold_what_they_should() {
        let set = ReleaseSet::between("4.0.0", "5.2").unwrap();
        assert_eq!(set.len(), 3 + 11 + 3);
        assert!(set.contains_any("5.2", "6.10") && !set.contains_any("5.3", "6.10"));
        assert!(ReleaseSet::branch("4.1").is_within(set));
        assert_eq!(ReleaseSet::branch("3.1"), ReleaseSet::NONE);
        assert_eq!(ReleaseSet::branch("3"), ReleaseSet::NONE);
        assert_eq!(ReleaseSet::branch("3.12").to_string(), "3.12.0 to 3.12.15");
        assert_eq!(ReleaseSet::branch("6").to_string(), "6.0 to 6.10");
    }
}
