//! A moment: microseconds since 1970 in UTC, what every log, changelog and mark can hold.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC, to the microsecond. Displays and serialises as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(i64);

impl Time {
    /// From microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment moved by so many seconds.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1_000_000)))
    }
}

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at.as_microsecond())
    }
}

impl FromStr for Time {
    type Err = String;

    /// Reads RFC 3339, epoch seconds, and `2026-11-21` or `2026-11-21 03:42[:22]` as UTC.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(secs) = text.parse::<i64>() {
            return Ok(Self::from_secs(secs));
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at.into());
        }
        let civil = text
            .parse::<jiff::civil::DateTime>()
            .or_else(|_| text.parse::<jiff::civil::Date>().map(|d| d.at(0, 0, 0, 0)))
            .map_err(|_| "expected RFC 3339 (2026-11-21T03:42:00Z) or epoch seconds".to_owned())?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|e| e.to_string())?;
        Ok(zoned.timestamp().into())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.0) {
            Ok(at) => f.pad(&at.to_string()),
            Err(_) => write!(f, "{} µs since 1970", self.0),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_notations_of_flags() {
        let want = Time::from_secs(1_795_232_542);
        for text in ["1795232542", "2026-11-21T03:42:22Z", "2026-11-21 03:42:22"] {
            assert_eq!(text.parse::<Time>(), Ok(want), "{text}");
        }
        assert_eq!("2026-11-21".parse::<Time>(), Ok(Time::from_secs(1_795_219_200)));
        assert!("yesterday-ish".parse::<Time>().is_err());
    }

    #[test]
    fn shows_rfc_3339() {
        assert_eq!(
            Time::from_micros(1_795_232_542_000_007).to_string(),
            "2026-11-21T03:42:22.000007Z"
        );
        assert_eq!(Time::from_secs(0).to_string(), "1970-01-01T00:00:00Z");
    }
}
