//! Waiting: how often to ask glusterd what may take long, and for how long to want a lock.

use std::fs::{File, TryLockError};
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits a tenth of the time that has passed, from one second to thirty: every question costs each
/// node a second of its processors and lines in its logs, and a crawl may take days.
pub(in crate::apply) fn pause(since: Instant) {
    sleep((since.elapsed() / 10).clamp(SHORTEST, LONGEST));
}

/// Locks a file; false where somebody else still has it after so long.
///
/// # Errors
/// What the system says to a lock.
pub(in crate::apply) fn locks(file: &File, patience: Duration) -> io::Result<bool> {
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
