//! Gfids as paths below the mount, as the volume's bricks on this node know them.

use std::sync::Arc;

use super::refusal::Refusal;
use super::site::Site;
use crate::domain::{Gfid, Name};
use crate::scan::Meter;
use crate::scan::mount::TreeCounts;
use crate::scan::resolve::{Resolver, Status};
use crate::task::{Failure, Phase, Progress};

/// What the bricks say of gfids.
#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    /// One path of each that was found, relative to the mount.
    pub(super) paths: Vec<Name>,
    /// Those without any.
    lost: Vec<Gfid>,
}

impl Whereabouts {
    /// Asks the bricks, with one scan of their namespaces for all that have no recorded name.
    pub(super) fn of(
        gfids: &[Gfid],
        site: &Site,
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        if gfids.is_empty() {
            return Ok(Self::default());
        }
        if site.bricks.is_empty() {
            let volume = site.mount.volume().to_owned();
            return Err(Refusal::NoBrick { what: "a gfid", volume }.into());
        }
        let meter = Arc::new(Meter::default());
        let phase = progress.phase(Phase::names(&meter, 0));
        let answers = Resolver::new(&site.bricks, &meter).resolve(gfids)?;
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

    /// Counts those that were not found among what was asked for and is not there.
    pub(super) fn tell(&self, tally: &mut TreeCounts) {
        for gfid in &self.lost {
            tally.miss(Name::from(format!("<gfid:{gfid}> on the bricks of this node")));
        }
    }
}
