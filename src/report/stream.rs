//! Prints the list of a document while it grows; nothing is kept in memory.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::print::{PrintError, stdout};
use super::style::{Format, OutputStyle};

/// How many elements are formatted before they are written: bounds the memory.
const BLOCK: usize = 8192;

/// One element of a streamed list: serialisable for scripts, written for people.
pub trait Record: Serialize {
    /// Writes it for a person, line break included.
    ///
    /// # Errors
    /// Whatever the writer answers.
    fn human(&self, look: &OutputStyle, out: &mut dyn Write) -> io::Result<()>;
}

/// A list document, printed as it grows.
///
/// `json` gives one object with the schema first, one element a line in the list, and the
/// head's other fields after it; `jsonl` gives an element a line and the head last.
pub struct Stream<'w> {
    out: Box<dyn Write + 'w>,
    look: OutputStyle,
    schema: &'static str,
    items: &'static str,
    empty: bool,
    gone: bool,
}

impl Stream<'static> {
    /// A document on standard output; `exact` keeps every byte, control characters too.
    ///
    /// # Errors
    /// [`PrintError`] if standard output cannot be written.
    pub fn to_stdout(
        schema: &'static str,
        items: &'static str,
        look: OutputStyle,
        exact: bool,
    ) -> Result<Self, PrintError> {
        let exact = exact || look.format != Format::Human;
        let out = io::BufWriter::with_capacity(1 << 16, stdout(look.color, exact));
        Self::to(Box::new(out), schema, items, look)
    }
}

impl<'w> Stream<'w> {
    /// A document to any writer.
    ///
    /// # Errors
    /// [`PrintError`] if the writer fails.
    pub fn to(
        out: Box<dyn Write + 'w>,
        schema: &'static str,
        items: &'static str,
        look: OutputStyle,
    ) -> Result<Self, PrintError> {
        let mut stream = Self { out, look, schema, items, empty: true, gone: false };
        if look.format == Format::Json {
            let start = write!(stream.out, "{{\n  \"schema\": \"{schema}\",\n  \"{items}\": [");
            stream.accept(start)?;
        }
        Ok(stream)
    }

    /// Prints elements; many are formatted in parallel.
    ///
    /// # Errors
    /// [`PrintError`], but not for a closed pipe: see [`Stream::is_gone`].
    pub fn push(&mut self, records: &[impl Record + Sync]) -> Result<(), PrintError> {
        for block in records.chunks(BLOCK) {
            let texts: io::Result<Vec<_>> =
                block.par_chunks(BLOCK / 32).map(|some| formatted(some, &self.look)).collect();
            if self.gone {
                return Ok(());
            }
            let written = texts.and_then(|texts| {
                texts.iter().try_for_each(|text| {
                    let comma = usize::from(self.look.format == Format::Json && self.empty);
                    self.empty = false;
                    self.out.write_all(text.get(comma..).unwrap_or_default())
                })
            });
            self.accept(written)?;
        }
        Ok(())
    }

    /// Prints one element, on the caller's thread: for elements that live no longer.
    ///
    /// # Errors
    /// [`PrintError`], but not for a closed pipe: see [`Stream::is_gone`].
    pub fn push_one(&mut self, record: &impl Record) -> Result<(), PrintError> {
        if self.gone {
            return Ok(());
        }
        let written = formatted(std::slice::from_ref(record), &self.look).and_then(|text| {
            let comma = usize::from(self.look.format == Format::Json && self.empty);
            self.empty = false;
            self.out.write_all(text.get(comma..).unwrap_or_default())
        });
        self.accept(written)
    }

    /// Flushes what was printed so far.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn flush(&mut self) -> Result<(), PrintError> {
        let flushed = self.out.flush();
        self.accept(flushed)
    }

    /// Whether the reader closed the pipe (`| head`): no more output is needed.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Prints the head's fields and ends the document; for people there is no head.
    ///
    /// # Errors
    /// [`PrintError`].
    pub fn finish(mut self, head: &impl Serialize) -> Result<(), PrintError> {
        let written = match self.look.format {
            Format::Human => Ok(()),
            Format::Json => self.close(head),
            Format::Jsonl => self.last_line(head),
        };
        self.accept(written)?;
        self.flush()
    }

    fn close(&mut self, head: &impl Serialize) -> io::Result<()> {
        self.out.write_all(if self.empty { b"]" } else { b"\n  ]" })?;
        if let Value::Object(fields) = serde_json::to_value(head)? {
            for (name, value) in fields {
                write!(self.out, ",\n  {}: {value}", Value::String(name))?;
            }
        }
        self.out.write_all(b"\n}\n")
    }

    fn last_line(&mut self, head: &impl Serialize) -> io::Result<()> {
        let mut fields = serde_json::Map::new();
        fields.insert("schema".to_owned(), self.schema.into());
        if let Value::Object(head) = serde_json::to_value(head)? {
            fields.extend(head);
        }
        fields.remove(self.items);
        line(&mut self.out, &fields)
    }

    fn accept(&mut self, written: io::Result<()>) -> Result<(), PrintError> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.gone = true,
            other => other?,
        }
        Ok(())
    }
}

/// Elements as they are printed; in `json` each behind a comma.
fn formatted(records: &[impl Record], look: &OutputStyle) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for record in records {
        match look.format {
            Format::Human => record.human(look, &mut text)?,
            Format::Json => {
                text.extend_from_slice(b",\n    ");
                serde_json::to_writer(&mut text, record)?;
            }
            Format::Jsonl => line(&mut text, record)?,
        }
    }
    Ok(text)
}

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::ColorChoice;

    #[derive(Serialize)]
    struct Number(u8);

    impl Record for Number {
        fn human(&self, _look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
            writeln!(out, "number {}", self.0)
        }
    }

    fn printed(format: Format, numbers: &[u8]) -> String {
        let mut out = Vec::new();
        let look =
            OutputStyle { format, color: ColorChoice::Never, width: 80, verbose: false, top: None };
        let mut stream = Stream::to(Box::new(&mut out), "georepair/x/1", "xs", look).unwrap();
        let numbers: Vec<_> = numbers.iter().copied().map(Number).collect();
        for some in numbers.chunks(1000) {
            stream.push(some).unwrap();
        }
        stream.finish(&json!({ "count": numbers.len() })).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_whole_document_parses_however_long_its_list() {
        let many: Vec<u8> = (0..20_000_u32).map(|n| n.to_be_bytes()[3]).collect();
        for numbers in [&[][..], &[7], &[7, 8], &many] {
            let document: Value = serde_json::from_str(&printed(Format::Json, numbers)).unwrap();
            let want = json!({ "schema": "georepair/x/1", "xs": numbers, "count": numbers.len() });
            assert_eq!(document, want);
        }
    }

    #[test]
    fn lines_end_with_the_head() {
        let text = printed(Format::Jsonl, &[7, 8]);
        assert_eq!(text, "7\n8\n{\"count\":2,\"schema\":\"georepair/x/1\"}\n");
        assert_eq!(printed(Format::Human, &[7]), "number 7\n");
    }

    struct Full(io::ErrorKind);

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_error_and_a_full_disk_is() {
        let look = OutputStyle {
            format: Format::Jsonl,
            color: ColorChoice::Never,
            width: 80,
            verbose: false,
            top: None,
        };
        let over = |kind| Stream::to(Box::new(Full(kind)), "s", "xs", look).unwrap();
        let mut left = over(io::ErrorKind::BrokenPipe);
        left.push(&[Number(1)]).unwrap();
        assert!(left.is_gone());
        assert!(over(io::ErrorKind::StorageFull).push(&[Number(1)]).is_err());
    }
}
