//! `audit ready`: what a session needs, one check a line.

use std::io::{self, Write};

use serde::Serialize;

use super::check_list::{check_list, status_word};
use super::{Document, OutputStyle};
use crate::check::{Check, CheckStatus};

/// The document `georepair/ready/1`.
#[derive(Debug, Serialize)]
pub struct ReadyList {
    schema: &'static str,
    primary: String,
    secondary: String,
    verdict: CheckStatus,
    needs: Vec<Check>,
}

impl ReadyList {
    /// The checks of a future session.
    #[must_use]
    pub fn new(primary: String, secondary: String, needs: Vec<Check>) -> Self {
        let verdict = needs.iter().map(|check| check.status).max().unwrap_or(CheckStatus::Unseen);
        Self { schema: "georepair/ready/1", primary, secondary, verdict, needs }
    }

    /// The worst status.
    #[must_use]
    pub fn verdict(&self) -> CheckStatus {
        self.verdict
    }
}

impl Document for ReadyList {
    const ITEMS: &'static str = "needs";

    fn human(&self, style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        check_list(&self.needs, &[], style, out)?;
        let says = match self.verdict {
            CheckStatus::Pass => "a session would work here",
            CheckStatus::Warn => "a session would work; look at the warnings first",
            CheckStatus::Unseen => "no problem found, but not everything could be checked",
            CheckStatus::Fail => "a session would not work",
        };
        let paint = status_word(self.verdict).1;
        writeln!(out, "{} to {}: {}", self.primary, self.secondary, paint.on(says))?;
        let mut codes: Vec<_> = self.needs.iter().filter_map(|check| check.code).collect();
        codes.sort();
        codes.dedup();
        for code in codes {
            writeln!(out, "  georepair runbook {code}")?;
        }
        Ok(())
    }
}
