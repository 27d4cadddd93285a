//! One finding: what, when, which entries, what it explains, what to do next.

use std::collections::HashSet;
use std::io;

use super::{Page, day};
use crate::domain::{Evidence, FailedEntry, Finding, Name, Severity};
use crate::format::logline;
use crate::report::style::{Paint, wrapped};

/// How many entries of a finding are named.
const NAMED: usize = 3;
/// How many findings of those it explains are named.
const EXPLAINED: usize = 8;

impl Page<'_> {
    pub(super) fn finding(&mut self, number: usize, index: usize) -> io::Result<()> {
        let Some(finding) = self.all.findings.get(index) else { return Ok(()) };
        let times = if finding.seen.count > 1 {
            format!(" ×{}", finding.seen.count)
        } else {
            String::new()
        };
        let word = if finding.healed { "healed".to_owned() } else { finding.severity.to_string() };
        let (word, code) = (paint(finding).on(format!("{word:7}")), Paint::Strong.on(finding.code));
        writeln!(self.out, "{number:2}. {word}  {code}{times}  {}", when(finding))?;
        for line in wrapped(&finding.says, self.look.width.saturating_sub(6)) {
            writeln!(self.out, "    {line}")?;
        }
        if let Some(place) = place(finding) {
            writeln!(self.out, "    {place}")?;
        }
        self.named(finding)?;
        let effects = self.effects(index);
        if !effects.is_empty() {
            self.field("explains", &effects.join(", "))?;
        }
        for bug in &finding.known {
            self.field("known", bug)?;
        }
        if let Some(line) = finding.evidence.first() {
            self.evidence(line)?;
        }
        for command in &finding.remedy.commands {
            writeln!(self.out, "    next      {}", Paint::Strong.on(command))?;
        }
        writeln!(self.out)
    }

    /// A named line, wrapped below itself.
    fn field(&mut self, name: &str, text: &str) -> io::Result<()> {
        for (index, line) in wrapped(text, self.look.width.saturating_sub(14)).iter().enumerate() {
            writeln!(self.out, "    {:10}{line}", if index == 0 { name } else { "" })?;
        }
        Ok(())
    }

    /// The entries, gfids and changelogs of a finding: the first few, and how many more.
    fn named(&mut self, finding: &Finding) -> io::Result<()> {
        let most = if self.look.verbose { usize::MAX } else { NAMED };
        for entry in finding.seen.entries.iter().take(most) {
            writeln!(self.out, "    entry     {}", described(entry))?;
        }
        let of_entry = |entry: &FailedEntry| entry.gfid.into_iter().chain(entry.secondary_gfid);
        let named: HashSet<_> = finding.seen.entries.iter().flat_map(of_entry).collect();
        let bare: Vec<_> = finding.seen.gfids.iter().filter(|gfid| !named.contains(gfid)).collect();
        let room = most.saturating_sub(finding.seen.entries.len());
        for gfid in bare.iter().take(room) {
            writeln!(self.out, "    gfid      {gfid}")?;
        }
        let all = (finding.seen.entries.len() + bare.len()) as u64 + finding.seen.omitted;
        let shown = finding.seen.entries.len().min(most) + bare.len().min(room);
        if all > shown as u64 {
            let more = all - shown as u64;
            writeln!(self.out, "              and {more} more: --format json lists them")?;
        }
        if !finding.seen.changelogs.is_empty() {
            let few: Vec<_> =
                finding.seen.changelogs.iter().take(most).map(String::as_str).collect();
            let more = finding.seen.changelogs.len() - few.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            writeln!(self.out, "    changelog {}{more}", few.join(" "))?;
        }
        Ok(())
    }

    fn evidence(&mut self, line: &Evidence) -> io::Result<()> {
        let room = if self.look.verbose { usize::MAX } else { self.look.width.saturating_sub(14) };
        let bytes = line.text.as_bytes();
        let said = logline::parse(bytes).map_or(bytes, |line| line.message);
        let text = String::from_utf8_lossy(said);
        let text: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(room).collect();
        writeln!(self.out, "    log       {}:{}", line.path, line.line)?;
        writeln!(self.out, "              {}", Paint::Faint.on(text))
    }

    /// What a finding explains, directly and further on.
    fn effects(&self, cause: usize) -> Vec<String> {
        let mut out = Vec::new();
        for (index, finding) in self.all.findings.iter().enumerate() {
            if finding.caused_by == Some(cause) {
                out.push(format!("{} ×{}", finding.code, finding.seen.count));
                out.extend(self.effects(index));
            }
        }
        out.truncate(EXPLAINED);
        out
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
    match (finding.seen.first, finding.seen.last) {
        (Some(first), Some(last)) if last.secs() > first.secs() => {
            format!("{} to {}", day(first), day(last))
        }
        (Some(first), _) => day(first),
        _ => "at an unknown time".to_owned(),
    }
}

fn place(finding: &Finding) -> Option<String> {
    let named =
        |what: &str, name: Option<&str>| name.map(|name| format!("{what} {}", Name::from(name)));
    let parts = [
        named("session", finding.session.as_deref()),
        named("node", finding.node.as_deref()),
        named("brick", finding.worker.as_deref()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn described(entry: &FailedEntry) -> String {
    let mut parts = Vec::new();
    parts.extend(entry.path.as_ref().map(ToString::to_string));
    parts.extend(entry.gfid.map(|gfid| gfid.to_string()));
    match (&entry.name, entry.parent) {
        (Some(name), Some(parent)) => parts.push(format!("{name} in {parent}")),
        (Some(name), None) => parts.push(name.to_string()),
        _ => {}
    }
    parts.extend(entry.secondary_gfid.map(|other| format!("but the secondary has {other} there")));
    parts.extend(entry.now.map(|now| format!("[{now}]")));
    parts.join("  ")
}
