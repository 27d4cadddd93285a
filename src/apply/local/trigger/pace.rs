//! Throttles a bulk step: it waits while a brick's backlog is large, or while the pause file exists.

use std::path::Path;

use crate::apply::executor::ExecutorError;
use crate::domain::{Time, in_one_line};
use crate::plan::Pace;
use crate::scan::changelog::{Backlog, pending};

/// Why the pace does not allow another batch right now, in words.
///
/// # Errors
/// [`ExecutorError`] if a brick's pending records cannot be counted.
pub(in crate::apply) fn must_wait(pace: &Pace) -> Result<Option<String>, ExecutorError> {
    // An error counts as no file: a pause must not last by mistake.
    let pause = pace.pause_file.as_ref().filter(|file| file.path().symlink_metadata().is_ok());
    if let Some(file) = pause {
        return Ok(Some(format!("paused by {file}")));
    }
    let Some(most) = pace.max_backlog else { return Ok(None) };
    for brick in &pace.bricks {
        let records = records(brick.path())?;
        if records > most {
            return Ok(Some(format!("{records} records are pending on {brick}")));
        }
    }
    Ok(None)
}

/// The records that the slowest session has still to read on a brick.
fn records(brick: &Path) -> Result<u64, ExecutorError> {
    // The time only decides whether a worker counts as stalled, which is not used here.
    let found = pending(brick, &[], None, Path::new("/nonexistent"), Time::from_secs(0));
    let found = found.map_err(|error| ExecutorError::Unfit(in_one_line(&error)))?;
    let records = found.iter().filter_map(|it| it.backlog.as_ref()).map(Backlog::records);
    Ok(records.max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::NodePath;

    #[test]
    fn a_pause_lasts_as_long_as_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pause");
        let pause_file = Some(NodePath::from(file.clone()));
        let pace = Pace { pause_file, ..Pace::default() };
        assert_eq!(must_wait(&pace).unwrap(), None);
        std::fs::File::create(&file).unwrap();
        assert!(must_wait(&pace).unwrap().unwrap().contains("pause"));
    }

    #[test]
    fn a_brick_that_cannot_be_counted_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let bricks = vec![NodePath::from(dir.path())];
        let pace = Pace { max_backlog: Some(1), bricks, ..Pace::default() };
        assert!(must_wait(&pace).is_err());
    }
}
