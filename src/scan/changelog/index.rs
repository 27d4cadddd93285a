//! The index of a brick's changelogs against the changelogs themselves.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rayon::prelude::*;

use super::history::Damaged;
use super::marks::marks_of;
use super::{Changelogs, ChangelogsError, folder, name_of, read, read_htime};
use crate::domain::{Name, Time};
use crate::format::changelog::Item;
use crate::format::htime;
use crate::format::htime::{COUNT_XATTR, CURRENT_XATTR, Count, dated_path, flat_path, index_time};

/// Everything about a brick's changelogs that history depends on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct HistoryIndex {
    /// Whether anything shows that the brick writes, or wrote, changelogs.
    pub expected: bool,
    /// Whether the folder `htime` is there.
    pub folder: bool,
    /// The file that `trusted.glusterfs.current_htime` names.
    pub current: Option<String>,
    /// The index files, by their times.
    pub files: Vec<Htime>,
    /// Files in the folder that are not an index, by name.
    pub litter: Vec<Name>,
    /// Changelogs that the index lists and that do not exist, by the ends of their slices.
    pub missing: Vec<u32>,
    /// Changelogs in another place than the index says: the end of the slice, and the place.
    pub misplaced: Vec<(u32, Name)>,
    /// Changelogs with records, in the time range of the index, that it does not list.
    pub unlisted: Vec<u32>,
    /// Changelogs older than any index: no session can read them.
    pub before: u64,
    /// Bytes in changelogs that are not a record.
    pub damaged: Vec<Damaged>,
    /// How many changelogs were read.
    pub changelogs: u64,
    /// What could not be read.
    pub unseen: Vec<String>,
}

/// One index file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Htime {
    /// Its name.
    pub name: String,
    /// When it begins, by its name, in seconds since 1970.
    pub from: u32,
    /// The count in its xattr; `None` if that is missing or unreadable.
    pub count: Option<Count>,
    /// How many rollovers it names.
    pub rollovers: u64,
    /// The last of them.
    pub last: Option<u32>,
    /// The offset of the first entry that breaks it, in bytes, and what is wrong.
    pub broken: Option<(u64, &'static str)>,
}

/// Reads the index, looks up each changelog it lists, and reads each changelog that exists.
///
/// A rollover may change the index meanwhile: only what two readings agree on counts.
///
/// # Errors
/// [`ChangelogsError`] if the brick's own xattrs cannot be read.
pub fn history_index(brick: &Path, again: impl Fn()) -> Result<HistoryIndex, ChangelogsError> {
    let first = HistoryIndex::of(brick)?;
    if first.is_sound() {
        return Ok(first);
    }
    again();
    let second = HistoryIndex::of(brick)?;
    Ok(second.agreeing_with(&first))
}

impl HistoryIndex {
    fn of(brick: &Path) -> Result<Self, ChangelogsError> {
        let (mut it, listed) = Self::unread(brick)?;
        if let Some(listed) = &listed {
            it.read_all(listed);
        }
        Ok(it)
    }

    /// What is wrong with the index itself, in words, and how many changelogs it names that are
    /// nowhere. The changelogs are listed and not read.
    ///
    /// # Errors
    /// [`ChangelogsError`] if the brick's own xattrs cannot be read.
    pub fn faults(brick: &Path) -> Result<(Vec<String>, u64), ChangelogsError> {
        let (it, _) = Self::unread(brick)?;
        let mut faults = Vec::new();
        let named = it.files.iter().any(|file| Some(&file.name) == it.current.as_ref());
        match &it.current {
            _ if !it.expected => {}
            _ if !it.folder => faults.push("htime is gone".to_owned()),
            Some(name) if !named => faults.push(format!("current_htime names {name}, not there")),
            None => faults.push("htime has no current_htime".to_owned()),
            Some(_) => {}
        }
        for file in &it.files {
            let name = &file.name;
            match file.count {
                None => faults.push(format!("{name} has no trusted.glusterfs.htime")),
                // More than it holds is what every restart of a brick leaves, and does no harm.
                Some(count) if count.rollovers < file.rollovers => {
                    let (told, held) = (count.rollovers, file.rollovers);
                    faults.push(format!("{name} counts {told} changelogs and holds {held}"));
                }
                Some(_) => {}
            }
            if let Some((offset, what)) = file.broken {
                faults.push(format!("{name}: {what} at offset {offset}"));
            }
        }
        faults.extend(it.litter.iter().map(|name| format!("htime/{name} is not an index")));
        if let Some(first) = it.unlisted.first() {
            let (count, since) = (it.unlisted.len(), Time::from_secs((*first).into()));
            faults.push(format!(
                "changelogs with changes that are not in it, so no worker was notified of them: \
                 {count}; once they are in it, `--level rewind --to {since}` sends them"
            ));
        }
        if !it.misplaced.is_empty() {
            let count = it.misplaced.len();
            faults.push(format!("changelogs that lie elsewhere than it says: {count}"));
        }
        Ok((faults, it.missing.len() as u64))
    }

    fn unread(brick: &Path) -> Result<(Self, Option<Changelogs>), ChangelogsError> {
        let folder = folder(brick);
        // Listed before the index is read: a changelog gets its file first, then its entry.
        let listed = match Changelogs::of(brick) {
            Ok(listed) => Some(listed),
            Err(ChangelogsError::Missing { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        let marked = marks_of(brick)?.iter().any(|marks| marks.stime.sec > 0);
        let written = listed.as_ref().is_some_and(|listed| !listed.files.is_empty());
        let mut it = Self { expected: marked || written, ..Self::default() };
        it.unseen.extend(listed.iter().flat_map(|listed| listed.notes.clone()));
        let times = it.read_index(&folder);
        if let Some(listed) = &listed {
            it.compare(&folder, listed, &times);
        }
        Ok((it, listed))
    }

    /// Reads the folder `htime`; answers with the ends of all slices it names, in order.
    fn read_index(&mut self, folder: &Path) -> Vec<u32> {
        let place = folder.join("htime");
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.unseen.push(format!("{}: {error}", name_of(&place)));
                return Vec::new();
            }
        };
        self.folder = true;
        self.expected |= entries.size_hint().0 > 0;
        self.current = text_of(&place, CURRENT_XATTR);
        let mut found = Vec::new();
        for entry in entries.flatten() {
            self.expected = true;
            let name = entry.file_name();
            match index_time(&name) {
                Some(from) => found.push((from, entry.path())),
                // Folders do no harm: libgfchangelog passes them over.
                None if entry.file_type().is_ok_and(|kind| kind.is_dir()) => {}
                None => self.litter.push(Name::from(name.as_encoded_bytes())),
            }
        }
        found.sort();
        self.litter.sort();
        let mut times = Vec::new();
        for (from, path) in found {
            match Htime::read(&path, from, &mut |rollover| {
                times.push(rollover.time);
                if !rollover.empty {
                    self.look_for(folder, &rollover);
                }
            }) {
                Ok(file) => self.files.push(file),
                Err(error) => self.unseen.push(format!("{}: {error}", name_of(&path))),
            }
        }
        times.sort_unstable();
        // Two rollovers within a second have one name, and an index may hold it twice.
        self.missing.sort_unstable();
        self.missing.dedup();
        self.misplaced.sort();
        self.misplaced.dedup();
        times
    }

    /// Checks that a changelog is where the index says, or where another release would put it.
    fn look_for(&mut self, folder: &Path, rollover: &htime::Rollover<'_>) {
        let marker = b".glusterfs/changelogs/";
        let at = memchr::memmem::rfind(rollover.path, marker).map(|at| at + marker.len());
        let told = at.and_then(|at| rollover.path.get(at..)).unwrap_or_default();
        let is_there = |below: &Path| folder.join(below).symlink_metadata().is_ok();
        let told = Path::new(OsStr::from_bytes(told));
        let inside = told.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if inside && is_there(told) {
            return;
        }
        let other = [flat_path(rollover.time), dated_path(rollover.time)];
        match other.iter().find(|other| *other != told && is_there(other)) {
            Some(other) => self.misplaced.push((rollover.time, name_of(other))),
            None => self.missing.push(rollover.time),
        }
    }

    /// Looks for changelogs that the index does not name, and for such in a wrong day's folder.
    fn compare(&mut self, folder: &Path, listed: &Changelogs, times: &[u32]) {
        let Some(first) = self.files.iter().map(|file| file.from).min() else { return };
        let last = times.last().copied().unwrap_or_default();
        for file in &listed.files {
            let Some(end) = file.end else { continue };
            let below = file.path.strip_prefix(folder).unwrap_or(&file.path);
            if end < first {
                self.before += 1;
            } else if times.binary_search(&end).is_err() {
                if end < last && !is_empty(&file.path) {
                    self.unlisted.push(end);
                }
            } else if below != flat_path(end)
                && below != dated_path(end)
                && let Ok(at) = self.missing.binary_search(&end)
            {
                self.missing.remove(at);
                self.misplaced.push((end, name_of(below)));
            }
        }
    }

    fn read_all(&mut self, listed: &Changelogs) {
        self.changelogs = listed.files.len() as u64;
        let damage = |file: &super::Changelog| -> Result<Vec<Damaged>, String> {
            let mut found = Vec::new();
            let outcome = read(&file.path, |item| {
                let torn = matches!(item, Item::Torn(_));
                if let Item::Damage(damage) | Item::Torn(damage) = item
                    // The last record of the file that is still written to may be on its way.
                    && !(torn && file.end.is_none())
                {
                    found.push(Damaged { file: file.path.clone(), damage: *damage, torn });
                }
                // One per file is enough for a finding.
                if found.is_empty() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            match outcome {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(format!("{}: {error}", name_of(&file.path)))
                }
                _ => Ok(found),
            }
        };
        let found: Vec<_> = listed.files.par_iter().map(damage).collect();
        for outcome in found {
            match outcome {
                Ok(found) => self.damaged.extend(found),
                Err(error) => self.unseen.push(error),
            }
        }
    }

    /// Whether there is nothing that needs a second reading.
    fn is_sound(&self) -> bool {
        let counts = |file: &Htime| file.is_counted() && file.broken.is_none();
        let current = self.current.as_ref();
        let named = self.files.iter().any(|file| Some(&file.name) == current);
        (!self.expected || (self.folder && named && self.files.iter().all(counts)))
            && self.litter.is_empty()
            && self.missing.is_empty()
            && self.misplaced.is_empty()
            && self.unlisted.is_empty()
            && self.damaged.is_empty()
    }

    /// This reading without what the earlier one did not find.
    fn agreeing_with(mut self, earlier: &Self) -> Self {
        self.missing.retain(|end| earlier.missing.contains(end));
        self.misplaced.retain(|it| earlier.misplaced.contains(it));
        self.unlisted.retain(|end| earlier.unlisted.contains(end));
        for file in &mut self.files {
            let before = earlier.files.iter().find(|before| before.name == file.name);
            let Some(before) = before else { continue };
            // The brick appends the path and then counts it: in between, the count is one behind.
            if before.is_counted()
                && let Some(last) = file.last
            {
                file.count = Some(Count { last, rollovers: file.rollovers });
            }
            if before.broken.is_none() {
                file.broken = None;
            }
        }
        self
    }
}

impl Htime {
    fn read(path: &Path, from: u32, each: &mut dyn FnMut(htime::Rollover<'_>)) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut it = Self { name, from, count: None, rollovers: 0, last: None, broken: None };
        let mut length = None;
        read_htime(path, |item| {
            let broken = match *item {
                htime::Item::Rollover(rollover) => {
                    it.rollovers += 1;
                    let behind = it.last.is_some_and(|last| rollover.time < last);
                    let other = length.is_some_and(|length| length != rollover.path.len());
                    length = length.or(Some(rollover.path.len()));
                    it.last = it.last.max(Some(rollover.time));
                    each(rollover);
                    (behind.then_some("a time before the one ahead of it"))
                        .or(other.then_some("a path of another length than the first"))
                        .map(|what| (rollover.offset, what))
                }
                htime::Item::Damage { offset, .. } => {
                    Some((offset, "bytes that name no changelog"))
                }
                htime::Item::Torn { offset, .. } => Some((offset, "a path that is cut off")),
            };
            it.broken = it.broken.or(broken);
            ControlFlow::Continue(())
        })?;
        it.count = text_of(path, COUNT_XATTR).and_then(|text| Count::from_xattr(text.as_bytes()));
        Ok(it)
    }

    /// Whether its xattr agrees with what it holds.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        let last = self.last.unwrap_or_default();
        self.count.is_some_and(|count| count.rollovers == self.rollovers && count.last == last)
    }
}

fn text_of(path: &Path, key: &str) -> Option<String> {
    let value = xattr::get(path, key).ok().flatten()?;
    Some(String::from_utf8_lossy(value.strip_suffix(b"\0").unwrap_or(&value)).into_owned())
}

/// Whether a changelog holds its header and no more; what cannot be read may hold anything.
fn is_empty(changelog: &Path) -> bool {
    let mut empty = true;
    let outcome = read(changelog, |_| {
        empty = false;
        ControlFlow::Break(())
    });
    empty && outcome.is_ok()
}
