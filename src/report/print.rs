//! Documents on standard output, in the format that was asked for.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::style::{ColorChoice, Format, OutputStyle};
use crate::domain::{Kind, UserError};

/// An answer: serialisable for scripts, written for people.
pub trait Document: Serialize {
    /// The field that holds the list which `jsonl` streams, one element a line.
    const ITEMS: &'static str;

    /// Writes it for a person; colour is stripped behind the writer where unwanted.
    ///
    /// # Errors
    /// Whatever the writer answers.
    fn human(&self, look: &OutputStyle, out: &mut dyn Write) -> io::Result<()>;
}

/// Standard output would not take the answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the answer to standard output")]
pub struct PrintError(#[from] io::Error);

impl UserError for PrintError {
    fn kind(&self) -> Kind {
        Kind::Blind
    }
}

/// Standard output, with colour as wanted; `exact` passes every byte on.
pub(super) fn stdout(color: ColorChoice, exact: bool) -> anstream::AutoStream<io::Stdout> {
    let choice = match color {
        _ if exact => anstream::ColorChoice::AlwaysAnsi,
        ColorChoice::Auto => anstream::AutoStream::choice(&io::stdout()),
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    anstream::AutoStream::new(io::stdout(), choice)
}

/// Prints a document; a reader that went away (`| head`) is no error.
///
/// # Errors
/// [`PrintError`] where standard output fails otherwise, a full disk for example.
pub fn print(document: &impl Document, look: &OutputStyle) -> Result<(), PrintError> {
    let out = stdout(look.color, look.format != Format::Human);
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    let written = match look.format {
        Format::Human => document.human(look, &mut out).and_then(|()| out.flush()),
        Format::Json => json::whole(document, out),
        Format::Jsonl => json::lines(document, out),
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
