//! `audit ready`: what a session needs, one line each.

use std::io::{self, Write};

use serde::Serialize;

use super::style::wrapped;
use super::{Document, OutputStyle, Paint};
use crate::check::setup::{Need, Pass};

/// The document `georepair/ready/1`.
#[derive(Debug, Serialize)]
pub struct ReadyList {
    schema: &'static str,
    primary: String,
    secondary: String,
    verdict: Pass,
    needs: Vec<Need>,
}

impl ReadyList {
    /// What was judged of a session that may come.
    #[must_use]
    pub fn new(primary: String, secondary: String, needs: Vec<Need>) -> Self {
        let verdict = needs.iter().map(|need| need.verdict).max().unwrap_or(Pass::Unseen);
        Self { schema: "georepair/ready/1", primary, secondary, verdict, needs }
    }

    /// The worst of all.
    #[must_use]
    pub fn verdict(&self) -> Pass {
        self.verdict
    }
}

impl Document for ReadyList {
    const ITEMS: &'static str = "needs";

    fn human(&self, look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        let wide = |text: fn(&Need) -> usize| self.needs.iter().map(text).max().unwrap_or_default();
        let what = wide(|need| need.what.chars().count());
        let place = wide(|need| need.place.chars().count());
        let indent = 8 + what + 2 + place + 2;
        let width = look.width.saturating_sub(indent).max(40);
        for need in &self.needs {
            let (word, paint) = word(need.verdict);
            let start = format!("  {:what$}  {:place$}  ", need.what, need.place);
            write!(out, "{}{start}", paint.on(format_args!("{word:6}")))?;
            let mut lines = wrapped(&need.says, width).into_iter();
            writeln!(out, "{}", lines.next().unwrap_or_default())?;
            for line in lines {
                writeln!(out, "{:indent$}{line}", "")?;
            }
            if let Some(next) = &need.next {
                writeln!(out, "{:indent$}{}", "", Paint::Faint.on(next))?;
            }
        }
        let says = match self.verdict {
            Pass::Pass => "a session would work here",
            Pass::Warn => "a session would work; look at the warnings first",
            Pass::Unseen => "nothing speaks against a session, but not all could be seen",
            Pass::Fail => "a session would not work",
        };
        writeln!(out, "{} to {}: {}", self.primary, self.secondary, word(self.verdict).1.on(says))?;
        let mut codes: Vec<_> = self.needs.iter().filter_map(|need| need.code).collect();
        codes.sort();
        codes.dedup();
        for code in codes {
            writeln!(out, "  georepair runbook {code}")?;
        }
        Ok(())
    }
}

fn word(verdict: Pass) -> (&'static str, Paint) {
    match verdict {
        Pass::Pass => ("pass", Paint::Good),
        Pass::Warn => ("warn", Paint::Warn),
        Pass::Unseen => ("unseen", Paint::Warn),
        Pass::Fail => ("FAIL", Paint::Bad),
    }
}
