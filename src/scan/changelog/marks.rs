//! The marks of geo-replication on a brick's root: how far each session has come.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{ChangelogsError, name_of};
use crate::domain::Mark;

/// The marks of one session on one brick.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marks {
    /// `<primary volume id>.<secondary volume id>`, as in the xattrs' names.
    pub session: String,
    /// Everything up to here is on the secondary.
    pub stime: Mark,
    /// Entry operations up to here are, even where stime lags.
    pub entry_stime: Option<Mark>,
    /// The latest change below the root, by the marker; only with `geo-replication.indexing on`.
    pub xtime: Option<Mark>,
}

/// Reads `trusted.glusterfs.<primary>.<secondary>.stime` and its kin from a brick's root.
///
/// # Errors
/// [`ChangelogsError::Unreadable`] where xattrs cannot be listed. Other users than root see none.
pub fn marks_of(brick: &Path) -> Result<Vec<Marks>, ChangelogsError> {
    let unreadable =
        |source: io::Error| ChangelogsError::Unreadable { path: name_of(brick), source };
    let names = match xattr::list(brick) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut marks: BTreeMap<String, Mark> = BTreeMap::new();
    for name in names {
        let Some(name) = name.to_str() else { continue };
        let Some(key) = name.strip_prefix("trusted.glusterfs.") else { continue };
        if !key.ends_with("time") {
            continue;
        }
        let value = xattr::get(brick, name).map_err(unreadable)?;
        if let Some(mark) = value.as_deref().and_then(Mark::from_bytes) {
            marks.insert(key.to_owned(), mark);
        }
    }
    let session = |(key, stime): (&String, &Mark)| {
        let session = key.strip_suffix(".stime")?;
        let (primary, secondary) = session.split_once('.')?;
        let is_volume = |id: &str| id.len() == 36;
        (is_volume(primary) && is_volume(secondary)).then(|| Marks {
            session: session.to_owned(),
            stime: *stime,
            entry_stime: marks.get(&format!("{session}.entry_stime")).copied(),
            xtime: marks.get(&format!("{primary}.xtime")).copied(),
        })
    };
    Ok(marks.iter().filter_map(session).collect())
}
