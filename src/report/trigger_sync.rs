//! `trigger-sync`: what was sent again, and whether it arrived.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

use super::{Document, OutputStyle};
use crate::domain::Name;
use crate::scan::mount::TreeCounts;
use crate::task::run::FinishedRun;
use crate::task::trigger_sync::{Prepared, Proof};

/// The document `georepair/trigger-sync/1`.
#[derive(Debug)]
pub struct TriggerSyncReport {
    mount: Name,
    volume: String,
    secondary: Option<String>,
    /// The run; `None` if there was nothing to send.
    run: Option<Uuid>,
    counts: TreeCounts,
    /// How many objects could not be set.
    failed: u64,
    /// What was proven, if that was wanted.
    proof: Option<Proof>,
}

impl TriggerSyncReport {
    /// What was collected; nothing is sent yet.
    #[must_use]
    pub fn new(prepared: &Prepared) -> Self {
        Self {
            mount: prepared.mount(),
            volume: prepared.volume().to_owned(),
            secondary: prepared.secondary(),
            run: None,
            counts: prepared.counts.clone(),
            failed: 0,
            proof: None,
        }
    }

    /// Adds the run that sent it, and the proof of its arrival.
    pub fn add_run(&mut self, run: FinishedRun, proof: Option<Proof>) {
        (self.run, self.failed, self.proof) = (Some(run.run), run.failed, proof);
    }

    /// Whether bricks that were needed could not be queried.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.proof.as_ref().is_some_and(|proof| proof.blind.is_some())
    }

    /// Whether everything was found, set and, if that was proven, arrived.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let arrived = self.proof.as_ref().is_none_or(Proof::is_whole);
        arrived && self.failed + self.counts.unseen() == 0
    }
}

impl Serialize for TriggerSyncReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counts = &self.counts;
        let proof = self.proof.as_ref();
        let findings = proof.map(|proof| proof.failed.as_slice());
        let verified = proof.map(|proof| {
            let seen = proof.blind.is_none();
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
            "directories": counts.folders,
            "files": counts.files,
            "failed": self.failed,
            "left_out": { "symlinks": counts.symlinks, "specials": counts.specials,
                "further_links": counts.further_links, "missing": counts.missing,
                "unread": counts.unread },
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
        let all = self.counts.folders + self.counts.files;
        line(out, all.saturating_sub(self.failed), "set")?;
        some(out, self.failed, "not set")?;
        let Some(proof) = &self.proof else {
            return writeln!(out, "            not verified; --verify checks that they arrive");
        };
        line(out, proof.recorded, "recorded")?;
        some(out, proof.not_recorded, "not recorded")?;
        let past = match proof.sent {
            Some(true) => "the session has processed them",
            Some(false) => "the session has not processed them yet",
            None => "it is not known whether the session has processed them",
        };
        writeln!(out, "            {past}")?;
        if let Some(why) = &proof.blind {
            writeln!(out, "            the rest is not known: {why}")?;
        } else {
            line(out, proof.arrived, "arrived")?;
            some(out, proof.different, "different")?;
            some(out, proof.missing, "missing")?;
        }
        for it in &proof.failed {
            writeln!(out, "  {}  {}: {}", it.gfid, it.path, it.says)?;
        }
        let more = (proof.not_recorded + proof.different + proof.missing)
            .saturating_sub(proof.failed.len() as u64);
        some(out, more, "more")?;
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
    use crate::domain::Gfid;
    use crate::report::{ColorChoice, Format};
    use crate::task::trigger_sync::FailedItem;

    fn report(run: Option<Uuid>, proof: Option<Proof>) -> TriggerSyncReport {
        TriggerSyncReport {
            mount: Name::from("/mnt/gv0"),
            volume: "gv0".to_owned(),
            secondary: Some("s1::gv0dr".to_owned()),
            run,
            counts: TreeCounts { folders: 2, files: 3, ..TreeCounts::default() },
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
        let nothing = report(None, None);
        assert_eq!(human(&nothing), "nothing to send: the findings name no gfid\n");
        assert!(serde_json::to_value(&nothing).unwrap()["run"].is_null());
    }

    #[test]
    fn what_did_not_get_through_is_named() {
        let mut proof = Proof { recorded: 5, sent: Some(false), arrived: 4, ..Proof::default() };
        assert!(!proof.is_whole(), "the session may still be busy");
        proof.missing = 1;
        let gfid = Gfid::from_bytes([7; 16]);
        let (path, says) = (Name::from("a/b"), "not there".to_owned());
        proof.failed.push(FailedItem { gfid, path, says });
        let told = report(Some(Uuid::nil()), Some(proof));
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
        proof.blind = Some("cannot reach s1 by ssh".to_owned());
        let told = report(Some(Uuid::nil()), Some(proof));
        assert!(told.is_blind() && human(&told).contains("not known: cannot reach s1"));
        let json = serde_json::to_value(&told).unwrap();
        assert!(json["verified"]["arrived"].is_null(), "{json}");
        assert_eq!(json["verified"]["recorded"], 5);
    }
}
