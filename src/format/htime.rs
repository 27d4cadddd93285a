//! HTIME: the index of a brick's changelogs, one path for every rollover.
//!
//! `htime/HTIME.<time>` holds absolute paths, each ended by a NUL (glusterfs `htime_update`):
//! `…/changelogs/CHANGELOG.<time>` before release 8, `…/changelogs/YYYY/MM/DD/CHANGELOG.<time>`
//! since. A slice in which nothing happened has no file and its base name in lower case. The
//! xattr `trusted.glusterfs.htime` keeps the last time and the count.

use std::ffi::OsStr;
use std::path::PathBuf;

use jiff::Timestamp;

/// The xattr of an HTIME file.
pub const COUNT_XATTR: &str = "trusted.glusterfs.htime";
/// The xattr of the `htime` folder that names the current HTIME file.
pub const CURRENT_XATTR: &str = "trusted.glusterfs.current_htime";

/// Longer than any path; a longer run without a NUL is not an HTIME.
const LONGEST_PATH: usize = 4096;

/// One rollover.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rollover<'a> {
    /// Where its path begins in the file, in bytes.
    pub offset: u64,
    /// The changelog's absolute path as the brick wrote it.
    pub path: &'a [u8],
    /// When the slice ended, in seconds since 1970.
    pub time: u32,
    /// Whether nothing happened in the slice: there is no file.
    pub empty: bool,
}

/// What a reader meets in an HTIME.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item<'a> {
    /// A rollover.
    Rollover(Rollover<'a>),
    /// Bytes that do not name a changelog; reading continues after the next NUL.
    Damage {
        /// Where they begin.
        offset: u64,
        /// How many they are.
        length: u64,
    },
    /// The file ends in the middle of a path.
    Torn {
        /// Where the path begins.
        offset: u64,
        /// How much of it there is.
        length: u64,
    },
}

/// Reads an HTIME that is wholly in memory.
pub fn rollovers(bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let (mut reader, mut at) = (Decoder::default(), 0);
    std::iter::from_fn(move || reader.next(bytes, &mut at, true))
}

/// Reads an HTIME of any size, window by window.
#[derive(Clone, Default, Debug)]
pub struct Decoder {
    base: u64,
}

impl Decoder {
    /// The next item of the window from `at`, which moves on; `None` when more bytes are needed,
    /// or at the end of the `last` window.
    pub fn next<'a>(&mut self, window: &'a [u8], at: &mut usize, last: bool) -> Option<Item<'a>> {
        let rest = window.get(*at..).filter(|rest| !rest.is_empty())?;
        let offset = self.base + *at as u64;
        let Some(end) = memchr::memchr(0, rest) else {
            if !last && rest.len() < LONGEST_PATH {
                return None;
            }
            *at = window.len();
            let length = rest.len() as u64;
            let torn = last && rest.len() < LONGEST_PATH;
            return Some(if torn {
                Item::Torn { offset, length }
            } else {
                Item::Damage { offset, length }
            });
        };
        *at += end + 1;
        let path = rest.get(..end).unwrap_or_default();
        Some(match slice_of(path) {
            Some((time, empty)) => Item::Rollover(Rollover { offset, path, time, empty }),
            None => Item::Damage { offset, length: end as u64 + 1 },
        })
    }

    /// Notes that the first `length` bytes of the window were dropped.
    pub fn drop_front(&mut self, length: usize) {
        self.base += length as u64;
    }
}

/// The time in the name of an index file, `HTIME.<seconds>`: when it begins, in seconds since
/// 1970. `None` for the name of anything else.
#[must_use]
pub fn index_time(name: &OsStr) -> Option<u32> {
    seconds(name.as_encoded_bytes().strip_prefix(b"HTIME.")?)
}

/// The name of the index file that begins at this time, in seconds since 1970.
#[must_use]
pub fn index_name(from: u32) -> String {
    format!("HTIME.{from}")
}

/// Where releases before 8 put a changelog, below the folder of changelogs; `end` is the end of
/// its slice, in seconds since 1970.
#[must_use]
pub fn flat_path(end: u32) -> PathBuf {
    PathBuf::from(format!("CHANGELOG.{end}"))
}

/// Where releases since 8 put it: in the folder of its day in UTC, `YYYY/MM/DD`.
#[must_use]
pub fn dated_path(end: u32) -> PathBuf {
    let day = Timestamp::from_second(i64::from(end)).unwrap_or_default();
    PathBuf::from(day.strftime("%Y/%m/%d").to_string()).join(flat_path(end))
}

/// The end of a changelog's slice by its name, and whether it is empty: `CHANGELOG.<seconds>`,
/// or in lower case where nothing happened.
#[must_use]
pub fn slice_of(path: &[u8]) -> Option<(u32, bool)> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let (digits, empty) = match name.strip_prefix(b"CHANGELOG.") {
        Some(digits) => (digits, false),
        None => (name.strip_prefix(b"changelog.")?, true),
    };
    Some((seconds(digits)?, empty))
}

/// Seconds written in decimal digits alone: a sign or a suffix makes it another file's name.
fn seconds(digits: &[u8]) -> Option<u32> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// The value of [`COUNT_XATTR`], `<last time>:<count>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// When the last slice ended, in seconds since 1970; 0 before the first.
    pub last: u32,
    /// How many rollovers the brick counts; too many after a brick restart
    /// (`htime_open` reckons with paths of the flat layout).
    pub rollovers: u64,
}

impl Count {
    /// Reads the value, with or without a NUL at its end.
    #[must_use]
    pub fn from_xattr(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim_end_matches('\0');
        let (last, rollovers) = text.split_once(':')?;
        Some(Self { last: last.parse().ok()?, rollovers: rollovers.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOTH: &[u8] = b"/b/.glusterfs/changelogs/CHANGELOG.1795230034\0\
        /b/.glusterfs/changelogs/2026/11/21/changelog.1795230049\0";

    #[test]
    fn reads_both_layouts_in_one_file() {
        let found: Vec<_> = rollovers(BOTH).collect();
        let [Item::Rollover(flat), Item::Rollover(dated)] = found[..] else {
            panic!("{found:?}");
        };
        assert_eq!((flat.time, flat.empty, flat.offset), (1_795_230_034, false, 0));
        assert_eq!((dated.time, dated.empty, dated.offset), (1_795_230_049, true, 46));
        assert!(dated.path.ends_with(b"/2026/11/21/changelog.1795230049"));
    }

    #[test]
    fn reports_what_names_no_changelog_and_goes_on() {
        let mut bytes = b"/b/hello\0\0".to_vec();
        bytes.extend_from_slice(&BOTH[..46 + 20]);
        let found: Vec<_> = rollovers(&bytes).collect();
        assert_eq!(found[0], Item::Damage { offset: 0, length: 9 });
        assert_eq!(found[1], Item::Damage { offset: 9, length: 1 });
        assert!(matches!(found[2], Item::Rollover(r) if r.offset == 10));
        assert_eq!(found[3], Item::Torn { offset: 56, length: 20 });
    }

    #[test]
    fn reads_names_and_counts() {
        assert_eq!(slice_of(b"CHANGELOG.1795230034"), Some((1_795_230_034, false)));
        for bad in
            ["CHANGELOG", "CHANGELOG.", "CHANGELOG.SNAP", "Changelog.1", "CHANGELOG.9999999999"]
        {
            assert_eq!(slice_of(bad.as_bytes()), None, "{bad}");
        }
        let count = Count { last: 1_795_234_100, rollovers: 2135 };
        assert_eq!(Count::from_xattr(b"1795234100:2135"), Some(count));
        assert_eq!(Count::from_xattr(b"1795234100:2135\0"), Some(count));
        assert_eq!(Count::from_xattr(b"1795234100"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_and_any_windows_give_the_same(bytes: Vec<u8>, cut: prop::sample::Index) {
            let whole: Vec<_> = rollovers(&bytes).collect();
            let cut = cut.index(bytes.len() + 1);
            let (mut reader, mut at, mut found) = (Decoder::default(), 0, Vec::new());
            while let Some(item) = reader.next(&bytes[..cut], &mut at, false) { found.push(item); }
            reader.drop_front(at);
            let (rest, mut at) = (&bytes[at..], 0);
            while let Some(item) = reader.next(rest, &mut at, true) { found.push(item); }
            prop_assert_eq!(whole, found);
        }
    }
}
