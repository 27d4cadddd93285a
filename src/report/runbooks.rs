//! `georepair runbook`: the embedded runbooks, listed or one in full.

use std::io::{self, Write};

use serde::Serialize;

use super::{Document, OutputStyle, Paint};
use crate::domain::{Code, Kind, Runbook, UserError};

macro_rules! pages {
    ($($name:literal)*) => {
        &[$(Runbook {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/", $name, ".md")),
        }),*]
    };
}

/// Runbooks of tasks; a finding's runbook is in its code's row.
const TASKS: &[Runbook] = pages! {
    "reset-full"
    "reset-history"
    "reset-old-procedure"
    "reset-resync"
    "reset-retry"
    "reset-rewind"
};

/// The list of runbooks, or one of them.
#[derive(Debug, Serialize)]
pub struct Runbooks {
    schema: &'static str,
    #[serde(rename = "runbooks")]
    pages: Vec<Page>,
    #[serde(skip)]
    full: bool,
}

#[derive(Debug, Serialize)]
struct Page {
    name: &'static str,
    title: &'static str,
    text: &'static str,
}

/// An unknown name of a runbook.
#[derive(Debug, thiserror::Error)]
#[error("no runbook is named {name:?}")]
pub struct RunbookError {
    name: String,
    near: Vec<&'static str>,
}

impl UserError for RunbookError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hints(&self) -> Vec<String> {
        let mut hints: Vec<_> =
            self.near.iter().map(|name| format!("georepair runbook {name}")).collect();
        hints.push("georepair runbook   lists all of them".to_owned());
        hints
    }
}

impl Runbooks {
    /// All pages, to be listed.
    #[must_use]
    pub fn all() -> Self {
        Self { schema: "georepair/runbooks/1", pages: pages().collect(), full: false }
    }

    /// One page by its name, usually a finding's code.
    ///
    /// # Errors
    /// [`RunbookError`] with similar names.
    pub fn one(name: &str) -> Result<Self, RunbookError> {
        let wanted = name.trim_end_matches(".md");
        if let Some(page) = pages().find(|page| page.name == wanted) {
            return Ok(Self { schema: "georepair/runbooks/1", pages: vec![page], full: true });
        }
        let near = pages().map(|page| page.name).filter(|page| page.contains(wanted)).collect();
        Err(RunbookError { name: name.to_owned(), near })
    }
}

/// The pages by name; a page that several codes share is listed once.
fn pages() -> impl Iterator<Item = Page> {
    let mut pages: Vec<_> = Code::ALL.iter().map(|code| code.runbook()).collect();
    pages.extend_from_slice(TASKS);
    pages.sort_by_key(|page| page.name);
    pages.dedup();
    pages.into_iter().map(|Runbook { name, text }| Page { name, title: title(text), text })
}

/// What follows the name in a page's first line, `# name: title`.
fn title(text: &'static str) -> &'static str {
    let first = text.lines().next().unwrap_or_default();
    first.split_once(": ").map_or(first, |(_, title)| title)
}

impl Document for Runbooks {
    const ITEMS: &'static str = "runbooks";

    fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        if let (true, Some(page)) = (self.full, self.pages.first()) {
            return out.write_all(page.text.as_bytes());
        }
        let width = self.pages.iter().map(|page| page.name.len()).max().unwrap_or_default();
        for page in &self.pages {
            writeln!(
                out,
                "{}  {}",
                Paint::Strong.on(format_args!("{:width$}", page.name)),
                page.title
            )?;
        }
        writeln!(out, "\nOne page: georepair runbook NAME")
    }
}
