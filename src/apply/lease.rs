//! Fencing: only the process that holds the lease of a run may change a peer.
//!
//! If a connection breaks, or the calling georepair is killed, its agent lives on until it notices,
//! and a late request may reach it when another georepair has resumed the run. So whoever executes
//! a run first takes the lease on every peer, and a peer makes changes only for its holder.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::executor::ExecutorError;
use crate::apply::local::lock_within;
use crate::plan::NodePath;

/// How long to wait for a change that was started under an earlier lease.
const PATIENCE: Duration = Duration::from_mins(2);

/// What one georepair process executes, as its peers know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lease {
    /// The state directory: whoever resumes the run reads it there, and so names the same one.
    pub state_dir: NodePath,
    /// The run, and the one that it undoes.
    pub runs: Vec<Uuid>,
    /// Distinguishes this process from any other with the same run.
    pub token: Uuid,
}

/// The lease held on this node: a file for each run with the token of its holder, locked during a
/// change.
#[derive(Debug)]
pub struct Leases {
    held: Option<Lease>,
    patience: Duration,
}

impl Default for Leases {
    fn default() -> Self {
        Self { held: None, patience: PATIENCE }
    }
}

impl Lease {
    fn folder(&self) -> PathBuf {
        self.state_dir.path().join("turns")
    }

    fn file(&self, run: Uuid) -> PathBuf {
        self.folder().join(run.to_string())
    }
}

impl Leases {
    /// Takes the lease from its holder; waits for a change in progress.
    ///
    /// # Errors
    /// [`ExecutorError::Unfit`] if that change takes too long, [`ExecutorError::System`] if the file
    /// cannot be opened.
    pub fn take(&mut self, lease: Lease) -> Result<(), ExecutorError> {
        let folder = lease.folder();
        fs::create_dir_all(&folder).map_err(|source| cannot_use(&folder, source))?;
        for run in &lease.runs {
            let path = lease.file(*run);
            let mut file = self.made_and_locked(*run, &path)?;
            let write = file.set_len(0).and_then(|()| file.write_all(lease.token.as_bytes()));
            write.map_err(|source| cannot_use(&path, source))?;
        }
        self.held = Some(lease);
        Ok(())
    }

    /// Makes a change if the lease is still held; nobody can take it meanwhile.
    ///
    /// # Errors
    /// [`ExecutorError::Unfit`] if it is not; or the error of the change.
    pub fn during<T>(
        &self,
        change: impl FnOnce() -> Result<T, ExecutorError>,
    ) -> Result<T, ExecutorError> {
        let lease =
            self.held.as_ref().ok_or_else(|| unfit("no run was announced before the change"))?;
        let locks = lease.runs.iter().map(|run| self.own(lease, *run));
        let locks = locks.collect::<Result<Vec<File>, _>>()?;
        let done = change();
        drop(locks);
        done
    }

    fn made_and_locked(&self, run: Uuid, path: &Path) -> Result<File, ExecutorError> {
        loop {
            let open =
                File::options().read(true).write(true).create(true).truncate(false).open(path);
            let file = open.map_err(|source| cannot_use(path, source))?;
            self.lock(run, path, &file)?;
            // Whoever had it before may have removed it between the two.
            if file.metadata().map_err(|source| cannot_use(path, source))?.nlink() > 0 {
                return Ok(file);
            }
        }
    }

    /// The run's file, locked, if it has the lease's token.
    fn own(&self, lease: &Lease, run: Uuid) -> Result<File, ExecutorError> {
        let path = lease.file(run);
        let taken = || unfit(&format!("run {run} was resumed by another georepair process"));
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(taken()),
            opened => opened.map_err(|source| cannot_use(&path, source))?,
        };
        self.lock(run, &path, &file)?;
        let mut found = Vec::new();
        file.read_to_end(&mut found).map_err(|source| cannot_use(&path, source))?;
        if found == lease.token.as_bytes() { Ok(file) } else { Err(taken()) }
    }

    fn lock(&self, run: Uuid, path: &Path, file: &File) -> Result<(), ExecutorError> {
        if lock_within(file, self.patience).map_err(|source| cannot_use(path, source))? {
            return Ok(());
        }
        Err(unfit(&format!(
            "a change of an earlier georepair process for run {run} is still in progress there \
             after {} s",
            self.patience.as_secs()
        )))
    }
}

impl Drop for Leases {
    /// Removes the files; a late request finds none, and is refused.
    #[expect(clippy::disallowed_methods, reason = "removes its own files, which hold nothing")]
    fn drop(&mut self) {
        let Some(lease) = &self.held else { return };
        for run in &lease.runs {
            if let Ok(_lock) = self.own(lease, *run) {
                // A file that stays is a few bytes, and the next lease's.
                let _ = fs::remove_file(lease.file(*run));
            }
        }
    }
}

fn unfit(why: &str) -> ExecutorError {
    ExecutorError::Unfit(why.to_owned())
}

fn cannot_use(path: &Path, source: io::Error) -> ExecutorError {
    ExecutorError::system("use", path, source)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;
    use uuid::Uuid;

    use super::{Lease, Leases};
    use crate::apply::ExecutorError;

    fn lease(dir: &TempDir, runs: &[u128], token: u128) -> Lease {
        let runs = runs.iter().copied().map(Uuid::from_u128).collect();
        Lease { state_dir: dir.path().into(), runs, token: Uuid::from_u128(token) }
    }

    #[track_caller]
    fn refused(answer: Result<(), ExecutorError>, why: &str) {
        let said = answer.unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }

    #[test]
    fn who_is_late_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (mut late, mut next) = (Leases::default(), Leases::default());
        refused(late.during(|| Ok(())), "no run was announced");
        late.take(lease(&dir, &[1], 10)).unwrap();
        late.during(|| Ok(())).unwrap();
        next.take(lease(&dir, &[1], 11)).unwrap();
        let mut changed = false;
        let answer = late.during(|| {
            changed = true;
            Ok(())
        });
        refused(answer, "resumed by another georepair process");
        assert!(!changed);
        drop(next);
        refused(late.during(|| Ok(())), "another georepair process");
        drop(late);
        assert_eq!(std::fs::read_dir(dir.path().join("turns")).unwrap().count(), 0);
    }

    #[test]
    fn other_runs_do_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (Leases::default(), Leases::default());
        one.take(lease(&dir, &[1], 10)).unwrap();
        other.take(lease(&dir, &[2], 11)).unwrap();
        one.during(|| other.during(|| Ok(()))).unwrap();
    }

    #[test]
    fn what_takes_a_run_back_takes_its_turn_as_well() {
        let dir = tempfile::tempdir().unwrap();
        let (mut run, mut undo) = (Leases::default(), Leases::default());
        run.take(lease(&dir, &[1], 10)).unwrap();
        undo.take(lease(&dir, &[2, 1], 11)).unwrap();
        refused(run.during(|| Ok(())), "another georepair process");
        undo.during(|| Ok(())).unwrap();
    }

    #[test]
    fn a_change_under_way_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (mut early, mut next) = (Leases::default(), Leases::default());
        early.take(lease(&dir, &[1], 10)).unwrap();
        next.patience = Duration::ZERO;
        early
            .during(|| {
                refused(next.take(lease(&dir, &[1], 11)), "still in progress");
                Ok(())
            })
            .unwrap();
        next.take(lease(&dir, &[1], 11)).unwrap();
    }
}
