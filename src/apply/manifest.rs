//! The list of a bulk step on disk: written once, proven by its checksum, read batch by batch.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use crate::domain::{Kind, UserError};
use crate::plan::{BATCH, Bulk, Item, ItemError, Manifest};

/// The list of a bulk step cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read or written.
    #[error("cannot open the list {path:?}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It is not the file that the plan was created with.
    #[error("the list {path:?} is not the plan's: it has {found}, expected {expected}")]
    Other {
        /// The file.
        path: PathBuf,
        /// Count and digest in the plan.
        expected: String,
        /// Count and digest of the file.
        found: String,
    },
    /// A line of it cannot be read.
    #[error(transparent)]
    Item(#[from] ItemError),
    /// Its name would leave the plan's directory.
    #[error("invalid name of a list: {name:?}")]
    Name {
        /// The name.
        name: String,
    },
}

impl UserError for ManifestError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }
}

/// Writes a list, item by item, in the order of the work.
pub struct ManifestWriter {
    path: PathBuf,
    name: String,
    out: BufWriter<File>,
    digest: Xxh3Default,
    count: u64,
}

/// Reads a list batch by batch.
pub struct ManifestReader {
    path: PathBuf,
    input: BufReader<File>,
    line: u64,
}

impl ManifestWriter {
    /// Creates a list of this name in a directory.
    ///
    /// # Errors
    /// [`ManifestError`], also if a file of this name exists.
    pub fn create(folder: &Path, name: &str) -> Result<Self, ManifestError> {
        let path = list_path(folder, name)?;
        let file = File::create_new(&path);
        let file = file.map_err(|source| ManifestError::File { path: path.clone(), source })?;
        let out = BufWriter::with_capacity(1 << 16, file);
        Ok(Self { path, name: name.to_owned(), out, digest: Xxh3Default::new(), count: 0 })
    }

    /// Adds an item.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub fn push(&mut self, item: &Item) -> Result<(), ManifestError> {
        let line = item.to_line().map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.out.write_all(&line)?;
            Ok(line)
        });
        let line = line.map_err(|source| self.failed(source))?;
        self.digest.update(&line);
        self.count += 1;
        Ok(())
    }

    /// Syncs the list and returns its entry for the plan.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub fn finish(mut self) -> Result<Manifest, ManifestError> {
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(|source| self.failed(source))?;
        let digest = format!("{:016x}", self.digest.digest());
        Ok(Manifest { file: self.name, count: self.count, digest })
    }

    fn failed(&self, source: io::Error) -> ManifestError {
        ManifestError::File { path: self.path.clone(), source }
    }
}

impl ManifestReader {
    /// Opens a list; reads it once to verify that it is the plan's.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn open(folder: &Path, manifest: &Manifest) -> Result<Self, ManifestError> {
        let path = list_path(folder, &manifest.file)?;
        let failed = |source| ManifestError::File { path: path.clone(), source };
        let mut input = BufReader::with_capacity(1 << 16, File::open(&path).map_err(failed)?);
        let (mut digest, mut count) = (Xxh3Default::new(), 0);
        loop {
            let bytes = input.fill_buf().map_err(failed)?;
            if bytes.is_empty() {
                break;
            }
            digest.update(bytes);
            count += memchr::memchr_iter(b'\n', bytes).count() as u64;
            let length = bytes.len();
            input.consume(length);
        }
        let found = format!("{:016x}", digest.digest());
        if (count, &found) != (manifest.count, &manifest.digest) {
            let expected = format!("{} lines, xxh3 {}", manifest.count, manifest.digest);
            let found = format!("{count} lines, xxh3 {found}");
            return Err(ManifestError::Other { path, expected, found });
        }
        io::Seek::rewind(&mut input).map_err(failed)?;
        Ok(Self { path, input, line: 0 })
    }

    /// The byte offset of each batch from the current position on.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub(super) fn offsets(&mut self) -> Result<Vec<u64>, ManifestError> {
        let (mut offsets, mut at) = (Vec::new(), 0);
        for line in 0_usize.. {
            let read = self.input.skip_until(b'\n').map_err(|source| self.failed(source))?;
            if read == 0 {
                break;
            }
            if line % BATCH == 0 {
                offsets.push(at);
            }
            at += read as u64;
        }
        Ok(offsets)
    }

    /// Seeks to the offset of a batch; line numbers in errors are counted from there.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub(super) fn seek(&mut self, offset: u64) -> Result<(), ManifestError> {
        self.line = 0;
        let sought = io::Seek::seek(&mut self.input, io::SeekFrom::Start(offset));
        sought.map(|_| ()).map_err(|source| self.failed(source))
    }

    /// Skips so many lines.
    ///
    /// # Errors
    /// [`ManifestError::File`].
    pub fn skip(&mut self, lines: u64) -> Result<(), ManifestError> {
        for _ in 0..lines {
            self.input.skip_until(b'\n').map_err(|source| self.failed(source))?;
            self.line += 1;
        }
        Ok(())
    }

    /// The next items, at most [`BATCH`]; none at the end.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn batch(&mut self, bulk: &Bulk) -> Result<Vec<Item>, ManifestError> {
        let mut items = Vec::new();
        let mut text = Vec::new();
        while items.len() < BATCH {
            text.clear();
            let read = self.input.read_until(b'\n', &mut text);
            if read.map_err(|source| self.failed(source))? == 0 {
                break;
            }
            self.line += 1;
            items.push(bulk.read_item(&text, self.line)?);
        }
        Ok(items)
    }

    fn failed(&self, source: io::Error) -> ManifestError {
        ManifestError::File { path: self.path.clone(), source }
    }
}

/// The path of a list; a name that leads out of the directory is refused.
pub(super) fn list_path(folder: &Path, name: &str) -> Result<PathBuf, ManifestError> {
    let path = folder.join(name);
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Err(ManifestError::Name { name: name.to_owned() });
    }
    Ok(path)
}
