//! Which of some gfids the changelogs still name past the marks: what replication has yet to do.

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use crate::domain::{Gfid, Mark};
use crate::format::changelog::Item;
use crate::scan::changelog::{Changelogs, ChangelogsError, read};

/// What the changelogs of some bricks say.
#[derive(Clone, Debug, Default)]
pub struct PendingGfids {
    /// Those of the gfids that a change past the marks concerns.
    pub gfids: BTreeSet<Gfid>,
    /// What could not be read, one sentence each.
    pub notes: Vec<String>,
}

/// Looks for these gfids in a brick's changelogs, from the slice of the mark on to the one that
/// is still written to.
///
/// # Errors
/// [`ChangelogsError::Missing`] where the brick has no changelogs.
pub(super) fn named_past(
    brick: &Path,
    mark: Mark,
    asked: &BTreeSet<Gfid>,
    named: &mut PendingGfids,
) -> Result<(), ChangelogsError> {
    let listed = Changelogs::of(brick)?;
    named.notes.extend(listed.notes);
    for file in &listed.files {
        // A slice's last second is the one before its end, and that is what gsyncd writes.
        if file.end.is_some_and(|end| end.saturating_sub(1) <= mark.sec) {
            continue;
        }
        let outcome = read(&file.path, |item| {
            if let Item::Record(record) = item
                && asked.contains(&record.gfid)
            {
                named.gfids.insert(record.gfid);
            }
            ControlFlow::Continue(())
        });
        match outcome {
            Err(error) if error.kind() != io::ErrorKind::NotFound || file.end.is_some() => {
                return Err(ChangelogsError::unreadable(&file.path, error));
            }
            _ => {}
        }
    }
    Ok(())
}
