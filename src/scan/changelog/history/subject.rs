//! What a history is about: a gfid, a name in a directory, or a path.

use std::path::PathBuf;

use crate::domain::{EntryId, Gfid, Name};

/// What a history is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// Everything that happened to this object.
    Gfid(Gfid),
    /// Everything that happened to this name, and to the objects that had it.
    Entry(EntryId),
    /// The same by a path below the brick's root, directories named as they were at any time.
    Path(Name),
}

impl Subject {
    /// Reads what people type: a gfid in any notation, `.gfid/<parent>/<name>`, or a path, also
    /// an absolute one below one of the bricks.
    #[must_use]
    pub fn from_arg(text: &[u8], bricks: &[PathBuf]) -> Self {
        let words = std::str::from_utf8(text).unwrap_or_default();
        if let Ok(gfid) = words.parse() {
            return Self::Gfid(gfid);
        }
        let mut entry = b".gfid/".to_vec();
        entry.extend_from_slice(text.strip_prefix(b".gfid/").unwrap_or(text));
        if let Some(entry) = EntryId::from_gfid_path(&entry) {
            return Self::Entry(entry);
        }
        let below = bricks.iter().find_map(|brick| {
            let rest = text.strip_prefix(brick.as_os_str().as_encoded_bytes())?;
            (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
        });
        let parts = below.unwrap_or(text).split(|&byte| byte == b'/');
        let parts: Vec<_> = parts.filter(|part| !part.is_empty() && *part != b".").collect();
        Self::Path(Name::from(parts.join(&b'/')))
    }
}
