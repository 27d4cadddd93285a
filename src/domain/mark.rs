//! A mark: a time that geo-replication keeps in an xattr.

use serde::{Deserialize, Serialize};

use super::Time;

/// The value of an xtime, stime or `entry_stime`: 8 bytes, two big-endian u32.
///
/// The second number is microseconds in an xtime and zero in the stimes that gsyncd writes
/// (`Server.set_stime`, struct `!II`). A changelog is replicated once its whole slice is at or
/// before stime; gsyncd writes the last changelog's time less one second.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Mark {
    /// Seconds since 1970.
    pub sec: u32,
    /// Microseconds within the second.
    pub usec: u32,
}

impl Mark {
    /// The mark that asks for a full crawl: what a reset writes.
    pub const ZERO: Self = Self { sec: 0, usec: 0 };

    /// The mark that has gsyncd send everything since this time: a second earlier, for it takes a
    /// changelog that ends in the mark's own second for done (gsyncd `process_change`).
    /// `None` for a time that no mark can name.
    #[must_use]
    pub fn to_send_since(time: Time) -> Option<Self> {
        Some(Self { sec: u32::try_from(time.secs() - 1).ok()?, usec: 0 })
    }

    /// Reads the xattr's value; `None` unless it has exactly 8 bytes.
    #[must_use]
    pub fn from_bytes(value: &[u8]) -> Option<Self> {
        let (sec, usec) = value.split_first_chunk::<4>()?;
        let usec = <[u8; 4]>::try_from(usec).ok()?;
        Some(Self { sec: u32::from_be_bytes(*sec), usec: u32::from_be_bytes(usec) })
    }

    /// The xattr's value.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        ((u64::from(self.sec) << 32) | u64::from(self.usec)).to_be_bytes()
    }

    /// The moment it names.
    #[must_use]
    pub fn time(self) -> Time {
        Time::from_micros(i64::from(self.sec) * 1_000_000 + i64::from(self.usec))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_brick_of_10_3_holds() {
        let stime = [0x6b, 0x01, 0x07, 0xb1, 0, 0, 0, 0];
        let mark = Mark::from_bytes(&stime).unwrap();
        assert_eq!(mark, Mark { sec: 1_795_229_617, usec: 0 });
        assert_eq!((mark.to_bytes(), mark.time().secs()), (stime, 1_795_229_617));
        let xtime = Mark::from_bytes(&[0x6b, 0x01, 0x07, 0xb2, 0, 4, 0xc5, 0x10]).unwrap();
        assert_eq!(xtime.time().micros() % 1_000_000, 312_592);
        assert!(Mark::from_bytes(&stime[..7]).is_none() && Mark::from_bytes(&[0; 9]).is_none());
    }

    #[test]
    fn what_ended_in_the_time_itself_is_sent_too() {
        let mark = |sec| Mark::to_send_since(Time::from_secs(sec));
        assert_eq!(mark(1_795_285_618), Some(Mark { sec: 1_795_285_617, usec: 0 }));
        assert_eq!((mark(0), mark(1 << 33)), (None, None));
    }
}
