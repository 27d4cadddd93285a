//! Parses a query as people paste it: a gfid in any notation, an entry as in logs, or a path.

use super::answer::Query;
use crate::domain::{EntryId, Gfid, Name};

impl Query {
    /// Parses one query.
    ///
    /// A gfid is tried first, then `.gfid/<parent>/<name>`. A text with a slash is a path, and so
    /// is one for which `is_name` finds a name in the root of a brick. `./` before a name that
    /// looks like a gfid makes it a path.
    #[must_use]
    pub fn parse(text: &[u8], is_name: impl FnOnce(&[u8]) -> bool) -> Self {
        let forced = text.starts_with(b"./");
        let gfid = std::str::from_utf8(text).ok().and_then(|text| text.parse::<Gfid>().ok());
        if let (Some(gfid), false) = (gfid, forced) {
            return Self::Gfid(gfid);
        }
        let entry = memchr::memmem::find(text, b".gfid/")
            .and_then(|at| EntryId::from_gfid_path(text.get(at..)?));
        if let (Some(entry), false) = (entry, forced) {
            return Self::Entry(entry);
        }
        if text.contains(&b'/') || text == b"." || (!text.is_empty() && is_name(text)) {
            return Self::Path(Name::from(text));
        }
        Self::Malformed(Name::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "c4b19f1c-cc18-4727-87a4-18de8fe0089e";

    #[test]
    fn distinguishes_gfids_entries_paths_and_rubbish() {
        let gfid = Query::Gfid(TEXT.parse().unwrap());
        let parse = |text: &str| Query::parse(text.as_bytes(), |name| name == b"Banana");
        assert_eq!(parse(TEXT), gfid);
        assert_eq!(parse(&format!("/b/.glusterfs/c4/b1/{TEXT}")), gfid);
        assert_eq!(parse(&format!("<gfid:{TEXT}>")), gfid);
        for text in [format!(".gfid/{TEXT}/a b"), format!("/mnt/.gfid/{TEXT}/a b")] {
            assert!(matches!(parse(&text), Query::Entry(entry) if entry.name.as_bytes() == b"a b"));
        }
        for path in ["Banana", "a/b", "/a", ".", &format!("./{TEXT}")] {
            assert_eq!(parse(path), Query::Path(Name::from(path)));
        }
        for rubbish in ["", "Apple", "c4b19f1c", &TEXT[1..]] {
            assert_eq!(parse(rubbish), Query::Malformed(Name::from(rubbish)));
        }
    }
}
