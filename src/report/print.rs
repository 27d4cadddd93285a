//! Documents on standard output: text, JSON, or one JSON object a line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::style::{ColorChoice, Format, OutputStyle};
use crate::domain::{Kind, UserError};

/// An answer: serialisable for scripts, written for people.
pub trait Document: Serialize {
    /// The field that holds the list which `jsonl` streams, one element a line.
    const ITEMS: &'static str;

    /// Writes it for a person; the writer strips colour if it is not wanted.
    ///
    /// # Errors
    /// Any error of the writer.
    fn human(&self, look: &OutputStyle, out: &mut dyn Write) -> io::Result<()>;
}

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub struct PrintError(#[from] io::Error);

impl UserError for PrintError {
    fn kind(&self) -> Kind {
        Kind::Blind
    }
}

/// Standard output, with colour as chosen; `exact` passes every byte on.
pub(super) fn stdout(color: ColorChoice, exact: bool) -> anstream::AutoStream<io::Stdout> {
    let choice = match color {
        _ if exact => anstream::ColorChoice::AlwaysAnsi,
        ColorChoice::Auto => anstream::AutoStream::choice(&io::stdout()),
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    anstream::AutoStream::new(io::stdout(), choice)
}

/// Prints a document; a closed pipe (`| head`) is not an error.
///
/// # Errors
/// [`PrintError`] if standard output fails otherwise, such as a full disk.
pub fn print(document: &impl Document, look: &OutputStyle) -> Result<(), PrintError> {
    let out = stdout(look.color, look.format != Format::Human);
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    let written = match look.format {
        Format::Human => document.human(look, &mut out).and_then(|()| out.flush()),
        Format::Json => write_json(document, out),
        Format::Jsonl => write_jsonl(document, out),
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes the document as one indented object.
fn write_json<D: Document>(document: &D, mut out: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, document)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes each element of the document's list on a line, then the rest of the document.
fn write_jsonl<D: Document>(document: &D, mut out: impl Write) -> io::Result<()> {
    let mut head = document.serialize(serde_json::value::Serializer)?;
    let items = head.as_object_mut().and_then(|fields| fields.remove(D::ITEMS));
    if let Some(Value::Array(items)) = items {
        for item in items {
            serde_json::to_writer(&mut out, &item)?;
            out.write_all(b"\n")?;
        }
    }
    serde_json::to_writer(&mut out, &head)?;
    out.write_all(b"\n")?;
    out.flush()
}
