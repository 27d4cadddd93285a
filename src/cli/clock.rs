//! The clock: the only place that reads the time of day.

use crate::domain::Time;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "the one place where the time of day comes in")]
pub(super) fn now() -> Time {
    Time::from(jiff::Timestamp::now())
}
