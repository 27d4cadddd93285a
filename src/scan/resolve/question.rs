//! What people paste: a gfid in any notation, an entry as logs name it, or a path.

use super::answer::Query;
use crate::domain::{EntryId, Gfid, Name};

impl Query {
    /// Reads one question.
    ///
    /// A gfid is tried first, then `.gfid/<parent>/<name>`; what has a slash in it is a path, and
    /// so is whatever `is_name` knows in the root of a brick. `./` before a name that looks like
    /// a gfid makes it a path.
    #[must_use]
    pub fn read(text: &[u8], is_name: impl FnOnce(&[u8]) -> bool) -> Self {
        let forced = text.starts_with(b"./");
        let gfid = std::str::from_utf8(text).ok().and_then(|text| text.parse::<Gfid>().ok());
        if let (Some(gfid), false) = (gfid, forced) {
            return Self::Gfid(gfid);
        }
        let entry = find(text, b".gfid/").and_then(|at| EntryId::from_gfid_path(text.get(at..)?));
        if let (Some(entry), false) = (entry, forced) {
            return Self::Entry(entry);
        }
        if text.contains(&b'/') || text == b"." || (!text.is_empty() && is_name(text)) {
            return Self::Path(Name::from(text));
        }
        Self::Malformed(Name::from(text))
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "c4b19f1c-cc18-4727-87a4-18de8fe0089e";

    #[test]
    fn tells_gfids_entries_paths_and_rubbish_apart() {
        let gfid = Query::Gfid(TEXT.parse().unwrap());
        let read = |text: &str| Query::read(text.as_bytes(), |name| name == b"Banana");
        assert_eq!(read(TEXT), gfid);
        assert_eq!(read(&format!("/b/.glusterfs/c4/b1/{TEXT}")), gfid);
        assert_eq!(read(&format!("<gfid:{TEXT}>")), gfid);
        for text in [format!(".gfid/{TEXT}/a b"), format!("/mnt/.gfid/{TEXT}/a b")] {
            assert!(matches!(read(&text), Query::Entry(entry) if entry.name.as_bytes() == b"a b"));
        }
        for path in ["Banana", "a/b", "/a", ".", &format!("./{TEXT}")] {
            assert_eq!(read(path), Query::Path(Name::from(path)));
        }
        for rubbish in ["", "Apple", "c4b19f1c", &TEXT[1..]] {
            assert_eq!(read(rubbish), Query::Malformed(Name::from(rubbish)));
        }
    }
}
