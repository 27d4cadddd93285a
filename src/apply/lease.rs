//! Whose turn it is on a peer: what an earlier georepair left behind there changes nothing more.
//!
//! Where a connection breaks, or the georepair that asked is killed, its agent lives on for as
//! long as the connection seems to stand, and a question on its way may reach it late: when
//! another georepair has gone on with the run. So whoever carries out a run takes its turn on
//! every peer first, and a peer changes something only for whose turn it is.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::executor::ExecutorError;
use crate::apply::local::locks;
use crate::plan::NodePath;

/// How long a change that was begun before is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

/// What one georepair carries out, as it tells its peers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lease {
    /// The state directory: whoever goes on with the run has it from there, and so names the same.
    pub state_dir: NodePath,
    /// The run, and the one that it takes back.
    pub runs: Vec<Uuid>,
    /// Tells this georepair from any other at the same run.
    pub token: Uuid,
}

/// The turn on this node: a file for each run that is carried out, with the token of whose turn it
/// is; locked while something is changed.
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
    /// Takes the turn, from whoever had it; a change under way is waited for.
    ///
    /// # Errors
    /// [`ExecutorError::Unfit`] where that change takes too long, [`ExecutorError::System`] where the
    /// file cannot be used.
    pub fn take(&mut self, turn: Lease) -> Result<(), ExecutorError> {
        let folder = turn.folder();
        fs::create_dir_all(&folder).map_err(|source| cannot_use(&folder, source))?;
        for run in &turn.runs {
            let path = turn.file(*run);
            let mut file = self.made_and_locked(*run, &path)?;
            let write = file.set_len(0).and_then(|()| file.write_all(turn.token.as_bytes()));
            write.map_err(|source| cannot_use(&path, source))?;
        }
        self.held = Some(turn);
        Ok(())
    }

    /// Changes something, if it is still this one's turn; nobody takes it meanwhile.
    ///
    /// # Errors
    /// [`ExecutorError::Unfit`] where it is not; or what the change itself says.
    pub fn during<T>(
        &self,
        change: impl FnOnce() -> Result<T, ExecutorError>,
    ) -> Result<T, ExecutorError> {
        let turn = self.held.as_ref().ok_or_else(|| unfit("no run was named before the change"))?;
        let locks = turn.runs.iter().map(|run| self.own(turn, *run));
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

    /// The run's file, locked, where the turn's token is in it.
    fn own(&self, turn: &Lease, run: Uuid) -> Result<File, ExecutorError> {
        let path = turn.file(run);
        let taken = || unfit(&format!("another georepair has gone on with run {run}"));
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(taken()),
            opened => opened.map_err(|source| cannot_use(&path, source))?,
        };
        self.lock(run, &path, &file)?;
        let mut found = Vec::new();
        file.read_to_end(&mut found).map_err(|source| cannot_use(&path, source))?;
        if found == turn.token.as_bytes() { Ok(file) } else { Err(taken()) }
    }

    fn lock(&self, run: Uuid, path: &Path, file: &File) -> Result<(), ExecutorError> {
        if locks(file, self.patience).map_err(|source| cannot_use(path, source))? {
            return Ok(());
        }
        Err(unfit(&format!(
            "a change that an earlier georepair began for run {run} is still under way there \
             after {} s",
            self.patience.as_secs()
        )))
    }
}

impl Drop for Leases {
    /// Leaves nothing behind; whoever is late finds no file, and so not its turn.
    #[expect(clippy::disallowed_methods, reason = "removes its own files, which hold nothing")]
    fn drop(&mut self) {
        let Some(turn) = &self.held else { return };
        for run in &turn.runs {
            if let Ok(_lock) = self.own(turn, *run) {
                // A file that stays is a few bytes, and the next turn's.
                let _ = fs::remove_file(turn.file(*run));
            }
        }
    }
}

fn unfit(why: &str) -> ExecutorError {
    ExecutorError::Unfit(why.to_owned())
}

fn cannot_use(path: &Path, source: io::Error) -> ExecutorError {
    ExecutorError::System { doing: format!("use {}", path.display()), source }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;
    use uuid::Uuid;

    use super::{Lease, Leases};
    use crate::apply::ExecutorError;

    fn turn(dir: &TempDir, runs: &[u128], token: u128) -> Lease {
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
        refused(late.during(|| Ok(())), "no run was named");
        late.take(turn(&dir, &[1], 10)).unwrap();
        late.during(|| Ok(())).unwrap();
        next.take(turn(&dir, &[1], 11)).unwrap();
        let mut changed = false;
        let answer = late.during(|| {
            changed = true;
            Ok(())
        });
        refused(answer, "another georepair has gone on with run");
        assert!(!changed);
        drop(next);
        refused(late.during(|| Ok(())), "another georepair");
        drop(late);
        assert_eq!(std::fs::read_dir(dir.path().join("turns")).unwrap().count(), 0);
    }

    #[test]
    fn other_runs_do_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (Leases::default(), Leases::default());
        one.take(turn(&dir, &[1], 10)).unwrap();
        other.take(turn(&dir, &[2], 11)).unwrap();
        one.during(|| other.during(|| Ok(()))).unwrap();
    }

    #[test]
    fn what_takes_a_run_back_takes_its_turn_as_well() {
        let dir = tempfile::tempdir().unwrap();
        let (mut run, mut undo) = (Leases::default(), Leases::default());
        run.take(turn(&dir, &[1], 10)).unwrap();
        undo.take(turn(&dir, &[2, 1], 11)).unwrap();
        refused(run.during(|| Ok(())), "another georepair");
        undo.during(|| Ok(())).unwrap();
    }

    #[test]
    fn a_change_under_way_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (mut early, mut next) = (Leases::default(), Leases::default());
        early.take(turn(&dir, &[1], 10)).unwrap();
        next.patience = Duration::ZERO;
        early
            .during(|| {
                refused(next.take(turn(&dir, &[1], 11)), "still under way");
                Ok(())
            })
            .unwrap();
        next.take(turn(&dir, &[1], 11)).unwrap();
    }
}
