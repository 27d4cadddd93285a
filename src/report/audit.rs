//! Audits: findings as they are found, then the counts and what could not be checked.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{OutputStyle, Paint, PrintError, Record, Stream};
use crate::domain::{AuditFinding, AuditHead, Code, Fact, Facts, Severity};
use crate::task::{Failure, Findings};

/// How many findings of one code are shown to people; scripts get all.
const SHOWN: u64 = 50;

/// The document `georepair/audit/1`, printed as it grows.
pub struct AuditList<'w> {
    stream: Stream<'w>,
    look: OutputStyle,
    tally: BTreeMap<Code, u64>,
    worst: Option<Severity>,
}

impl AuditList<'static> {
    /// Starts the document.
    ///
    /// # Errors
    /// [`PrintError`] if standard output cannot be written.
    pub fn start(look: OutputStyle) -> Result<Self, PrintError> {
        Ok(Self::new(Stream::to_stdout("georepair/audit/1", "findings", look, false)?, look))
    }
}

impl<'w> AuditList<'w> {
    /// Starts the document on any writer.
    ///
    /// # Errors
    /// [`PrintError`] if the writer fails.
    pub fn start_on(out: Box<dyn Write + 'w>, look: OutputStyle) -> Result<Self, PrintError> {
        Ok(Self::new(Stream::to(out, "georepair/audit/1", "findings", look)?, look))
    }

    fn new(stream: Stream<'w>, look: OutputStyle) -> Self {
        Self { stream, look, tally: BTreeMap::new(), worst: None }
    }

    /// Prints findings; for people only the first of each code, unless verbose.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn push(&mut self, findings: &[AuditFinding]) -> Result<(), PrintError> {
        for finding in findings {
            let count = self.tally.entry(finding.code).or_default();
            *count += 1;
            let count = *count;
            self.worst = Some(self.worst.map_or(finding.severity, |w| w.min(finding.severity)));
            let most = self.look.top.map_or(SHOWN, |top| top as u64);
            if !self.is_human() || self.look.verbose || count <= most {
                self.stream.push_one(finding)?;
            }
        }
        Ok(())
    }

    /// Whether a finding that is not benign was pushed.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        self.worst.is_some_and(|worst| worst != Severity::Benign)
    }

    /// Whether the reader closed the pipe (`| head`).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.stream.is_gone()
    }

    /// Ends the document; the summary is counted here.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn finish(mut self, head: AuditHead) -> Result<(), PrintError> {
        let head = AuditHead { summary: self.tally.clone(), ..head };
        if self.is_human() {
            let end = End { head: &head, hidden: self.hidden() };
            self.stream.push_one(&end)?;
        }
        self.stream.finish(&head)
    }

    fn is_human(&self) -> bool {
        self.look.format == super::Format::Human
    }

    fn hidden(&self) -> u64 {
        let most = self.look.top.map_or(SHOWN, |top| top as u64);
        if self.look.verbose {
            return 0;
        }
        self.tally.values().map(|count| count.saturating_sub(most)).sum()
    }
}

impl Findings for AuditList<'_> {
    fn push(&mut self, findings: &[AuditFinding]) -> Result<(), Failure> {
        Self::push(self, findings)?;
        Ok(self.stream.flush()?)
    }

    fn is_gone(&self) -> bool {
        Self::is_gone(self)
    }
}

impl Record for AuditFinding {
    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        let paint = match self.severity {
            Severity::Fatal | Severity::Loss => Paint::Bad,
            Severity::Warning => Paint::Warn,
            Severity::Benign => Paint::Faint,
        };
        write!(out, "{}", paint.on(format_args!("{:18}", self.code)))?;
        if self.severity == Severity::Benign {
            write!(out, "  (benign)")?;
        }
        if let Some(path) = &self.path {
            write!(out, "  {path}")?;
        }
        if let Some(gfid) = self.gfid {
            write!(out, "  {}", Paint::Faint.on(gfid))?;
        }
        if let Some(brick) = &self.brick {
            write!(out, "  on {brick}")?;
        }
        writeln!(out, "\n    {}", self.says)?;
        if self.below > 0 {
            writeln!(out, "    and {} objects below it", self.below)?;
        }
        for (side, facts) in [("primary", &self.primary), ("secondary", &self.secondary)] {
            if let Some(facts) = facts {
                write_facts(if self.brick.is_some() { None } else { Some(side) }, facts, out)?;
            }
        }
        Ok(())
    }
}

fn write_facts(side: Option<&str>, facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "    {:10}", side.unwrap_or_default())?;
    for (index, (name, fact)) in facts.iter().enumerate() {
        if index > 0 {
            write!(out, ", ")?;
        }
        match fact {
            Fact::Text(text) => write!(out, "{name} {text}")?,
            Fact::Number(number) => write!(out, "{name} {number}")?,
            Fact::Time(time) => write!(out, "{name} {time}")?,
            Fact::Gfid(gfid) => write!(out, "{name} {gfid}")?,
            Fact::Name(it) => write!(out, "{name} {it}")?,
            Fact::Names(names) => {
                write!(out, "{name}")?;
                for name in names {
                    write!(out, " {name}")?;
                }
            }
        }
    }
    writeln!(out)
}

/// The last lines for people.
#[derive(Serialize)]
struct End<'a> {
    #[serde(flatten)]
    head: &'a AuditHead,
    hidden: u64,
}

impl Record for End<'_> {
    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        let head = self.head;
        if self.hidden > 0 {
            writeln!(out, "and {} more; -v shows all, --format jsonl too", self.hidden)?;
        }
        for (mark, lines) in
            [("", &head.scope), ("not checked: ", &head.unseen), ("note: ", &head.notes)]
        {
            for line in lines {
                writeln!(out, "{mark}{line}")?;
            }
        }
        if let Some(up_to) = head.up_to {
            writeln!(out, "replicated up to {up_to}")?;
        }
        write!(out, "{} compared", head.compared)?;
        if let Some(pending) = head.pending.filter(|pending| *pending > 0) {
            write!(out, ", {pending} differ and are pending")?;
        }
        if head.summary.is_empty() {
            let well = if head.unseen.is_empty() { "nothing wrong" } else { "nothing found" };
            writeln!(out, ": {}", Paint::Good.on(well))?;
            return Ok(());
        }
        for (index, (code, count)) in head.summary.iter().enumerate() {
            write!(out, "{} {count} {code}", if index == 0 { ":" } else { "," })?;
        }
        writeln!(out)?;
        for code in head.summary.keys() {
            writeln!(out, "  georepair runbook {code}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Gfid, Name};
    use crate::report::{ColorChoice, Format};

    fn printed(format: Format, count: usize) -> String {
        let look =
            OutputStyle { format, color: ColorChoice::Never, width: 80, verbose: false, top: None };
        let mut out = Vec::new();
        let mut list = AuditList::start_on(Box::new(&mut out), look).unwrap();
        let finding = AuditFinding {
            gfid: Some(Gfid::ROOT),
            path: Some(Name::from(b"a b")),
            primary: Some(Facts::new().with("size", 3)),
            ..AuditFinding::new(Code::NoData, "it says")
        };
        for _ in 0..count {
            list.push(std::slice::from_ref(&finding)).unwrap();
        }
        assert_eq!(list.has_findings(), count > 0);
        list.finish(AuditHead { compared: 9, ..AuditHead::default() }).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn people_see_the_first_of_each_code_and_the_counts() {
        let text = printed(Format::Human, 60);
        assert_eq!(text.matches("it says").count(), 50);
        assert!(text.contains("and 10 more") && text.contains("9 compared: 60 no-data"), "{text}");
        assert!(text.contains("'a b'") && text.contains("primary   size 3"), "{text}");
        assert_eq!(printed(Format::Human, 0), "9 compared: nothing wrong\n");
    }

    #[test]
    fn scripts_get_them_all_and_the_head() {
        let text = printed(Format::Jsonl, 60);
        assert_eq!(text.lines().count(), 61);
        let head: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(head["summary"]["no-data"], 60);
        assert_eq!((&head["schema"], &head["compared"]), (&"georepair/audit/1".into(), &9.into()));
        let whole: serde_json::Value = serde_json::from_str(&printed(Format::Json, 2)).unwrap();
        assert_eq!(whole["findings"].as_array().map(Vec::len), Some(2));
    }
}
