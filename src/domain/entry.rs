//! An entry: one name in one directory.

use super::{Gfid, Name};

/// A directory's gfid and a basename in it: the position of a file in the tree.
///
/// Logs and the `.gfid` mount print it as `.gfid/<parent>/<name>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryId {
    /// The directory.
    pub parent: Gfid,
    /// The basename in it.
    pub name: Name,
}

impl EntryId {
    /// Reads `.gfid/<parent>/<name>`; the name is everything after the second slash.
    #[must_use]
    pub fn from_gfid_path(path: &[u8]) -> Option<Self> {
        let rest = path.strip_prefix(b".gfid/")?;
        let (parent, name) = (rest.get(..36)?, rest.get(36..)?.strip_prefix(b"/")?);
        if name.is_empty() {
            return None;
        }
        Some(Self { parent: Gfid::from_text(parent)?, name: Name::from(name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_gfid_paths_with_any_name() {
        let entry =
            EntryId::from_gfid_path(b".gfid/00000000-0000-0000-0000-000000000001/a/b\n").unwrap();
        assert_eq!((entry.parent, entry.name.as_bytes()), (Gfid::ROOT, &b"a/b\n"[..]));
        for bad in [&b".gfid/00000000-0000-0000-0000-000000000001"[..], b".gfid/xx/a", b"", b"/a"] {
            assert_eq!(EntryId::from_gfid_path(bad), None);
        }
    }
}
