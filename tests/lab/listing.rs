//! Whether both sides are equal: every entry of both volumes, told and compared.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;
use xxhash_rust::xxh3::xxh3_128;

use crate::lab::Lab;
use crate::session;
use crate::wait::{self, PATIENCE};

/// What is compared of an entry. Times are not: gsyncd does not keep those of directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    kind: &'static str,
    target: Option<PathBuf>,
    content: Option<u128>,
    mode: Option<u32>,
    owner: (u32, u32),
    /// The first of all names of a file with several.
    first_name: Option<PathBuf>,
}

/// How an entry differs between the sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    OnlyOnPrimary,
    OnlyOnSecondary,
    Type,
    Target,
    Content,
    Mode,
    Owner,
    Links,
}

/// Every entry of a volume by its path.
pub(crate) type Listing = BTreeMap<PathBuf, Entry>;

/// Lists a mounted volume.
///
/// # Errors
///
/// When an entry goes away or cannot be read meanwhile.
pub(crate) fn list(root: &Path) -> std::io::Result<Listing> {
    let mut listing = Listing::new();
    let mut groups: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    let walk = WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !is_internal(entry)) {
        let entry = entry?;
        let path = entry.path().strip_prefix(root).map_err(std::io::Error::other)?.to_owned();
        let meta = entry.path().symlink_metadata()?;
        if !meta.is_dir() && meta.nlink() > 1 {
            groups.entry(meta.ino()).or_default().push(path.clone());
        }
        listing.insert(path, told(entry.path(), &meta)?);
    }
    for names in groups.values().filter(|names| names.len() > 1) {
        for name in names {
            if let Some(entry) = listing.get_mut(name) {
                entry.first_name = names.first().cloned();
            }
        }
    }
    Ok(listing)
}

/// AFR's and the trash translator's own directories are not users' data.
fn is_internal(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let internal = name.starts_with(".glusterfs-anonymous-inode-") || name == ".trashcan";
    entry.depth() == 1 && internal
}

fn told(path: &Path, meta: &std::fs::Metadata) -> std::io::Result<Entry> {
    let kind = meta.file_type();
    let (name, target, content) = if kind.is_dir() {
        ("directory", None, None)
    } else if kind.is_symlink() {
        ("symlink", Some(std::fs::read_link(path)?), None)
    } else if kind.is_file() {
        ("file", None, Some(xxh3_128(&std::fs::read(path)?)))
    } else if kind.is_fifo() {
        ("fifo", None, None)
    } else if kind.is_socket() {
        ("socket", None, None)
    } else {
        ("device", None, None)
    };
    // A symlink's mode means nothing.
    let mode = (!kind.is_symlink()).then_some(meta.mode() & 0o7777);
    let owner = (meta.uid(), meta.gid());
    Ok(Entry { kind: name, target, content, mode, owner, first_name: None })
}

/// All differences between two listings, in order of path.
pub(crate) fn compare(primary: &Listing, secondary: &Listing) -> Vec<(PathBuf, Difference)> {
    let mut found = Vec::new();
    for (path, here) in primary {
        match secondary.get(path) {
            None => found.push((path.clone(), Difference::OnlyOnPrimary)),
            Some(there) => found.extend(differ(here, there).map(|how| (path.clone(), how))),
        }
    }
    let extra = secondary.keys().filter(|path| !primary.contains_key(*path));
    found.extend(extra.map(|path| (path.clone(), Difference::OnlyOnSecondary)));
    found.sort();
    found
}

fn differ(here: &Entry, there: &Entry) -> impl Iterator<Item = Difference> {
    let checks = [
        (Difference::Type, here.kind != there.kind),
        (Difference::Target, here.target != there.target),
        (Difference::Content, here.content != there.content),
        (Difference::Mode, here.mode != there.mode),
        (Difference::Owner, here.owner != there.owner),
        (Difference::Links, here.first_name != there.first_name),
    ];
    // Where the type differs, nothing else is comparable.
    let count = if here.kind == there.kind { checks.len() } else { 1 };
    checks.into_iter().take(count).filter(|(_, differs)| *differs).map(|(how, _)| how)
}

/// How the two sides of a lab differ now.
///
/// # Errors
///
/// When one side cannot be listed.
pub(crate) fn differences(lab: &Lab) -> std::io::Result<Vec<(PathBuf, Difference)>> {
    Ok(compare(&list(&lab.on_primary(""))?, &list(&lab.on_secondary(""))?))
}

/// Waits until both sides are equal, and panics with the differences that stayed.
#[track_caller]
pub(crate) fn wait_equal(lab: &Lab) {
    let mut last = Ok(Vec::new());
    let equal = wait::poll(PATIENCE, || {
        last = differences(lab);
        matches!(&last, Ok(found) if found.is_empty()).then_some(())
    });
    if equal.is_none() {
        session::tell_logs(lab);
        panic!("the sides still differ after {PATIENCE} s: {last:#?}");
    }
}

/// Waits until `path` differs as told.
#[track_caller]
pub(crate) fn wait_differs(lab: &Lab, path: &str, how: Difference) {
    let mut last = Ok(Vec::new());
    let differs = wait::poll(PATIENCE, || {
        last = differences(lab);
        let found = last.as_ref().ok()?;
        found.contains(&(PathBuf::from(path), how)).then_some(())
    });
    assert!(differs.is_some(), "no {how:?} at {path} after {PATIENCE} s: {last:#?}");
}

/// A path of any bytes.
pub(crate) fn odd_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
