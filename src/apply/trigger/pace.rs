//! Waiting before a batch: while the bricks have too much to do, or somebody asks for a pause.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::apply::WorldError;
use crate::domain::Time;
use crate::plan::Pace;
use crate::scan::{Backlog, pending};

/// How long between two looks, in milliseconds.
const LOOK: u64 = 1000;
/// How long until a wish to stop is heard, in milliseconds.
const HEAR: u64 = 100;

/// Waits until the pace allows another batch.
///
/// # Errors
/// [`WorldError`] where a brick's pending records cannot be counted, and where the user wants to
/// stop meanwhile.
pub(super) fn wait(pace: &Pace, stop: &AtomicBool) -> Result<(), WorldError> {
    while is_paused(pace) || has_too_much(pace)? {
        for _ in 0..LOOK / HEAR {
            if stop.load(Ordering::Relaxed) {
                return Err(WorldError::Unfit("stopped while it waited".to_owned()));
            }
            sleep(Duration::from_millis(HEAR));
        }
    }
    Ok(())
}

fn is_paused(pace: &Pace) -> bool {
    // What cannot be looked at is not there: a pause must never last by mistake.
    pace.pause_file.as_ref().is_some_and(|file| file.path().symlink_metadata().is_ok())
}

fn has_too_much(pace: &Pace) -> Result<bool, WorldError> {
    let Some(most) = pace.max_backlog else { return Ok(false) };
    for brick in &pace.bricks {
        if records(brick.path())? > most {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The records that the slowest session has still to read on a brick.
fn records(brick: &Path) -> Result<u64, WorldError> {
    // What time it is only matters for calling a worker stalled, which nobody asks here.
    let found = pending(brick, &[], None, Path::new("/nonexistent"), Time::from_secs(0));
    let found = found.map_err(|error| WorldError::Unfit(super::in_words(&error)))?;
    let records = found.iter().filter_map(|it| it.backlog.as_ref()).map(Backlog::records);
    Ok(records.max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::path::PathBuf;

    use super::*;
    use crate::plan::Place;

    fn pace(pause_file: Option<PathBuf>, bricks: Vec<PathBuf>) -> Pace {
        Pace {
            jobs: NonZeroUsize::MIN,
            max_backlog: (!bricks.is_empty()).then_some(10),
            bricks: bricks.into_iter().map(Place::from).collect(),
            pause_file: pause_file.map(Place::from),
        }
    }

    #[test]
    fn a_pause_ends_with_its_file_and_with_a_wish_to_stop() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pause");
        let stop = AtomicBool::new(false);
        assert!(wait(&pace(Some(file.clone()), Vec::new()), &stop).is_ok());
        std::fs::File::create(&file).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(&pace(Some(file.clone()), Vec::new()), &stop));
            sleep(Duration::from_millis(3 * HEAR));
            assert!(!waiting.is_finished());
            stop.store(true, Ordering::Relaxed);
            assert!(waiting.join().unwrap().is_err());
        });
    }

    #[test]
    fn a_brick_that_cannot_be_counted_stops_the_run() {
        let dir = tempfile::tempdir().unwrap();
        let found = wait(&pace(None, vec![dir.path().to_owned()]), &AtomicBool::new(false));
        assert!(found.is_err());
    }
}
