//! How often to ask glusterd what may take long.

use std::thread::sleep;
use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits a tenth of the time that has passed, from one second to thirty: every question costs each
/// node a second of its processors and lines in its logs, and a crawl may take days.
pub(super) fn pause(since: Instant) {
    sleep((since.elapsed() / 10).clamp(SHORTEST, LONGEST));
}
