//! The changelogs of a brick: which there are, and their records one by one.

mod backlog;
mod estimate;
mod history;
mod index;
mod marks;
mod show;
mod stats;

pub use backlog::{Backlog, Pending, Resent, pending};
pub(in crate::scan) use estimate::recorded;
pub use history::{Damaged, Event, History, Pattern, Reuse, Span, Subject, dropped, history};
pub use index::{HistoryIndex, Htime, history_index};
pub use marks::{Marks, marks_of};
pub use show::{About, NamePattern, Op, ShowOptions, Shown, show};
pub use stats::{Bucket, HotFolder, Stats, Unneeded, stats};

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::domain::{Kind, Name, UserError};
use crate::format::changelog::{Decoder, Form, Item};
use crate::format::htime;
use crate::format::htime::{index_time, slice_of};

/// How much of a file is in memory at once, in bytes.
const WINDOW: usize = 1 << 18;

/// One changelog file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changelog {
    /// Where it is.
    pub path: PathBuf,
    /// When its slice ended, in seconds since 1970; `None` for the one still written to.
    pub end: Option<u32>,
    /// Its size in bytes, the header included.
    pub size: u64,
}

/// The changelogs of one brick, oldest first, the one still written to last.
#[derive(Clone, Debug)]
pub struct Changelogs {
    /// The brick's root, as given.
    pub brick: PathBuf,
    /// The files, empty ones too.
    pub files: Vec<Changelog>,
    /// Folders that could not be read, one sentence each.
    pub notes: Vec<String>,
}

/// The changelogs of a brick cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ChangelogsError {
    /// There are none at this place.
    #[error("no changelogs at {path}")]
    Missing {
        /// The folder that was looked for.
        path: Name,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: Name,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl ChangelogsError {
    pub(super) fn unreadable(path: &Path, source: io::Error) -> Self {
        Self::Unreadable { path: name_of(path), source }
    }
}

impl UserError for ChangelogsError {
    fn kind(&self) -> Kind {
        Kind::Blind
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { .. } => vec![
                "give the brick's root, the directory that holds .glusterfs, on the node that has it".to_owned(),
                "gluster volume get VOLUME changelog.changelog   shows whether they are written"
                    .to_owned(),
            ],
            Self::Unreadable { .. } => Vec::new(),
        }
    }
}

/// A path as a name that can be shown.
pub(super) fn name_of(path: &Path) -> Name {
    Name::from(path.as_os_str().as_encoded_bytes())
}

impl Changelogs {
    /// Lists the changelogs of a brick in both layouts: `changelogs/CHANGELOG.<time>` of releases
    /// before 8, `changelogs/YYYY/MM/DD/CHANGELOG.<time>` since.
    ///
    /// # Errors
    /// [`ChangelogsError::Missing`] if the brick has no folder of changelogs.
    pub fn of(brick: &Path) -> Result<Self, ChangelogsError> {
        let folder = folder(brick);
        // Looked at first: rolled over while the folders are listed, it is seen under its new name.
        let live = changelog(&folder.join("CHANGELOG"), None);
        let missing = |source| ChangelogsError::Missing { path: name_of(&folder), source };
        let mut files = Vec::new();
        let mut notes = Vec::new();
        let mut days = Vec::new();
        for entry in fs::read_dir(&folder).map_err(missing)? {
            let Ok(entry) = entry else { continue };
            if is_number(&entry.file_name(), 4) {
                days.extend(dated(&entry.path(), &mut notes));
            } else {
                files.extend(rolled_over(&entry));
            }
        }
        for day in days {
            match fs::read_dir(&day) {
                Ok(entries) => files.extend(entries.flatten().filter_map(|e| rolled_over(&e))),
                Err(error) => notes.push(format!("{}: {error}", name_of(&day))),
            }
        }
        files.sort_by(|(a, _), (b, _)| a.end.cmp(&b.end).then_with(|| a.path.cmp(&b.path)));
        if let Some((live, inode)) = live
            && files.iter().all(|(_, known)| *known != inode)
        {
            files.push((live, inode));
        }
        let files = files.into_iter().map(|(file, _)| file).collect();
        Ok(Self { brick: brick.to_owned(), files, notes })
    }

    /// The files whose slice may hold changes of this time: none before `since`, the one that is
    /// still written to only without `until`. Seconds since 1970.
    pub fn between(
        &self,
        since: Option<i64>,
        until: Option<i64>,
    ) -> impl Iterator<Item = &Changelog> {
        self.files.iter().filter(move |file| match file.end.map(i64::from) {
            Some(end) => since.is_none_or(|at| end >= at) && until.is_none_or(|at| end <= at),
            None => until.is_none(),
        })
    }
}

/// The folder of a brick's changelogs; gsyncd knows no other.
pub(super) fn folder(brick: &Path) -> PathBuf {
    brick.join(".glusterfs/changelogs")
}

/// The HTIME files of a brick, in the order of their times.
pub(super) fn htimes(brick: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(brick).join("htime")).into_iter().flatten().flatten();
    let named = |entry: fs::DirEntry| Some((index_time(&entry.file_name())?, entry.path()));
    let mut found: Vec<_> = entries.filter_map(named).collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Finds a changelog of a brick by the name that logs give, such as `CHANGELOG.1795230034`, in
/// either layout.
#[must_use]
pub fn locate(brick: &Path, name: &str) -> Option<Changelog> {
    let (end, _) = slice_of(name.as_bytes())?;
    let folder = folder(brick);
    [htime::dated_path(end), htime::flat_path(end)]
        .iter()
        .find_map(|path| Some(changelog(&folder.join(path), Some(end))?.0))
}

fn changelog(path: &Path, end: Option<u32>) -> Option<(Changelog, (u64, u64))> {
    let about = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    let file = Changelog { path: path.to_owned(), end, size: about.len() };
    Some((file, (about.dev(), about.ino())))
}

fn rolled_over(entry: &fs::DirEntry) -> Option<(Changelog, (u64, u64))> {
    match slice_of(entry.file_name().as_encoded_bytes())? {
        (end, false) => changelog(&entry.path(), Some(end)),
        (_, true) => None,
    }
}

/// The folders of days below a year.
fn dated(year: &Path, notes: &mut Vec<String>) -> Vec<PathBuf> {
    let mut numbered = |folder: &Path| -> Vec<PathBuf> {
        match fs::read_dir(folder) {
            Ok(entries) => entries
                .flatten()
                .filter(|entry| is_number(&entry.file_name(), 2))
                .map(|entry| entry.path())
                .collect(),
            Err(error) => {
                notes.push(format!("{}: {error}", name_of(folder)));
                Vec::new()
            }
        }
    };
    numbered(year).iter().flat_map(|month| numbered(month)).collect()
}

fn is_number(name: &std::ffi::OsStr, digits: usize) -> bool {
    name.len() == digits && name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

/// Hands every item of a changelog to `each`, until it breaks off; answers with the file's form.
///
/// # Errors
/// The error of opening or reading the file.
pub fn read(
    path: &Path,
    each: impl FnMut(&Item<'_>) -> ControlFlow<()>,
) -> io::Result<Option<Form>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    read_from(file, size, each)
}

/// The same for a changelog inside another file; `size` is a guess of its length in bytes.
pub(super) fn read_from(
    source: impl io::Read,
    size: u64,
    each: impl FnMut(&Item<'_>) -> ControlFlow<()>,
) -> io::Result<Option<Form>> {
    let mut decoder = Decoder::default();
    windows(source, size, &mut decoder, each)?;
    Ok(decoder.form())
}

/// Hands every item of an HTIME to `each`, until it breaks off.
///
/// # Errors
/// The error of opening or reading the file.
pub fn read_htime(
    path: &Path,
    each: impl FnMut(&htime::Item<'_>) -> ControlFlow<()>,
) -> io::Result<()> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    windows(file, size, &mut htime::Decoder::default(), each)
}

/// Reads items from a window of a file; is informed of what the window lost at its front.
trait Windowed {
    type Item<'a>;
    fn next<'a>(&mut self, window: &'a [u8], at: &mut usize, last: bool) -> Option<Self::Item<'a>>;
    fn drop_front(&mut self, length: usize);
}

impl Windowed for Decoder {
    type Item<'a> = Item<'a>;
    #[inline]
    fn next<'a>(&mut self, window: &'a [u8], at: &mut usize, last: bool) -> Option<Item<'a>> {
        self.next(window, at, last)
    }
    fn drop_front(&mut self, length: usize) {
        self.drop_front(length);
    }
}

impl Windowed for htime::Decoder {
    type Item<'a> = htime::Item<'a>;
    fn next<'a>(
        &mut self,
        window: &'a [u8],
        at: &mut usize,
        last: bool,
    ) -> Option<htime::Item<'a>> {
        self.next(window, at, last)
    }
    fn drop_front(&mut self, length: usize) {
        self.drop_front(length);
    }
}

/// Reads a file window by window, item by item.
fn windows<D: Windowed>(
    mut source: impl io::Read,
    size: u64,
    decoder: &mut D,
    mut each: impl FnMut(&D::Item<'_>) -> ControlFlow<()>,
) -> io::Result<()> {
    let size = usize::try_from(size).unwrap_or(WINDOW);
    let mut window = vec![0; size.clamp(64, WINDOW - 1) + 1];
    let mut filled = 0;
    loop {
        let room = window.get_mut(filled..).unwrap_or_default();
        let got = match source.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            got => got?,
        };
        filled += got;
        let (seen, last) = (window.get(..filled).unwrap_or_default(), got == 0);
        let mut done = 0;
        while let Some(item) = decoder.next(seen, &mut done, last) {
            if each(&item).is_break() {
                return Ok(());
            }
        }
        decoder.drop_front(done);
        if last {
            return Ok(());
        }
        window.copy_within(done..filled, 0);
        filled -= done;
        if filled == window.len() {
            // Damage that is longer than the window; it is kept whole only up to its edge.
            window.resize(window.len() * 2, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brick() -> tempfile::TempDir {
        let brick = tempfile::tempdir().unwrap();
        let folder = folder(brick.path());
        fs::create_dir_all(folder.join("2026/11/21")).unwrap();
        fs::create_dir_all(folder.join("htime")).unwrap();
        fs::create_dir_all(folder.join("csnap")).unwrap();
        for name in [
            "CHANGELOG",
            "CHANGELOG.1395230034",
            "2026/11/21/CHANGELOG.1795230034",
            "2026/11/21/CHANGELOG.1795230019",
            "csnap/CHANGELOG.SNAP",
            "htime/HTIME.1395230000",
        ] {
            File::create(folder.join(name)).unwrap();
        }
        brick
    }

    #[test]
    fn lists_both_layouts_in_the_order_of_time() {
        let brick = brick();
        let found = Changelogs::of(brick.path()).unwrap();
        let ends: Vec<_> = found.files.iter().map(|file| file.end).collect();
        assert_eq!(ends, [Some(1_395_230_034), Some(1_795_230_019), Some(1_795_230_034), None]);
        assert_eq!(found.between(Some(1_795_230_020), None).count(), 2);
        assert_eq!(found.between(None, Some(1_795_230_019)).count(), 2);
        assert!(Changelogs::of(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn locates_by_the_name_in_a_log() {
        let brick = brick();
        let flat = locate(brick.path(), "CHANGELOG.1395230034").unwrap();
        assert_eq!(flat.path, folder(brick.path()).join("CHANGELOG.1395230034"));
        assert!(locate(brick.path(), "CHANGELOG.1795230034").is_some());
        assert!(locate(brick.path(), "CHANGELOG.1795230035").is_none());
        assert!(locate(brick.path(), "../CHANGELOG").is_none());
    }
}
