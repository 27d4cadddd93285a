//! The stimes of a brick's directories, by which a crawl decides what to skip.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::apply::executor::ExecutorError;

/// Whether any directory below the root still has the mark.
pub(super) fn any_left(root: &Path, name: &str) -> Result<bool, ExecutorError> {
    for dir in below(root) {
        let dir = dir?;
        if read(&dir, name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes the mark from every directory below the root.
#[expect(clippy::disallowed_methods, reason = "a journalled step removes these xattrs")]
pub(super) fn remove(root: &Path, name: &str) -> Result<(), ExecutorError> {
    for dir in below(root) {
        let dir = dir?;
        if read(&dir, name)?.is_some() {
            xattr::remove(&dir, name).map_err(|source| failed("remove", name, &dir, source))?;
        }
    }
    Ok(())
}

fn read(dir: &Path, name: &str) -> Result<Option<Vec<u8>>, ExecutorError> {
    match xattr::get(dir, name) {
        // A client removed it meanwhile, and its mark with it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map_err(|source| failed("read", name, dir, source)),
    }
}

/// Every directory below a brick's root, gluster's own left out.
fn below(root: &Path) -> impl Iterator<Item = Result<PathBuf, ExecutorError>> {
    let own = |entry: &DirEntry| entry.depth() == 1 && entry.file_name() == ".glusterfs";
    let walk = WalkDir::new(root).min_depth(1).same_file_system(true).into_iter();
    let walk = walk.filter_entry(move |entry| entry.file_type().is_dir() && !own(entry));
    walk.filter_map(|entry| match entry {
        Ok(entry) => Some(Ok(entry.into_path())),
        Err(error) if error.io_error().is_some_and(|it| it.kind() == io::ErrorKind::NotFound) => {
            None
        }
        Err(error) => Some(Err(ExecutorError::System {
            doing: "walk through the brick".to_owned(),
            source: error.into(),
        })),
    })
}

fn failed(verb: &str, name: &str, dir: &Path, source: io::Error) -> ExecutorError {
    ExecutorError::system(&format!("{verb} xattr {name} of"), dir, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directory_loses_its_mark_and_nothing_else_does() {
        let brick = tempfile::tempdir().unwrap();
        let root = brick.path();
        for dir in ["a/b/c", "d", ".glusterfs/xx"] {
            std::fs::create_dir_all(root.join(dir)).unwrap();
        }
        let (mark, other) = ("user.one.stime", "user.two.stime");
        let marked = ["", "a", "a/b/c", ".glusterfs/xx"];
        for dir in marked {
            for name in [mark, other] {
                #[expect(clippy::disallowed_methods, reason = "a test makes its marks")]
                xattr::set(root.join(dir), name, b"12345678").unwrap();
            }
        }
        assert!(any_left(root, mark).unwrap());
        remove(root, mark).unwrap();
        assert!(!any_left(root, mark).unwrap() && any_left(root, other).unwrap());
        let has = |dir: &str| xattr::get(root.join(dir), mark).unwrap().is_some();
        assert_eq!(marked.map(has), [true, false, false, true]);
    }
}
