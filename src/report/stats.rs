//! `changelog stats`: operations, hot directories, changelogs that no session needs any more.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::json;

use super::{Document, OutputStyle, Paint};
use crate::domain::{Name, human_bytes};
use crate::scan::changelog::{Bucket, Stats};

/// The document `georepair/changelog-stats/1`.
#[derive(Debug, Serialize)]
pub struct StatsReport {
    schema: &'static str,
    bricks: Vec<BrickStats>,
}

#[derive(Debug)]
struct BrickStats {
    brick: Name,
    stats: Stats,
}

impl StatsReport {
    /// The sums of each brick.
    #[must_use]
    pub fn new(found: Vec<(Name, Stats)>) -> Self {
        let bricks = found.into_iter().map(|(brick, stats)| BrickStats { brick, stats });
        Self { schema: "georepair/changelog-stats/1", bricks: bricks.collect() }
    }
}

impl Serialize for BrickStats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = &self.stats;
        let bucket = |b: &Bucket| {
            json!({ "from": b.from, "seconds": b.seconds, "entries": b.entries, "data": b.data,
                "metadata": b.metadata })
        };
        let hot = it.hot.iter().map(|hot| {
            json!({ "gfid": hot.gfid, "path": hot.path,
                "path_bytes": hot.path.as_ref().and_then(Name::exact), "entries": hot.entries })
        });
        let unneeded = it.unneeded.as_ref().map(|old| {
            json!({ "before": old.before, "least": old.least, "files": old.files,
                "bytes": old.bytes })
        });
        json!({
            "brick": self.brick,
            "brick_bytes": self.brick.exact(),
            "files": it.files,
            "bytes": it.bytes,
            "htime_files": it.htime.0,
            "htime_bytes": it.htime.1,
            "ops": it.ops,
            "over_time": it.over_time.iter().map(bucket).collect::<Vec<_>>(),
            "hot": hot.collect::<Vec<_>>(),
            "unneeded": unneeded,
            "damaged": it.damage.len(),
            "notes": it.notes,
        })
        .serialize(serializer)
    }
}

impl Document for StatsReport {
    const ITEMS: &'static str = "bricks";

    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        self.bricks.iter().try_for_each(|brick| brick.human(out))
    }
}

impl BrickStats {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let it = &self.stats;
        writeln!(out, "{}", Paint::Strong.on(&self.brick))?;
        let htime = human_bytes(it.htime.1);
        writeln!(out, "  {} changelogs, {}; index {htime}", it.files, human_bytes(it.bytes))?;
        match &it.unneeded {
            Some(old) => writeln!(
                out,
                "  no session needs {} of them any more, {} (older than {}, the mark of {})",
                old.files,
                human_bytes(old.bytes),
                old.before,
                old.least
            )?,
            None => writeln!(
                out,
                "  no session left an stime: which changelogs are still needed is not known"
            )?,
        }
        let mut ops: Vec<_> = it.ops.iter().collect();
        ops.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (op, count) in ops {
            writeln!(out, "  {count:>10}  {op}")?;
        }
        for hot in &it.hot {
            write!(out, "  {:>10}  entries in ", hot.entries)?;
            match &hot.path {
                Some(path) => writeln!(out, "{path}  {}", hot.gfid)?,
                None => writeln!(out, "{}", hot.gfid)?,
            }
        }
        for bucket in &it.over_time {
            writeln!(
                out,
                "  {}  {:>8} entries  {:>8} data  {:>8} metadata",
                bucket.from, bucket.entries, bucket.data, bucket.metadata
            )?;
        }
        for note in &it.notes {
            writeln!(out, "  note: {note}")?;
        }
        Ok(())
    }
}
