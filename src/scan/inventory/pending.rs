//! Finds gfids in the changelogs after a mark: what replication still has to send.

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::{Gfid, Mark};
use crate::format::changelog::Item;
use crate::scan::changelog::{Changelogs, ChangelogsError, read};

/// What was found in the changelogs of some bricks.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PendingGfids {
    /// Those of the gfids that changed after the marks.
    pub gfids: BTreeSet<Gfid>,
    /// What could not be read, one sentence each.
    pub notes: Vec<String>,
}

/// Adds those of the gfids that a brick's changelogs name, from the slice of the mark to the one
/// still being written. An error is a note: what was found before it counts.
pub(super) fn find_pending(
    brick: &Path,
    mark: Mark,
    gfids: &BTreeSet<Gfid>,
    pending: &mut PendingGfids,
) {
    if let Err(error) = read_changelogs(brick, mark, gfids, pending) {
        pending.notes.push(error.to_string());
    }
}

fn read_changelogs(
    brick: &Path,
    mark: Mark,
    gfids: &BTreeSet<Gfid>,
    pending: &mut PendingGfids,
) -> Result<(), ChangelogsError> {
    let listed = Changelogs::of(brick)?;
    pending.notes.extend(listed.notes);
    for file in &listed.files {
        // A slice's last second is the one before its end, and that is what gsyncd writes.
        if file.end.is_some_and(|end| end.saturating_sub(1) <= mark.sec) {
            continue;
        }
        let outcome = read(&file.path, |item| {
            if let Item::Record(record) = item
                && gfids.contains(&record.gfid)
            {
                pending.gfids.insert(record.gfid);
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
