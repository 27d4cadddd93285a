//! The states that objects can be in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::hex;

/// The state of an object, now or wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum State {
    /// It does not exist: no such xattr, file, option or setting.
    Absent,
    /// An xattr with this value.
    Value {
        /// Its bytes.
        hex: Hex,
    },
    /// A file with this content, owner and mode.
    Content {
        /// Its bytes.
        hex: Hex,
        /// Permission bits, as in `chmod`.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// A volume option or a session's setting with this text.
    Text {
        /// The text as gluster prints and takes it.
        text: String,
    },
    /// It is where it belongs.
    InPlace,
    /// It was moved aside, and is kept there.
    Aside,
    /// A session that runs.
    Started,
    /// A session that exists but does not run.
    Stopped,
    /// A session that is paused.
    Paused,
    /// A change that was made on the primary is on the secondary.
    Arrived,
    /// Deleted without anything left to restore it from: a point of no return.
    Spent,
}

/// Bytes, in JSON `0x…` as `getfattr -e hex` prints them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hex(pub Vec<u8>);

impl State {
    /// An xattr's value.
    #[must_use]
    pub fn value(bytes: &[u8]) -> Self {
        Self::Value { hex: Hex(bytes.to_vec()) }
    }

    /// An option's text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text { text: text.to_owned() }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Value { hex } => hex.fmt(f),
            Self::Content { hex, mode, uid, gid } => {
                let digest = xxhash_rust::xxh3::xxh3_64(&hex.0);
                write!(f, "{} bytes (xxh3 {digest:016x}), {mode:04o} {uid}:{gid}", hex.0.len())
            }
            Self::Text { text } => crate::domain::Name::from(text).fmt(f),
            Self::InPlace => f.write_str("in place"),
            Self::Aside => f.write_str("moved aside"),
            Self::Started => f.write_str("started"),
            Self::Stopped => f.write_str("stopped"),
            Self::Paused => f.write_str("paused"),
            Self::Arrived => f.write_str("arrived"),
            Self::Spent => f.write_str("deleted"),
        }
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(&self.0))
    }
}

impl From<Hex> for String {
    fn from(hex: Hex) -> Self {
        hex.to_string()
    }
}

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").ok_or_else(|| format!("{text:?} lacks its 0x"))?;
        bytes_of_hex(digits).map(Self)
    }
}

/// The bytes of an even number of hex digits.
pub(super) fn bytes_of_hex(digits: &str) -> Result<Vec<u8>, String> {
    hex::decode(digits).ok_or_else(|| format!("{digits:?} is not hex"))
}
