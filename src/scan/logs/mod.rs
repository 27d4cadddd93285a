//! Finds log files in directories, rotated and compressed ones too, and reads all in parallel.

mod chunks;
mod classify;
mod follow;
mod incidents;
mod origin;
pub mod positions;
mod summary;
mod workers;

pub use follow::Follower;
pub use incidents::{Incident, Incidents};
pub use positions::{Position, Positions};
pub use summary::{LogSummary, Window};
pub use workers::{WorkerHistories, WorkerHistory};

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use flate2::read::MultiGzDecoder;
use jiff::tz::TimeZone;
use rayon::prelude::*;
use rustix::fs::{Mode, OFlags};
use walkdir::WalkDir;

use super::meter::Meter;
use crate::domain::{Kind, Name, UserError};

/// How a gzip file begins (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A log file to read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LogFile {
    /// Where it is; `-` is standard input.
    pub path: PathBuf,
    /// The directory of the case it belongs to.
    pub case: Option<PathBuf>,
    /// The offset in bytes where reading starts.
    pub from: u64,
}

/// Why no log can be read.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// A given path does not exist or cannot be read.
    #[error("cannot read {path:?}")]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A directory has no log.
    #[error("no log files below {path:?}")]
    NoLogs {
        /// The directory.
        path: PathBuf,
    },
    /// None of the standard directories has a log.
    #[error("no geo-replication logs below /var/log/glusterfs")]
    NoStandardLogs,
}

impl UserError for LogsError {
    fn kind(&self) -> Kind {
        Kind::Blind
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run as root: sudo georepair diagnose …"
            }
            Self::Unreadable { .. } => "check the path with ls -l, and name a log or directory",
            Self::NoLogs { .. } => {
                "only names with `.log` count as logs: name other files themselves"
            }
            Self::NoStandardLogs => "name a log or directory: georepair diagnose LOG|DIR…",
        };
        vec![hint.to_owned()]
    }
}

/// The geo-replication logs in the standard directories, of both sides, old names and new.
///
/// # Errors
/// [`LogsError::NoStandardLogs`] if there is none.
pub fn standard_logs(root: &Path) -> Result<Vec<LogFile>, LogsError> {
    let folders =
        ["geo-replication", "geo-replication-slaves", "geo-replication-secondaries", "bricks"];
    let singles = ["glusterd.log", "etc-glusterfs-glusterd.vol.log", "cli.log", "cmd_history.log"];
    let mut found = BTreeSet::new();
    for folder in folders {
        below(&root.join(folder), None, &mut found);
    }
    let beside = WalkDir::new(root).max_depth(1).into_iter().filter_map(Result::ok);
    for entry in beside.filter(|entry| entry.file_type().is_file()) {
        let name = entry.file_name().as_bytes();
        if singles.iter().any(|single| name.starts_with(single.as_bytes())) {
            found.insert(log_file(entry.path(), None));
        }
    }
    if found
        .iter()
        .any(|log| log.path.as_os_str().as_bytes().windows(15).any(|w| w == b"geo-replication"))
    {
        return Ok(found.into_iter().collect());
    }
    Err(LogsError::NoStandardLogs)
}

/// The given logs, and those below the given directories.
///
/// # Errors
/// [`LogsError`] if a path does not exist or a directory has no log.
pub fn find_logs(paths: &[PathBuf]) -> Result<Vec<LogFile>, LogsError> {
    let mut found = BTreeSet::new();
    let apart = paths.len() > 1;
    for path in paths {
        if path.as_os_str() == "-" {
            found.insert(log_file(path, None));
            continue;
        }
        let meta = path.metadata();
        let meta = meta.map_err(|source| LogsError::Unreadable { path: path.clone(), source })?;
        let before = found.len();
        if meta.is_dir() {
            let own = apart && path.join("README.md").is_file();
            below(path, own.then_some(path.as_path()), &mut found);
            if found.len() == before {
                return Err(LogsError::NoLogs { path: path.clone() });
            }
        } else {
            found.insert(log_file(path, None));
        }
    }
    Ok(found.into_iter().collect())
}

fn log_file(path: &Path, case: Option<PathBuf>) -> LogFile {
    LogFile { path: path.to_owned(), case, from: 0 }
}

/// Adds the logs below a directory; a subdirectory with a README.md is a case of its own.
fn below(root: &Path, own: Option<&Path>, found: &mut BTreeSet<LogFile>) {
    let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    for entry in walk.filter(|entry| !entry.file_type().is_dir()) {
        if is_log_name(entry.file_name()) {
            let folders = entry.path().ancestors().skip(1);
            let inside = folders.take_while(|folder| *folder != root && folder.starts_with(root));
            let case = inside.filter(|folder| folder.join("README.md").is_file()).last();
            let case = case.or(own).map(Path::to_owned);
            found.insert(log_file(entry.path(), case));
        }
    }
}

/// Whether a file is a log by its name: `X.log`, rotated `X.log.1` and `X.log-20261121`, compressed ones.
fn is_log_name(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let logged = name.windows(4).any(|part| part == b".log");
    logged && !name.ends_with(b".md") && !name.ends_with(b".swp")
}

/// Reads all files in parallel, each in chunks. Returns their summaries in the given order, and how
/// far each was read.
#[must_use]
pub fn read_all(
    files: &[LogFile],
    window: &Window,
    zone: Option<&TimeZone>,
    meter: &Meter,
) -> Vec<(LogSummary, Option<Position>)> {
    let read = |file| {
        let (summary, position) = read_one(file, window, None, meter);
        match zone {
            Some(_) if summary.is_in_local_time() => read_one(file, window, zone, meter),
            _ => (summary, position),
        }
    };
    files.par_iter().map(read).collect()
}

/// The files that have grown since their positions were recorded, to be read from there.
#[must_use]
pub fn grown_since(files: Vec<LogFile>, positions: &Positions) -> Vec<LogFile> {
    let resume = |mut log: LogFile| {
        let Ok(file) = open(&log.path) else { return Some(log) };
        let size = file.metadata().ok()?.size();
        let offset = positions.offset(&file);
        log.from = if is_packed(&file) { 0 } else { offset };
        (offset < size).then_some(log)
    };
    files.into_iter().filter_map(resume).collect()
}

/// Reads one file; an error becomes a note.
fn read_one(
    log: &LogFile,
    window: &Window,
    zone: Option<&TimeZone>,
    meter: &Meter,
) -> (LogSummary, Option<Position>) {
    let case = log.case.as_deref().map(name_of);
    let mut summary = LogSummary::unread(name_of(&log.path), case);
    summary.set_zone(zone);
    let mut position = None;
    let read = if log.path.as_os_str() == "-" {
        summary.read(io::stdin(), window, meter)
    } else {
        open(&log.path).and_then(|file| {
            let mut start = Position::of(&file)?;
            let packed = is_packed(&file);
            start.offset = if packed { file.metadata()?.size() } else { 0 };
            position = Some(start);
            read_file(file, log.from, &mut summary, window, meter)
        })
    };
    if let Err(error) = read {
        summary.note = Some(format!("{}: {error}", summary.path));
        summary.cut_short = true;
    } else if summary.bytes == 0 && log.from == 0 {
        summary.note = Some(format!("{}: the file is empty", summary.path));
    } else if summary.first.is_none() && summary.incidents.iter().next().is_none() && log.from == 0
    {
        summary.note = Some(format!("{}: no line in a known log format", summary.path));
    }
    if let Some(position) = &mut position
        && position.offset == 0
    {
        position.offset = log.from + summary.bytes;
    }
    (summary, position)
}

/// A path as a name.
pub(super) fn name_of(path: &Path) -> Name {
    Name::from(path.as_os_str().as_bytes())
}

/// Opens a regular file without ever waiting for a writer, as a FIFO would.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("not a regular file; feed a pipe through `georepair diagnose -`"))
}

/// Whether a file is a gzip file.
fn is_packed(file: &File) -> bool {
    let mut magic = [0; 2];
    file.read_exact_at(&mut magic, 0).is_ok() && magic == GZIP
}

fn read_file(
    mut file: File,
    from: u64,
    summary: &mut LogSummary,
    window: &Window,
    meter: &Meter,
) -> io::Result<()> {
    let mut magic = [0; 6];
    let read = file.read(&mut magic)?;
    let magic = magic.get(..read).unwrap_or_default();
    file.seek(SeekFrom::Start(from))?;
    let counted = Counted { file, meter };
    if magic.starts_with(&GZIP) {
        let packed = BufReader::with_capacity(1 << 18, counted);
        return summary.read(MultiGzDecoder::new(packed), window, meter);
    }
    let other: &[(&[u8], &str)] =
        &[(b"\xfd7zXZ\0", "xz -dc"), (b"BZh", "bzip2 -dc"), (b"\x28\xb5\x2f\xfd", "zstd -dc")];
    if let Some((_, command)) = other.iter().find(|(sign, _)| magic.starts_with(sign)) {
        let path = &summary.path;
        let command_line = format!("compressed: {command} {path} | georepair diagnose -");
        return Err(io::Error::other(command_line));
    }
    summary.read(counted, window, meter)
}

/// A file that counts the bytes read.
struct Counted<'a> {
    file: File,
    meter: &'a Meter,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.meter.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The size of the files on disk, in bytes.
#[must_use]
pub fn size(files: &[LogFile]) -> u64 {
    files.iter().filter_map(|log| log.path.metadata().ok()).map(|meta| meta.size()).sum()
}
