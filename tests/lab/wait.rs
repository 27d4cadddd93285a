//! Waiting with a deadline: the only way the lab ever waits.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long what takes seconds on an idle machine may take on a busy one, in seconds. Whatever has
/// to happen is given so long: a smaller figure would only be another way to fail.
pub(crate) const PATIENCE: u64 = 180;

/// Asks until there is an answer; `None` after `seconds`.
pub(crate) fn poll<T>(seconds: u64, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        sleep(Duration::from_millis(200));
    }
}

/// Asks until there is an answer, and panics with what was waited for when patience is at an end.
#[track_caller]
pub(crate) fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    poll(PATIENCE, ask).unwrap_or_else(|| panic!("waited {PATIENCE} s in vain: {what}"))
}

/// Waits until something holds, and panics with what was waited for when patience is at an end.
#[track_caller]
pub(crate) fn happens(what: &str, mut holds: impl FnMut() -> bool) {
    until(what, || holds().then_some(()));
}
