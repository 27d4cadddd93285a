//! `changelog pending`: the backlog of each session on each brick.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::changelog::damage_fields;
use super::{Document, OutputStyle, Paint};
use crate::domain::{Name, Time, counted, human_bytes};
use crate::scan::changelog::{Backlog, Pending};

/// The document `georepair/pending/1`.
#[derive(Debug, Serialize)]
pub struct PendingList {
    schema: &'static str,
    bricks: Vec<BrickRow>,
}

#[derive(Debug)]
struct BrickRow {
    brick: Name,
    pending: Pending,
    now: Time,
}

impl PendingList {
    /// The backlog of each session, brick by brick.
    #[must_use]
    pub fn new(found: Vec<(Name, Vec<Pending>)>, now: Time) -> Self {
        let rows = found.into_iter().flat_map(|(brick, sessions)| {
            sessions.into_iter().map(move |pending| BrickRow { brick: brick.clone(), pending, now })
        });
        Self { schema: "georepair/pending/1", bricks: rows.collect() }
    }

    /// Whether a worker is stalled.
    #[must_use]
    pub fn has_stalled(&self) -> bool {
        self.bricks.iter().any(|row| row.pending.stalled == Some(true))
    }

    /// Whether a changelog is damaged or missing.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.bricks.iter().any(|row| {
            let missing = row.pending.backlog.as_ref().is_some_and(|backlog| backlog.missing > 0);
            missing || !row.pending.damage.is_empty()
        })
    }

    /// Whether no brick has an stime, so that no backlog is known.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.bricks.iter().all(|row| row.pending.stime.is_none())
    }
}

impl BrickRow {
    fn lag(&self, backlog: &Backlog) -> i64 {
        backlog.oldest.map_or(0, |oldest| (self.now.secs() - oldest.secs()).max(0))
    }
}

impl Serialize for BrickRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = &self.pending;
        let of = |field: fn(&Backlog) -> u64| it.backlog.as_ref().map(field);
        let resent = |resent: &crate::scan::changelog::Resent| json!({ "gfid": resent.gfid, "times": resent.times, "bytes": resent.bytes });
        let resent = it.backlog.as_ref().map(|b| b.resent.iter().map(resent).collect::<Vec<_>>());
        json!({
            "brick": self.brick,
            "brick_bytes": self.brick.exact(),
            "session": it.session,
            "session_ids": it.ids,
            "stime": it.stime.map(crate::domain::Mark::time),
            "entry_stime": it.entry_stime.map(crate::domain::Mark::time),
            "worker": it.worker.as_ref().map(|worker| &worker.worker_status),
            "crawl": it.worker.as_ref().map(|worker| &worker.crawl_status),
            "rollover_seconds": it.rollover,
            "changelogs": of(|b| b.changelogs),
            "records": of(Backlog::records),
            "entries": of(|b| b.entries),
            "data": of(|b| b.data),
            "metadata": of(|b| b.metadata),
            "bytes": of(|b| b.bytes),
            "gone": of(|b| b.gone),
            "missing": of(|b| b.missing),
            "oldest": it.backlog.as_ref().and_then(|b| b.oldest),
            "newest": it.backlog.as_ref().and_then(|b| b.newest),
            "lag_seconds": it.backlog.as_ref().map(|b| self.lag(b)),
            "resent": resent,
            "stalled": it.stalled,
            "damaged": it.damage.iter().map(damage_fields).collect::<Value>(),
            "notes": it.notes,
        })
        .serialize(serializer)
    }
}

impl Document for PendingList {
    const ITEMS: &'static str = "bricks";

    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        for row in &self.bricks {
            let it = &row.pending;
            write!(out, "{}", Paint::Strong.on(&row.brick))?;
            if let Some(session) = it.session.as_ref().or(it.ids.as_ref()) {
                write!(out, "  {session}")?;
            }
            if let Some(worker) = &it.worker {
                write!(out, "  {}, {}", worker.worker_status, worker.crawl_status)?;
            }
            writeln!(out)?;
            match (&it.backlog, it.stime) {
                (Some(backlog), Some(stime)) => row.backlog(backlog, stime.time(), out)?,
                _ => writeln!(out, "  no stime: no session has synced anything from this brick")?,
            }
            for note in &it.notes {
                writeln!(out, "  note: {note}")?;
            }
        }
        Ok(())
    }
}

impl BrickRow {
    fn backlog(&self, backlog: &Backlog, stime: Time, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "  synced up to {stime}")?;
        if let Some(entry) = self.pending.entry_stime {
            write!(out, ", entries up to {}", entry.time())?;
        }
        writeln!(out)?;
        if backlog.changelogs == 0 {
            writeln!(out, "  nothing pending")?;
        } else {
            writeln!(
                out,
                "  pending: {}, {} ({} entries, {} data, {} metadata), {} to send",
                counted(backlog.changelogs, "changelog"),
                counted(backlog.records(), "record"),
                backlog.entries,
                backlog.data,
                backlog.metadata,
                human_bytes(backlog.bytes),
            )?;
            if let (Some(oldest), Some(newest)) = (backlog.oldest, backlog.newest) {
                let lag = self.lag(backlog);
                writeln!(out, "  oldest {oldest}, newest {newest}, lag {lag} s")?;
            }
        }
        if backlog.missing > 0 {
            let bad = Paint::Bad.on("lost");
            writeln!(out, "  {bad}: {} changelogs named in HTIME are missing", backlog.missing)?;
        }
        for resent in &backlog.resent {
            let bytes = resent.bytes.map_or_else(|| "deleted".to_owned(), human_bytes);
            writeln!(out, "  sent repeatedly: {} ({} times, {bytes})", resent.gfid, resent.times)?;
        }
        for damaged in &self.pending.damage {
            let path = Name::from(damaged.file.as_os_str().as_encoded_bytes());
            let found = damaged.damage;
            writeln!(out, "  damaged: {path} at {}: {}", found.offset, found.fault)?;
        }
        if self.pending.stalled == Some(true) {
            let bad = Paint::Bad.on("STALLED");
            writeln!(
                out,
                "  {bad}: changelogs newer than stime are not read; stop and start the session \
                 (georepair runbook worker-stalled)"
            )?;
        }
        Ok(())
    }
}
