//! A diagnosis: the verdict, then the causes, worst first, each with its next command.

mod finding;

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::Document;
use super::style::{OutputStyle, Paint};
use crate::domain::{Diagnosis, Finding, Name, Severity, Time, Verdict, Worker, counted};

/// How many causes fit a screen.
const TOP: usize = 8;
/// How many causes of each case are shown where there are several cases.
const TOP_OF_MANY: usize = 3;

impl Document for Diagnosis {
    const ITEMS: &'static str = "findings";

    fn human(&self, look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        Page { all: self, look, out }.write()
    }
}

impl Diagnosis {
    /// Keeps only the worst causes and their effects.
    #[must_use]
    pub fn top(mut self, count: Option<usize>) -> Self {
        let Some(count) = count else { return self };
        let is_root = |finding: &Finding| usize::from(finding.caused_by.is_none());
        let mut roots = 0;
        self.findings.retain(|finding| {
            roots += is_root(finding);
            roots <= count
        });
        self
    }
}

/// A diagnosis being printed.
struct Page<'a> {
    all: &'a Diagnosis,
    look: &'a OutputStyle,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn write(&mut self) -> io::Result<()> {
        let findings = self.all.findings.iter().map(|finding| finding.case.as_ref());
        let workers = self.all.workers.iter().map(|worker| worker.case.as_ref());
        let cases: BTreeSet<_> = findings.chain(workers).collect();
        self.headline()?;
        if cases.iter().all(Option::is_none) {
            self.case(None, TOP)?;
        } else {
            for case in cases {
                self.title(case)?;
                self.case(case, TOP_OF_MANY)?;
            }
        }
        for note in &self.all.notes {
            writeln!(self.out, "{} {note}", Paint::Warn.on("note:"))?;
        }
        Ok(())
    }

    fn headline(&mut self) -> io::Result<()> {
        let sources = &self.all.sources;
        let lines = counted(sources.iter().map(|source| source.lines).sum(), "line");
        let files = counted(sources.len() as u64, "file");
        write!(self.out, "{}  {lines} in {files}", painted(self.all.verdict))?;
        let first = sources.iter().filter_map(|source| source.first).min();
        let last = sources.iter().filter_map(|source| source.last).max();
        if let (Some(first), Some(last)) = (first, last) {
            write!(self.out, ", {} to {} UTC", day(first), day(last))?;
        }
        let releases: BTreeSet<_> = sources.iter().filter_map(|s| s.release.as_ref()).collect();
        if let (1, Some(release)) = (releases.len(), releases.first()) {
            write!(self.out, ", GlusterFS {release}")?;
        }
        writeln!(self.out, "\n{}\n", sentence(self.all.verdict))
    }

    fn title(&mut self, case: Option<&Name>) -> io::Result<()> {
        let title = case.map_or_else(|| "other logs".to_owned(), ToString::to_string);
        writeln!(self.out, "{}  {}", painted(self.verdict(case)), Paint::Strong.on(title))
    }

    fn verdict(&self, case: Option<&Name>) -> Verdict {
        Verdict::of(self.all.findings.iter().filter(|finding| finding.case.as_ref() == case))
    }

    fn case(&mut self, case: Option<&Name>, top: usize) -> io::Result<()> {
        self.workers(case)?;
        let top = if self.look.verbose { usize::MAX } else { self.look.top.unwrap_or(top) };
        let of_case = |finding: &Finding| finding.case.as_ref() == case;
        let shown = |finding: &Finding| finding.severity != Severity::Benign || self.look.verbose;
        let all = self.all.findings.iter().enumerate();
        let roots: Vec<_> = all
            .filter(|(_, f)| of_case(f) && shown(f) && f.caused_by.is_none())
            .map(|(index, _)| index)
            .collect();
        for (number, &index) in roots.iter().take(top).enumerate() {
            self.finding(number + 1, index)?;
        }
        if roots.len() > top {
            let more = counted((roots.len() - top) as u64, "more cause");
            writeln!(self.out, "   and {more}: --top {} or -v shows them\n", roots.len())?;
        }
        let benign = self.all.findings.iter().filter(|f| of_case(f) && !shown(f)).count() as u64;
        if benign > 0 {
            let benign = counted(benign, "benign finding");
            writeln!(self.out, "   {benign} not shown (-v shows them)\n")?;
        }
        if self.verdict(case) == Verdict::Healthy && self.all.verdict != Verdict::Unknown {
            self.suggest_bricks(case)?;
        }
        Ok(())
    }

    /// Names the bricks to check: a hung worker logs nothing, so logs alone prove no health.
    fn suggest_bricks(&mut self, case: Option<&Name>) -> io::Result<()> {
        let workers = self.all.workers.iter().filter(|worker| worker.case.as_ref() == case);
        let working = workers.filter(|worker| worker.state.as_deref() != Some("Passive"));
        let bricks: BTreeSet<_> = working
            .filter_map(|worker| Some((worker.brick.as_deref()?, worker.node.as_deref())))
            .collect();
        if bricks.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "   Hung workers do not show in logs. Check their bricks:")?;
        for (brick, node) in bricks {
            let node = node.map_or_else(|| "its node".to_owned(), |n| Name::from(n).to_string());
            let brick = Name::from(brick);
            writeln!(
                self.out,
                "    next      georepair changelog pending --brick {brick}   # on {node}"
            )?;
        }
        writeln!(self.out)
    }

    fn workers(&mut self, case: Option<&Name>) -> io::Result<()> {
        let workers = self.all.workers.iter().filter(|worker| worker.case.as_ref() == case);
        let rows: Vec<_> = workers.map(row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let heads = ["session", "node", "brick", "state", "crawl", "restarts", "since"];
        let rows: Vec<_> = std::iter::once(heads.map(str::to_owned)).chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| width(row, column)).max();
        let widths: Vec<_> = (0..heads.len()).filter_map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            writeln!(self.out, "   {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        writeln!(self.out)
    }
}

fn width(row: &[String; 7], column: usize) -> usize {
    row.get(column).map_or(0, |cell| cell.chars().count())
}

fn row(worker: &Worker) -> [String; 7] {
    let or_dash =
        |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |t| Name::from(t).to_string());
    let plain = |text: Option<&str>| text.unwrap_or("-").to_owned();
    [
        or_dash(worker.session.as_deref()),
        or_dash(worker.node.as_deref()),
        or_dash(worker.brick.as_deref()),
        plain(worker.state.as_deref()),
        plain(worker.crawl.as_deref()),
        worker.restarts.to_string(),
        worker.since.map_or_else(|| "-".to_owned(), day),
    ]
}

fn sentence(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => {
            "No fault in these logs. A hung worker leaves no trace in them; check its brick: \
             georepair changelog pending --brick DIR"
        }
        Verdict::Degraded => "Some changes may be lost, or a warning needs attention; see below.",
        Verdict::Faulty => "Replication stops until this is fixed. Causes first:",
        Verdict::Unknown => "Not enough could be read to judge.",
    }
}

fn painted(verdict: Verdict) -> String {
    let (paint, word) = match verdict {
        Verdict::Healthy => (Paint::Good, "HEALTHY"),
        Verdict::Degraded => (Paint::Warn, "DEGRADED"),
        Verdict::Faulty => (Paint::Bad, "FAULTY"),
        Verdict::Unknown => (Paint::Warn, "UNKNOWN"),
    };
    paint.on(word).to_string()
}

/// A time as people read it, to the second.
fn day(at: Time) -> String {
    let text = Time::from_secs(at.secs()).to_string();
    text.trim_end_matches('Z').replace('T', " ")
}
