//! `trigger-sync`: what was sent again, and the proof that it arrived.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

use super::{Document, Look};
use crate::domain::{Gfid, Name};
use crate::scan::Tally;

/// How many mishaps are named; all are counted.
const NAMED: usize = 1000;

/// The document `georepair/trigger-sync/1`.
#[derive(Debug)]
pub struct Triggered {
    /// The mount.
    pub mount: Name,
    /// The primary volume.
    pub volume: String,
    /// The session's other side.
    pub secondary: Option<String>,
    /// The run.
    pub run: Uuid,
    /// What was collected.
    pub tally: Tally,
    /// What could not be set.
    pub failed: u64,
    /// What was proven, where that was asked for.
    pub proof: Option<Proof>,
}

/// What `--verify` saw.
#[derive(Debug, Default)]
pub struct Proof {
    /// Objects with their records in the bricks' changelogs.
    pub recorded: u64,
    /// Objects without.
    pub not_recorded: u64,
    /// Whether the session is past the records; nothing where that cannot be told.
    pub sent: Option<bool>,
    /// Objects that are alike on the secondary.
    pub arrived: u64,
    /// Objects that are there and differ.
    pub different: u64,
    /// Objects that are not there.
    pub missing: u64,
    mishaps: Vec<Mishap>,
    blind: Option<String>,
}

/// An object that did not get through.
#[derive(Debug)]
pub struct Mishap {
    /// Which.
    pub gfid: Gfid,
    /// Its path below the mount.
    pub path: Name,
    /// What is wrong.
    pub says: String,
}

impl Proof {
    /// Takes down an object that did not get through.
    pub fn tell(&mut self, mishap: Mishap) {
        if self.mishaps.len() < NAMED {
            self.mishaps.push(mishap);
        }
    }

    /// Takes down why the secondary could not be seen.
    pub fn blind(&mut self, why: String) {
        self.blind = Some(why);
    }

    /// Whether the secondary could not be seen.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.blind.is_some()
    }

    /// Whether everything got through.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.not_recorded + self.different + self.missing == 0 && self.sent != Some(false)
    }
}

impl Serialize for Triggered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tally = &self.tally;
        let mishap = |it: &Mishap| {
            json!({ "gfid": it.gfid, "path": it.path, "path_bytes": it.path.exact(),
                "says": it.says })
        };
        let proof = self.proof.as_ref();
        let findings = proof.map(|proof| proof.mishaps.iter().map(mishap).collect::<Vec<_>>());
        let verified = proof.map(|proof| {
            let seen = !proof.is_blind();
            let seen = |count: u64| seen.then_some(count);
            json!({ "recorded": proof.recorded, "not_recorded": proof.not_recorded,
                "sent": proof.sent, "arrived": seen(proof.arrived),
                "different": seen(proof.different), "missing": seen(proof.missing),
                "blind": proof.blind })
        });
        json!({
            "schema": "georepair/trigger-sync/1",
            "mount": self.mount,
            "mount_bytes": self.mount.exact(),
            "volume": self.volume,
            "secondary": self.secondary,
            "run": self.run,
            "directories": tally.folders,
            "files": tally.files,
            "failed": self.failed,
            "left_out": { "symlinks": tally.symlinks, "specials": tally.specials,
                "further_links": tally.further_links, "missing": tally.missing,
                "unread": tally.unread },
            "verified": verified,
            "findings": findings.unwrap_or_default(),
        })
        .serialize(serializer)
    }
}

impl Document for Triggered {
    const ITEMS: &'static str = "findings";

    fn human(&self, _look: &Look, out: &mut dyn Write) -> io::Result<()> {
        let all = self.tally.folders + self.tally.files;
        writeln!(out, "{:>10}  set", all.saturating_sub(self.failed))?;
        if self.failed > 0 {
            writeln!(out, "{:>10}  not set", self.failed)?;
        }
        let Some(proof) = &self.proof else {
            return writeln!(out, "            not verified; --verify looks whether they arrive");
        };
        writeln!(out, "{:>10}  recorded", proof.recorded)?;
        for (count, what) in [(proof.not_recorded, "not recorded")] {
            if count > 0 {
                writeln!(out, "{count:>10}  {what}")?;
            }
        }
        match proof.sent {
            Some(true) => writeln!(out, "            the session is past them")?,
            Some(false) => writeln!(out, "            the session is not past them yet")?,
            None => writeln!(out, "            whether the session is past them is not known")?,
        }
        if let Some(why) = &proof.blind {
            writeln!(out, "            the secondary cannot be seen: {why}")?;
        } else {
            writeln!(out, "{:>10}  arrived", proof.arrived)?;
            for (count, what) in [(proof.different, "different"), (proof.missing, "missing")] {
                if count > 0 {
                    writeln!(out, "{count:>10}  {what}")?;
                }
            }
        }
        for it in &proof.mishaps {
            writeln!(out, "  {}  {}: {}", it.gfid, it.path, it.says)?;
        }
        Ok(())
    }
}
