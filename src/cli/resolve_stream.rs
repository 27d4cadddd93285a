//! Reads gfid queries from arguments and standard input; prints the answers in input order.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use anstream::eprintln;

use super::failure::Outcome;
use super::stdin_batches::Batches;
use crate::domain::Gfid;
use crate::format::gfids_of_finding;
use crate::report::{GfidList, TerminalProgress};
use crate::scan::Meter;
use crate::scan::brick::BrickRoot;
use crate::scan::resolve::{Answer, Query, Resolver};
use crate::task::{Failure, Phase, Progress as _};

/// How many answers may wait for a scan before it runs: bounds the memory.
const WAITING: usize = 1_000_000;

/// Answers queries from arguments and standard input.
pub(super) struct ResolveStream<'a> {
    resolver: Resolver<'a>,
    meter: &'a Arc<Meter>,
    list: GfidList,
    scan: bool,
    quiet: bool,
    /// Answers from the first one on that needs a scan.
    waiting: Vec<Answer>,
    /// Lines that were not findings.
    unread: u64,
}

impl<'a> ResolveStream<'a> {
    /// Without `scan`, names that no xattr records stay unknown.
    pub(super) fn new(
        bricks: &'a [BrickRoot],
        meter: &'a Arc<Meter>,
        list: GfidList,
        scan: bool,
        quiet: bool,
    ) -> Self {
        let resolver = Resolver::new(bricks, meter);
        Self { resolver, meter, list, scan, quiet, waiting: Vec::new(), unread: 0 }
    }

    /// Answers the arguments, and standard input in the place of each `-`.
    pub(super) fn answer_args(&mut self, asked: &[OsString]) -> Result<(), Failure> {
        for given in asked.split_inclusive(|text| text == "-") {
            let (texts, stdin) = match given {
                [texts @ .., last] if last == "-" => (texts, true),
                texts => (texts, false),
            };
            self.answer(texts.iter().map(|text| self.parse(text.as_bytes())).collect())?;
            if stdin {
                self.answer_lines()?;
            }
        }
        Ok(())
    }

    fn answer_lines(&mut self) -> Result<(), Failure> {
        for batch in Batches::of(io::stdin()) {
            let lines = batch?;
            let texts = lines.iter().map(|line| line.trim_ascii()).filter(|text| !text.is_empty());
            self.answer(texts.map(|text| self.parse(text)).collect())?;
            if self.list.is_gone() {
                break;
            }
        }
        Ok(())
    }

    /// Resolves the gfids of the findings on standard input, each once.
    pub(super) fn answer_findings(&mut self) -> Result<(), Failure> {
        let mut seen = HashSet::<Gfid>::new();
        for batch in Batches::of(io::stdin()) {
            let mut asked = Vec::new();
            for line in batch? {
                let gfids = gfids_of_finding(&line).unwrap_or_else(|_| {
                    self.unread += 1;
                    Vec::new()
                });
                asked.extend(gfids.into_iter().filter(|gfid| seen.insert(*gfid)).map(Query::Gfid));
            }
            self.answer(asked)?;
            if self.list.is_gone() {
                break;
            }
        }
        Ok(())
    }

    fn parse(&self, text: &[u8]) -> Query {
        Query::parse(text, |name| self.resolver.bricks().iter().any(|brick| brick.holds(name)))
    }

    fn answer(&mut self, asked: Vec<Query>) -> Result<(), Failure> {
        let mut answers = self.resolver.answer(asked)?;
        let ready = match answers.iter().position(Answer::needs_scan) {
            _ if !self.waiting.is_empty() => 0,
            Some(first) if self.scan => first,
            _ => answers.len(),
        };
        self.waiting.extend(answers.drain(ready..));
        self.list.push(&answers)?;
        if self.waiting.len() >= WAITING {
            self.scan_for_waiting()?;
        }
        Ok(self.list.flush()?)
    }

    fn scan_for_waiting(&mut self) -> Result<(), Failure> {
        if self.waiting.iter().any(Answer::needs_scan) {
            let most = self.resolver.bricks().iter().filter_map(BrickRoot::inodes).sum();
            let progress = TerminalProgress { quiet: self.quiet };
            let _phase = progress.phase(Phase::names(self.meter, most));
            self.resolver.scan(&mut self.waiting)?;
        }
        self.list.push(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// Prints the answers that waited for the scan, and the summary.
    pub(super) fn close(mut self) -> Result<Outcome, Failure> {
        self.scan_for_waiting()?;
        let outcome = if self.list.is_blind() || self.unread > 0 {
            Outcome::Blind
        } else if self.list.all_resolved() {
            Outcome::Fine
        } else {
            Outcome::Findings
        };
        let (summary, gone) = (self.list.summary(), self.list.is_gone());
        self.list.finish(self.meter)?;
        if !self.quiet && !gone {
            eprintln!("{summary}");
        }
        if self.unread > 0 {
            eprintln!("{} lines were not findings. To get findings:", self.unread);
            eprintln!("  georepair diagnose --format jsonl");
        }
        Ok(if gone { Outcome::Fine } else { outcome })
    }
}
