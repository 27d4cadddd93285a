//! Rebuilds the index (HTIME) of a brick's changelogs from the changelog files that exist.
//!
//! libgfchangelog searches an index by records of equal length in the order of time, from the time
//! in its name to the one in its xattr (`gf_history_changelog`). So there is one file for each time
//! that the brick started to write changelogs, and another where the layout changes (release 8). A
//! slice in which nothing happened has no file, and need not be listed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use crate::apply::executor::ExecutorError;
use crate::format::htime::{self, COUNT_XATTR, CURRENT_XATTR, Count};
use crate::scan::changelog::Changelogs;

/// What an index file covers, and the changelogs in it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Part {
    /// The last rollover that it covers.
    last: u32,
    /// The changelogs with the ends of their slices, in the order of time.
    changelogs: Vec<(u32, PathBuf)>,
}

/// Writes the index of a brick into a new directory, atomically. The brick must be stopped.
pub(super) fn rebuild(brick: &Path, at: &Path) -> Result<(), ExecutorError> {
    close_last(brick)
        .map_err(|source| ExecutorError::system("close the last changelog of", brick, source))?;
    let listed = Changelogs::of(brick).map_err(|error| ExecutorError::Unfit(error.to_string()))?;
    if let Some(note) = listed.notes.first() {
        return Err(ExecutorError::Unfit(format!("not all changelogs can be read: {note}")));
    }
    let files = listed.files.into_iter().filter_map(|file| Some((file.end?, file.path)));
    let old = existing_indexes(&brick.join(".glusterfs/changelogs/htime"));
    let old = old.map_err(|source| ExecutorError::system("read the index of", brick, source))?;
    let parts = parts(&old, files);
    let mut name = at.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = at.with_file_name(name);
    write(&parts, &new, at).map_err(|error| ExecutorError::system("create", at, error))
}

/// Closes the changelog that the brick was writing, as it does itself when it starts: if errno is
/// still ENOENT from before then, the brick does not add that changelog to the index
/// (`changelog_rollover_changelog`, 10.3), and history would miss its changes.
fn close_last(brick: &Path) -> io::Result<()> {
    let Ok(listed) = Changelogs::of(brick) else { return Ok(()) };
    let closed = listed.files.iter().rev().find_map(|file| Some((file.end?, &file.path)));
    let open = listed.files.iter().find(|file| file.end.is_none());
    let (Some((last, beside)), Some(open)) = (closed, open) else { return Ok(()) };
    // The time of its last change, which is past the end of the one before.
    let changed = fs::metadata(&open.path)?.mtime();
    let end = u32::try_from(changed).unwrap_or_default().max(last + 1);
    let new = beside.with_file_name(htime::flat_path(end));
    rustix::fs::renameat_with(CWD, &open.path, CWD, &new, RenameFlags::NOREPLACE)?;
    Ok(())
}

/// Deletes an index that [`rebuild`] wrote: it holds nothing but index files.
#[expect(clippy::disallowed_methods, reason = "made from the changelogs, which stay")]
pub(super) fn remove(at: &Path) -> Result<(), ExecutorError> {
    let remove = || {
        for entry in fs::read_dir(at)? {
            let entry = entry?;
            if htime::index_time(&entry.file_name()).is_some() {
                fs::remove_file(entry.path())?;
            }
        }
        fs::remove_dir(at)
    };
    remove().map_err(|error| ExecutorError::system("remove", at, error))
}

/// When each index file starts, by its name, and the last rollover in its xattr, if there is one.
fn existing_indexes(folder: &Path) -> io::Result<BTreeMap<u32, Option<u32>>> {
    let mut known = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(known),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(from) = htime::index_time(&name) else { continue };
        let count = xattr::get(entry.path(), COUNT_XATTR)?;
        known.insert(from, count.as_deref().and_then(Count::from_xattr).map(|count| count.last));
    }
    Ok(known)
}

/// Distributes the changelogs, in the order of time, to the index files by their start times.
///
/// Without any existing index, one starts with the end of the first changelog: earlier history is
/// not known to be complete.
fn parts(
    old: &BTreeMap<u32, Option<u32>>,
    changelogs: impl Iterator<Item = (u32, PathBuf)>,
) -> BTreeMap<u32, Part> {
    let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
    for (&from, last) in old {
        let next = old.range(from + 1..).next().map_or(u32::MAX, |(&next, _)| next);
        let last = last.filter(|&last| from <= last && last <= next).unwrap_or_default();
        parts.insert(from, Part { last, changelogs: Vec::new() });
    }
    for (end, path) in changelogs {
        if parts.is_empty() {
            parts.insert(end, Part::default());
        }
        // Older than every index: no session reads it.
        let Some((_, part)) = parts.range_mut(..=end).next_back() else { continue };
        let length = |path: &PathBuf| path.as_os_str().len();
        let reached = part.last.max(end);
        match part.changelogs.last().map(|(before, other)| (*before, length(other))) {
            Some((before, other)) if other != length(&path) => {
                part.last = before;
                let changelogs = vec![(end, path)];
                parts.insert(before, Part { last: reached, changelogs });
            }
            _ => {
                part.last = reached;
                part.changelogs.push((end, path));
            }
        }
    }
    parts
}

#[expect(clippy::disallowed_methods, reason = "a new folder of our own")]
fn write(parts: &BTreeMap<u32, Part>, new: &Path, at: &Path) -> io::Result<()> {
    // What an interrupted attempt left.
    match fs::remove_dir_all(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir(new)?;
    fs::set_permissions(new, fs::Permissions::from_mode(0o600))?;
    let mut current = String::new();
    for (from, part) in parts {
        current = htime::index_name(*from);
        let mut out = BufWriter::new(File::create_new(new.join(&current))?);
        for (_, path) in &part.changelogs {
            out.write_all(path.as_os_str().as_bytes())?;
            out.write_all(&[0])?;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let count = format!("{}:{}", part.last, part.changelogs.len());
        xattr::set(new.join(&current), COUNT_XATTR, count.as_bytes())?;
        file.sync_all()?;
    }
    // Without one, the brick starts a new index.
    if !current.is_empty() {
        xattr::set(new, CURRENT_XATTR, current.as_bytes())?;
    }
    File::open(new)?.sync_all()?;
    fs::rename(new, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::htime::{Item, rollovers};
    use crate::scan::changelog::HistoryIndex;

    fn dealt(old: &[(u32, Option<u32>)], names: &[&str]) -> Vec<(u32, u32, Vec<u32>)> {
        let files = names.iter().map(|name| {
            let end = name.rsplit('.').next().unwrap().parse().unwrap();
            (end, PathBuf::from(name))
        });
        let parts = parts(&old.iter().copied().collect(), files).into_iter();
        let ends = |part: &Part| part.changelogs.iter().map(|(end, _)| *end).collect();
        parts.map(|(from, part)| (from, part.last, ends(&part))).collect()
    }

    #[test]
    fn each_index_gets_the_changelogs_of_its_time() {
        let files = ["C.05", "C.12", "C.17", "C.30", "C.44"];
        let two = [(10, Some(19)), (25, Some(44))];
        let expected = [(10, 19, vec![12, 17]), (25, 44, vec![30, 44])];
        assert_eq!(dealt(&two, &files), expected);
        // An impossible value of the xattr is ignored.
        assert_eq!(dealt(&[(10, Some(99)), (25, None)], &files)[0].1, 17);
        assert_eq!(dealt(&[], &files), [(5, 44, vec![5, 12, 17, 30, 44])]);
        assert_eq!(dealt(&[(10, Some(12))], &[]), [(10, 12, vec![])]);
        assert_eq!(dealt(&[], &[]), []);
    }

    #[test]
    fn paths_of_two_lengths_are_two_indexes() {
        let files = ["C.11", "C.15", "2026/C.21", "2026/C.28"];
        let expected = [(10, 15, vec![11, 15]), (15, 28, vec![21, 28])];
        assert_eq!(dealt(&[(10, Some(28))], &files), expected);
    }

    #[test]
    fn what_is_made_is_sound_and_goes_without_a_trace() {
        let brick = tempfile::tempdir().unwrap();
        let changelogs = brick.path().join(".glusterfs/changelogs");
        let day = changelogs.join("2026/11/21");
        fs::create_dir_all(&day).unwrap();
        for end in [1_795_230_034, 1_795_230_049] {
            File::create(day.join(format!("CHANGELOG.{end}"))).unwrap();
        }
        let at = changelogs.join("htime");
        File::create(changelogs.join("CHANGELOG")).unwrap();
        rebuild(brick.path(), &at).unwrap();
        assert!(!changelogs.join("CHANGELOG").exists());
        assert_eq!(HistoryIndex::faults(brick.path()).unwrap(), (vec![], 0));
        let bytes = fs::read(at.join("HTIME.1795230034")).unwrap();
        let ends: Vec<_> = rollovers(&bytes)
            .map(|item| match item {
                Item::Rollover(it) => it.time,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ends[..2], [1_795_230_034, 1_795_230_049]);
        assert!(ends.len() == 3 && day.join(format!("CHANGELOG.{}", ends[2])).exists());
        let record = "GlusterFS Changelog | version: v1.2 | encoding : 2\n\
                      D5a3a52bc-3a1c-4b3e-9d0a-51a4a1d3c9b1\0";
        let mut untold = File::create(day.join("CHANGELOG.1795230040")).unwrap();
        untold.write_all(record.as_bytes()).unwrap();
        let (faults, _) = HistoryIndex::faults(brick.path()).unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("rewind --to 2026-11-21T03:00:40Z"), "{faults:?}");
        remove(&at).unwrap();
        assert!(!at.exists());
    }
}
