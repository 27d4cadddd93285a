//! Documents as JSON: whole, or one element of the list a line.

use std::io::{self, Write};

use serde_json::Value;

use super::Document;

/// Writes the document as one indented object.
pub(super) fn whole<D: Document>(document: &D, mut out: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, document)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes each element of the document's list on a line, then the rest of the document.
pub(super) fn lines<D: Document>(document: &D, mut out: impl Write) -> io::Result<()> {
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
