//! The runbooks, embedded: what to do about each finding, without a network.

use std::io::{self, Write};

use include_dir::{Dir, include_dir};
use serde::Serialize;

use super::{Document, OutputStyle, Paint};
use crate::domain::{Kind, UserError};

static PAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/runbooks");

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

/// There is no such runbook.
#[derive(Debug, thiserror::Error)]
#[error("there is no runbook named {name:?}")]
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
        hints.push("georepair runbook   lists them all".to_owned());
        hints
    }
}

impl Runbooks {
    /// All pages, to be listed.
    #[must_use]
    pub fn all() -> Self {
        Self { schema: "georepair/runbooks/1", pages: pages().collect(), full: false }
    }

    /// One page by its name, which is a finding's code.
    ///
    /// # Errors
    /// [`RunbookError`] with the names that come near.
    pub fn one(name: &str) -> Result<Self, RunbookError> {
        let wanted = name.trim_end_matches(".md");
        if let Some(page) = pages().find(|page| page.name == wanted) {
            return Ok(Self { schema: "georepair/runbooks/1", pages: vec![page], full: true });
        }
        let near = pages().map(|page| page.name).filter(|page| page.contains(wanted)).collect();
        Err(RunbookError { name: name.to_owned(), near })
    }
}

/// The pages by name.
fn pages() -> impl Iterator<Item = Page> {
    let mut files: Vec<_> = PAGES.files().collect();
    files.sort_by_key(|file| file.path());
    files.into_iter().filter_map(|file| {
        let name = file.path().file_stem()?.to_str()?;
        let text = file.contents_utf8()?;
        Some(Page { name, title: title(text), text })
    })
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
