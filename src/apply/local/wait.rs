//! Polling intervals for glusterd, and locks with a timeout.

use std::fs::{File, TryLockError};
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Sleeps a tenth of the time that has passed, from one second to thirty: every query costs each
/// node a second of CPU time and lines in its logs, and a crawl may take days.
pub(in crate::apply) fn pause(since: Instant) {
    sleep((since.elapsed() / 10).clamp(SHORTEST, LONGEST));
}

/// Locks a file; false if another process still holds it after so long.
///
/// # Errors
/// The system's error.
pub(in crate::apply) fn lock_within(file: &File, patience: Duration) -> io::Result<bool> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if begin.elapsed() >= patience => return Ok(false),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(20)),
        }
    }
}
