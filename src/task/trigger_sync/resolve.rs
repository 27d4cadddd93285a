//! Resolves gfids to paths below the mount, on the volume's bricks of this node.

use std::sync::Arc;

use super::error::TriggerSyncError;
use super::target::Target;
use crate::domain::{Gfid, Name};
use crate::scan::Meter;
use crate::scan::mount::TreeCounts;
use crate::scan::resolve::{Resolver, Status};
use crate::task::{Context, Failure, Phase};

/// Gfids, resolved as far as possible.
#[derive(Debug, Default)]
pub(super) struct ResolvedGfids {
    /// One path of each that was found, relative to the mount.
    pub(super) paths: Vec<Name>,
    /// Those without a path.
    lost: Vec<Gfid>,
}

impl ResolvedGfids {
    /// Resolves gfids; one scan of the bricks' namespaces serves all that have no recorded name.
    pub(super) fn find(
        gfids: &[Gfid],
        target: &Target,
        context: &Context,
    ) -> Result<Self, Failure> {
        if gfids.is_empty() {
            return Ok(Self::default());
        }
        if target.bricks.is_empty() {
            let volume = target.mount.volume().to_owned();
            return Err(TriggerSyncError::NoBrick { what: "a gfid", volume }.into());
        }
        let meter = Arc::new(Meter::default());
        let phase = context.progress.phase(Phase::names(&meter, 0));
        let answers = Resolver::new(&target.bricks, &meter).resolve(gfids)?;
        drop(phase);
        let mut it = Self::default();
        for (gfid, answer) in gfids.iter().zip(&answers) {
            let found = answer.owner().filter(|it| it.status == Some(Status::Resolved));
            match found.and_then(|sight| sight.links.first()) {
                Some(link) => it.paths.push(link.path.clone()),
                None => it.lost.push(*gfid),
            }
        }
        Ok(it)
    }

    /// Counts those without a path as missing.
    pub(super) fn count_lost(&self, counts: &mut TreeCounts) {
        for gfid in &self.lost {
            counts.miss(Name::from(format!("<gfid:{gfid}> on the bricks of this node")));
        }
    }
}
