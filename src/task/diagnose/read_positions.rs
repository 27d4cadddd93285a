//! How far each log was read, kept in the state directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::{Kind, UserError};
use crate::scan::logs::Positions;

/// The state directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot remember read positions in {path:?}")]
pub(super) struct StateError {
    path: PathBuf,
    source: io::Error,
}

impl UserError for StateError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        vec!["choose another directory: --state-dir DIR".to_owned()]
    }
}

/// Reads the positions; none on the first run, and none from a damaged file.
pub(super) fn load(state_dir: &Path) -> Positions {
    let text = fs::read(file(state_dir)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Replaces the positions atomically.
#[expect(clippy::disallowed_methods, reason = "replaces only the tool's own file")]
pub(super) fn save(state_dir: &Path, positions: &Positions) -> Result<(), StateError> {
    let path = file(state_dir);
    let write = || {
        fs::create_dir_all(state_dir)?;
        let new = path.with_extension("new");
        let text = serde_json::to_vec(positions)?;
        fs::write(&new, text)?;
        fs::File::open(&new)?.sync_all()?;
        fs::rename(&new, &path)
    };
    write().map_err(|source: io::Error| StateError { path: path.clone(), source })
}

fn file(state_dir: &Path) -> PathBuf {
    state_dir.join("positions.json")
}
