//! A diagnosis for a tired person: the verdict, then causes by damage, each with its next command.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::{Table, presets};

use super::Document;
use super::look::{Look, Paint, wrapped};
use crate::domain::{Diagnosis, Entry, Evidence, Finding, Name, Severity, Time, Verdict, Worker};

/// How many causes fit a screen.
const TOP: usize = 8;
/// How many entries of a finding are named.
const NAMED: usize = 3;

impl Document for Diagnosis {
    const ITEMS: &'static str = "findings";

    fn human(&self, look: &Look, out: &mut dyn Write) -> io::Result<()> {
        let cases: BTreeSet<_> = self.sources_by_case().collect();
        if cases.len() > 1 || cases.iter().any(|case| case.is_some()) {
            self.many(&cases, look, out)?;
        } else {
            self.headline(out)?;
            workers(&self.workers, None, out)?;
            self.findings_of(None, look.top.unwrap_or(TOP), look, out)?;
        }
        for note in &self.notes {
            writeln!(out, "{} {note}", Paint::Warn.on("not read:"))?;
        }
        Ok(())
    }
}

impl Diagnosis {
    /// Keeps the worst causes and their effects only.
    #[must_use]
    pub fn top(mut self, count: Option<usize>) -> Self {
        let Some(count) = count else { return self };
        let mut roots = 0;
        let mut kept = Vec::new();
        for finding in self.findings {
            roots += usize::from(finding.caused_by.is_none());
            if roots > count {
                break;
            }
            kept.push(finding);
        }
        self.findings = kept;
        self
    }

    fn sources_by_case(&self) -> impl Iterator<Item = Option<Name>> + '_ {
        let of_findings = self.findings.iter().map(|finding| finding.case.clone());
        of_findings.chain(self.workers.iter().map(|worker| worker.case.clone()))
    }

    fn headline(&self, out: &mut dyn Write) -> io::Result<()> {
        let lines: u64 = self.sources.iter().map(|source| source.lines).sum();
        let first = self.sources.iter().filter_map(|source| source.first).min();
        let last = self.sources.iter().filter_map(|source| source.last).max();
        let releases: BTreeSet<_> =
            self.sources.iter().filter_map(|s| s.release.as_ref()).collect();
        write!(
            out,
            "{}  {} in {}",
            verdict(self.verdict),
            count(lines, "line"),
            count(self.sources.len() as u64, "file")
        )?;
        if let (Some(first), Some(last)) = (first, last) {
            write!(out, ", {} to {} UTC", day(first), day(last))?;
        }
        if let [release] = releases.into_iter().collect::<Vec<_>>().as_slice() {
            write!(out, ", GlusterFS {release}")?;
        }
        writeln!(out, "\n{}\n", self.verdict.sentence())
    }

    /// Several cases: each with its own verdict and its worst causes.
    fn many(
        &self,
        cases: &BTreeSet<Option<Name>>,
        look: &Look,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.headline(out)?;
        for case in cases {
            let title = case.as_ref().map_or_else(|| "other logs".to_owned(), ToString::to_string);
            let findings = self.findings.iter().filter(|finding| finding.case == *case);
            writeln!(out, "{}  {}", verdict(verdict_of(findings)), Paint::Strong.on(title))?;
            workers(&self.workers, case.as_ref(), out)?;
            self.findings_of(case.as_ref(), look.top.unwrap_or(3), look, out)?;
        }
        Ok(())
    }

    fn findings_of(
        &self,
        case: Option<&Name>,
        top: usize,
        look: &Look,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let of_case = |finding: &&Finding| finding.case.as_ref() == case;
        let grave = |finding: &&Finding| finding.severity != Severity::Benign || look.verbose;
        let top = if look.verbose { usize::MAX } else { top };
        let roots: Vec<_> = self
            .findings
            .iter()
            .enumerate()
            .filter(|(_, finding)| {
                of_case(finding) && grave(finding) && finding.caused_by.is_none()
            })
            .collect();
        for (number, (index, finding)) in roots.iter().take(top).enumerate() {
            self.finding(number + 1, *index, finding, look, out)?;
        }
        if roots.len() > top {
            let more = count((roots.len() - top) as u64, "more cause");
            writeln!(out, "   and {more}: --top {} or -v shows them\n", roots.len())?;
        }
        let benign =
            self.findings.iter().filter(of_case).filter(|f| f.severity == Severity::Benign).count();
        if benign > 0 && !look.verbose {
            writeln!(
                out,
                "   {} left out (-v shows them)\n",
                count(benign as u64, "benign finding")
            )?;
        }
        Ok(())
    }

    fn finding(
        &self,
        number: usize,
        index: usize,
        finding: &Finding,
        look: &Look,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let word = if finding.healed { "healed" } else { severity_word(finding.severity) };
        let times = if finding.count > 1 { format!(" ×{}", finding.count) } else { String::new() };
        writeln!(
            out,
            "{number:2}. {}  {}{times}{}",
            paint(finding).on(format_args!("{word:7}")),
            Paint::Strong.on(finding.code),
            when(finding),
        )?;
        for line in wrapped(&finding.says, look.width.saturating_sub(6)) {
            writeln!(out, "    {line}")?;
        }
        if let Some(worker) = place(finding) {
            writeln!(out, "    {worker}")?;
        }
        named(finding, look, out)?;
        let effects = self.effects(index);
        if !effects.is_empty() {
            writeln!(out, "    explains  {}", effects.join(", "))?;
        }
        for bug in &finding.known {
            for (index, line) in wrapped(bug, look.width.saturating_sub(14)).iter().enumerate() {
                writeln!(
                    out,
                    "    {}{line}",
                    if index == 0 { "known     " } else { "          " }
                )?;
            }
        }
        if let Some(line) = finding.evidence.first() {
            evidence(line, look, out)?;
        }
        for command in &finding.remedy.commands {
            writeln!(out, "    next      {}", Paint::Strong.on(command))?;
        }
        writeln!(out)
    }

    /// What a finding explains, directly and further on.
    fn effects(&self, cause: usize) -> Vec<String> {
        let mut out = Vec::new();
        for (index, finding) in self.findings.iter().enumerate() {
            if finding.caused_by == Some(cause) {
                out.push(format!("{} ×{}", finding.code, finding.count));
                out.extend(self.effects(index));
            }
        }
        out.truncate(8);
        out
    }
}

impl Verdict {
    /// The verdict as a sentence.
    fn sentence(self) -> &'static str {
        match self {
            Self::Healthy => "Nothing in these logs is wrong.",
            Self::Degraded => "Replication goes on, but something was lost or deserves a look.",
            Self::Faulty => "Replication stops until somebody acts. Causes first:",
            Self::Unknown => "Too little could be read to judge.",
        }
    }
}

fn verdict_of<'a>(findings: impl Iterator<Item = &'a Finding>) -> Verdict {
    findings.fold(Verdict::Healthy, |worst, finding| match finding.severity {
        Severity::Fatal if !finding.healed => Verdict::Faulty,
        Severity::Benign => worst,
        _ if worst == Verdict::Faulty => worst,
        _ => Verdict::Degraded,
    })
}

fn verdict(verdict: Verdict) -> String {
    let (paint, word) = match verdict {
        Verdict::Healthy => (Paint::Good, "HEALTHY"),
        Verdict::Degraded => (Paint::Warn, "DEGRADED"),
        Verdict::Faulty => (Paint::Bad, "FAULTY"),
        Verdict::Unknown => (Paint::Warn, "UNKNOWN"),
    };
    paint.on(word).to_string()
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Fatal => "fatal",
        Severity::Loss => "loss",
        Severity::Warning => "warning",
        Severity::Benign => "benign",
    }
}

fn paint(finding: &Finding) -> Paint {
    match finding.severity {
        _ if finding.healed => Paint::Good,
        Severity::Fatal | Severity::Loss => Paint::Bad,
        Severity::Warning => Paint::Warn,
        Severity::Benign => Paint::Faint,
    }
}

fn when(finding: &Finding) -> String {
    match (finding.first, finding.last) {
        (Some(first), Some(last)) if last.secs() > first.secs() => {
            format!("  {} to {}", day(first), day(last))
        }
        (Some(first), _) => format!("  {}", day(first)),
        _ => "  at an unknown time".to_owned(),
    }
}

/// A time as people read it, to the second.
fn day(at: Time) -> String {
    let text = Time::from_secs(at.secs()).to_string();
    text.trim_end_matches('Z').replace('T', " ")
}

fn place(finding: &Finding) -> Option<String> {
    let session = finding.session.as_deref().map(|session| format!("session {session}"));
    let worker = finding.worker.as_deref().map(|brick| format!("brick {}", Name::from(brick)));
    let parts: Vec<_> = session.into_iter().chain(worker).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The entries, gfids and changelogs of a finding: the first few, and how many more.
fn named(finding: &Finding, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let most = if look.verbose { usize::MAX } else { NAMED };
    let mut shown = 0;
    for entry in finding.entries.iter().take(most) {
        writeln!(out, "    entry     {}", described(entry))?;
        shown += 1;
    }
    let in_entries: HashSet<_> = finding
        .entries
        .iter()
        .flat_map(|entry| entry.gfid.into_iter().chain(entry.secondary_gfid))
        .collect();
    let bare = finding.gfids.iter().filter(|gfid| !in_entries.contains(gfid));
    let bare: Vec<_> = bare.collect();
    for gfid in bare.iter().take(most.saturating_sub(shown)) {
        writeln!(out, "    gfid      {gfid}")?;
        shown += 1;
    }
    let all = (finding.entries.len() + bare.len()) as u64 + finding.omitted;
    if all > shown as u64 && shown > 0 {
        writeln!(out, "    and {} more: --format json lists them", all - shown as u64)?;
    }
    if !finding.changelogs.is_empty() {
        let few: Vec<_> = finding.changelogs.iter().take(most.min(4)).map(String::as_str).collect();
        let more = finding.changelogs.len() - few.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "    changelog {}{more}", few.join(" "))?;
    }
    Ok(())
}

fn described(entry: &Entry) -> String {
    let mut parts = Vec::new();
    if let Some(path) = &entry.path {
        parts.push(path.to_string());
    }
    if let Some(gfid) = entry.gfid {
        parts.push(gfid.to_string());
    }
    if let (Some(name), Some(parent)) = (&entry.name, entry.parent) {
        parts.push(format!("{name} in {parent}"));
    }
    if let Some(other) = entry.secondary_gfid {
        parts.push(format!("but {other} stands there"));
    }
    if let Some(now) = entry.now {
        parts.push(format!("[{now}]"));
    }
    parts.join("  ")
}

fn evidence(line: &Evidence, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let text = line.text.lossy();
    let text = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let room = if look.verbose { usize::MAX } else { look.width.saturating_sub(14) };
    let cut: String = text.take(room).collect();
    writeln!(out, "    log       {}:{}", line.path, line.line)?;
    writeln!(out, "              {}", Paint::Faint.on(cut))
}

fn workers(workers: &[Worker], case: Option<&Name>, out: &mut dyn Write) -> io::Result<()> {
    let of_case: Vec<_> = workers.iter().filter(|worker| worker.case.as_ref() == case).collect();
    if of_case.is_empty() {
        return Ok(());
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["  session", "brick", "state", "crawl", "restarts", "since"]);
    for worker in of_case {
        let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
        table.add_row([
            format!("  {}", or_dash(worker.session.as_deref())),
            worker
                .brick
                .as_deref()
                .map_or_else(|| "-".to_owned(), |brick| Name::from(brick).to_string()),
            or_dash(worker.state.as_deref()),
            or_dash(worker.crawl.as_deref()),
            worker.restarts.to_string(),
            worker.since.map_or_else(|| "-".to_owned(), day),
        ]);
    }
    writeln!(
        out,
        "{}\n",
        table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    )
}

fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with a comma every three digits.
fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
