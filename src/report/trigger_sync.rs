//! `trigger-sync`: what was sent again, and the proof that it arrived.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

use super::{Document, OutputStyle};
use crate::domain::{Gfid, Name};
use crate::scan::mount::TreeCounts;

/// How many mishaps are named; all are counted.
const NAMED: usize = 1000;

/// The document `georepair/trigger-sync/1`.
#[derive(Debug)]
pub struct TriggerSyncReport {
    /// The mount.
    pub mount: Name,
    /// The primary volume.
    pub volume: String,
    /// The session's other side.
    pub secondary: Option<String>,
    /// The run; none where there was nothing to send.
    pub run: Option<Uuid>,
    /// What was collected.
    pub tally: TreeCounts,
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
    mishaps: Vec<FailedItem>,
    blind: Option<String>,
}

/// An object that did not get through.
#[derive(Debug)]
pub struct FailedItem {
    /// Which.
    pub gfid: Gfid,
    /// Its path below the mount.
    pub path: Name,
    /// What is wrong.
    pub says: String,
}

impl TriggerSyncReport {
    /// The findings that were given name nothing that could be sent.
    #[must_use]
    pub fn nothing(mount: Name, volume: &str, secondary: Option<String>) -> Self {
        let (volume, tally) = (volume.to_owned(), TreeCounts::default());
        Self { mount, volume, secondary, run: None, tally, failed: 0, proof: None }
    }
}

impl Proof {
    /// Takes down an object that did not get through.
    pub fn tell(&mut self, mishap: FailedItem) {
        if self.mishaps.len() < NAMED {
            self.mishaps.push(mishap);
        }
    }

    /// Takes down why the bricks could not be seen.
    pub fn blind(&mut self, why: String) {
        self.blind = Some(why);
    }

    /// Whether bricks that were needed could not be seen.
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

impl Serialize for TriggerSyncReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tally = &self.tally;
        let mishap = |it: &FailedItem| {
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

impl Document for TriggerSyncReport {
    const ITEMS: &'static str = "findings";

    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        if self.run.is_none() {
            return writeln!(out, "nothing to send: the findings name no gfid");
        }
        let all = self.tally.folders + self.tally.files;
        line(out, all.saturating_sub(self.failed), "set")?;
        some(out, self.failed, "not set")?;
        let Some(proof) = &self.proof else {
            return writeln!(out, "            not verified; --verify looks whether they arrive");
        };
        line(out, proof.recorded, "recorded")?;
        some(out, proof.not_recorded, "not recorded")?;
        let past = match proof.sent {
            Some(true) => "the session is past them",
            Some(false) => "the session is not past them yet",
            None => "whether the session is past them is not known",
        };
        writeln!(out, "            {past}")?;
        if let Some(why) = &proof.blind {
            writeln!(out, "            the rest cannot be seen: {why}")?;
        } else {
            line(out, proof.arrived, "arrived")?;
            some(out, proof.different, "different")?;
            some(out, proof.missing, "missing")?;
        }
        for it in &proof.mishaps {
            writeln!(out, "  {}  {}: {}", it.gfid, it.path, it.says)?;
        }
        let untold = (proof.not_recorded + proof.different + proof.missing)
            .saturating_sub(proof.mishaps.len() as u64);
        some(out, untold, "more")?;
        if proof.sent == Some(false) {
            let (volume, secondary) = (&self.volume, self.secondary.as_deref().unwrap_or_default());
            writeln!(out, "next  gluster volume geo-replication {volume} {secondary} status")?;
        }
        Ok(())
    }
}

fn line(out: &mut dyn Write, count: u64, what: &str) -> io::Result<()> {
    writeln!(out, "{count:>10}  {what}")
}

/// The same, unless there are none.
fn some(out: &mut dyn Write, count: u64, what: &str) -> io::Result<()> {
    if count > 0 { line(out, count, what) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ColorChoice, Format};

    fn told(proof: Option<Proof>) -> TriggerSyncReport {
        let tally = TreeCounts { folders: 2, files: 3, ..TreeCounts::default() };
        let (mount, volume) = (Name::from("/mnt/gv0"), "gv0".to_owned());
        let secondary = Some("s1::gv0dr".to_owned());
        TriggerSyncReport {
            mount,
            volume,
            secondary,
            run: Some(Uuid::nil()),
            tally,
            failed: 0,
            proof,
        }
    }

    fn human(told: &TriggerSyncReport) -> String {
        let mut out = Vec::new();
        let look = OutputStyle {
            format: Format::Human,
            color: ColorChoice::Never,
            width: 80,
            verbose: false,
            top: None,
        };
        told.human(&look, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_to_send_is_an_answer_too() {
        let nothing = TriggerSyncReport::nothing(Name::from("/mnt/gv0"), "gv0", None);
        assert_eq!(human(&nothing), "nothing to send: the findings name no gfid\n");
        assert!(serde_json::to_value(&nothing).unwrap()["run"].is_null());
    }

    #[test]
    fn what_did_not_get_through_is_named() {
        let mut proof = Proof { recorded: 5, sent: Some(false), arrived: 4, ..Proof::default() };
        assert!(!proof.is_whole(), "the session may still be at it");
        proof.missing = 1;
        let gfid = Gfid::from_bytes([7; 16]);
        let (path, says) = (Name::from("a/b"), "not there".to_owned());
        proof.tell(FailedItem { gfid, path, says });
        let told = told(Some(proof));
        let text = human(&told);
        assert!(text.contains("         1  missing\n") && !text.contains("different"), "{text}");
        assert!(text.contains(&format!("{gfid}  a/b: not there")), "{text}");
        assert!(text.contains("geo-replication gv0 s1::gv0dr status"), "{text}");
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(json["verified"]["missing"], 1);
        assert_eq!(json["findings"][0]["path"], "a/b");
    }

    #[test]
    fn what_was_not_seen_is_not_counted() {
        let mut proof = Proof { recorded: 5, sent: Some(true), ..Proof::default() };
        proof.blind("cannot reach s1 by ssh".to_owned());
        assert!(proof.is_blind());
        let told = told(Some(proof));
        assert!(human(&told).contains("cannot be seen: cannot reach s1"));
        let json = serde_json::to_value(&told).unwrap();
        assert!(json["verified"]["arrived"].is_null(), "{json}");
        assert_eq!(json["verified"]["recorded"], 5);
    }
}
