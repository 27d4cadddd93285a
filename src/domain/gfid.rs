//! A gfid: the 128-bit name of a file or directory, the same on both sides of a session.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use uuid_simd::UuidExt as _;

/// The identity of a file or directory in a volume, kept in `trusted.gfid` (16 raw bytes).
///
/// Displays and serialises as a lower-case hyphenated uuid. Reads every notation people paste:
/// uuid, 32 hex digits, `0x…` as `getfattr -e hex` prints it, `<gfid:…>`, `.gfid/…`, and a
/// `.glusterfs/aa/bb/…` handle path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Gfid(Uuid);

/// The text is not a gfid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a gfid: {text:?}")]
pub struct GfidError {
    /// The text, as given.
    pub text: String,
}

impl Gfid {
    /// The brick root's gfid, the same on every volume.
    pub const ROOT: Self = Self(Uuid::from_u128(1));

    /// A gfid from the 16 raw bytes of `trusted.gfid`.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The 16 raw bytes, as `trusted.gfid` holds them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// A gfid from exactly its 36-byte hyphenated text, the form of logs, changelogs and handles.
    ///
    /// By `uuid-simd`: a parser of eight digits at a time in plain code takes a hundred
    /// instructions more for each gfid, and a fifth longer for a whole changelog.
    #[must_use]
    #[inline]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        Uuid::parse_hyphenated(text).ok().map(Self)
    }

    /// Its 36-character text in the caller's buffer, for where it is needed by the million.
    #[must_use]
    pub fn text<'b>(&self, buffer: &'b mut [u8; 36]) -> &'b str {
        self.0.hyphenated().encode_lower(buffer)
    }

    /// Path of the handle below the brick root: `.glusterfs/aa/bb/<gfid>`
    /// (glusterfs `posix-handle.h`, `MAKE_HANDLE_GFID_PATH`).
    #[must_use]
    pub fn handle(&self) -> PathBuf {
        let text = self.to_string();
        Path::new(".glusterfs").join(&text[..2]).join(&text[2..4]).join(text)
    }

    /// Whether it is all zeros: what programs print when they know no gfid.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.0.is_nil()
    }
}

impl fmt::Display for Gfid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for Gfid {
    type Err = GfidError;

    fn from_str(text: &str) -> Result<Self, GfidError> {
        let bare = text.trim().trim_end_matches('/');
        let bare = bare.strip_prefix("<gfid:").and_then(|t| t.strip_suffix('>')).unwrap_or(bare);
        let bare = bare.strip_prefix("gfid:").unwrap_or(bare);
        let bare = match bare.rsplit_once('/') {
            Some((before, last)) if is_gfid_folder(before) => last,
            Some(_) => "",
            None => bare,
        };
        let hex = bare.strip_prefix("0x").unwrap_or(bare);
        let plain = matches!(hex.len(), 32 | 36) && !hex.contains(['{', '}', ':']);
        let parsed = if plain { Uuid::try_parse(hex).ok() } else { None };
        parsed.map(Self).ok_or_else(|| GfidError { text: text.to_owned() })
    }
}

/// Whether a path's folder is one whose entries are gfids: `.gfid` or `.glusterfs/aa/bb`.
fn is_gfid_folder(folder: &str) -> bool {
    let mut parts = folder.rsplit('/');
    match parts.next() {
        Some(".gfid") => true,
        Some(second) if second.len() == 2 => {
            parts.next().is_some_and(|first| first.len() == 2) && parts.next() == Some(".glusterfs")
        }
        _ => false,
    }
}

impl Serialize for Gfid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Gfid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_notation_people_paste() {
        let want = Gfid::from_text(b"c4b19f1c-cc18-4727-87a4-18de8fe0089e").unwrap();
        for text in [
            "c4b19f1c-cc18-4727-87a4-18de8fe0089e",
            "C4B19F1C-CC18-4727-87A4-18DE8FE0089E",
            "c4b19f1ccc18472787a418de8fe0089e",
            "0xc4b19f1ccc18472787a418de8fe0089e",
            "<gfid:c4b19f1c-cc18-4727-87a4-18de8fe0089e>",
            ".gfid/c4b19f1c-cc18-4727-87a4-18de8fe0089e",
            "/mnt/vol/.gfid/c4b19f1c-cc18-4727-87a4-18de8fe0089e/",
            "/bricks/b/.glusterfs/c4/b1/c4b19f1c-cc18-4727-87a4-18de8fe0089e",
            " c4b19f1c-cc18-4727-87a4-18de8fe0089e\n",
        ] {
            assert_eq!(text.parse::<Gfid>().as_ref(), Ok(&want), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_only_looks_like_one() {
        for text in [
            "",
            "xyz",
            "c4b19f1c",
            "urn:uuid:c4b19f1c-cc18-4727-87a4-18de8fe0089e",
            "{c4b19f1c-cc18-4727-87a4-18de8fe0089e}",
            "brick/c4b19f1c-cc18-4727-87a4-18de8fe0089e",
            ".gfid/c4b19f1c-cc18-4727-87a4-18de8fe0089e/name",
        ] {
            assert!(text.parse::<Gfid>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn its_text_is_read_exactly() {
        let text = *b"c4b19f1c-CC18-4727-87a4-18de8fe0089e";
        let want = Uuid::try_parse_ascii(&text).ok().map(Gfid);
        assert!(want.is_some() && Gfid::from_text(&text) == want);
        for at in 0..36 {
            for byte in 0..=255 {
                let mut odd = text;
                odd[at] = byte;
                let want = Uuid::try_parse_ascii(&odd).ok().map(Gfid);
                assert_eq!(Gfid::from_text(&odd), want, "{byte:#x} at {at}");
            }
        }
        assert_eq!(Gfid::from_text(&text[..35]), None);
    }

    #[test]
    fn handle_follows_the_first_four_digits() {
        let handle = Gfid::ROOT.handle();
        assert_eq!(handle.to_str(), Some(".glusterfs/00/00/00000000-0000-0000-0000-000000000001"));
    }
}
