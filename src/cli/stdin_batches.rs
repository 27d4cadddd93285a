//! Batches of lines from standard input: large ones from a file, single lines from a slow pipe.

use std::io::{self, BufRead, BufReader};
use std::sync::mpsc::{Receiver, sync_channel};

use crate::domain::{Kind, UserError};

/// The most lines of one batch: bounds the memory that a batch takes.
const BATCH: usize = 1 << 17;

/// Standard input cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read standard input")]
pub(super) struct InputError(#[source] io::Error);

impl UserError for InputError {
    fn kind(&self) -> Kind {
        Kind::Blind
    }
}

type Chunk = io::Result<Vec<Vec<u8>>>;

/// Batches of lines without their line breaks; the last line may lack one.
pub(super) struct Batches {
    chunks: Receiver<Chunk>,
    waiting: Option<Chunk>,
}

impl Batches {
    /// Starts reading in a thread of its own, so that lines gather while a batch is worked on.
    pub(super) fn of(input: impl io::Read + Send + 'static) -> Self {
        let (send, chunks) = sync_channel(128);
        std::thread::spawn(move || {
            let mut input = BufReader::with_capacity(1 << 16, input);
            loop {
                let chunk = read_chunk(&mut input);
                let last = !matches!(&chunk, Ok(lines) if !lines.is_empty());
                if send.send(chunk).is_err() || last {
                    return;
                }
            }
        });
        Self { chunks, waiting: None }
    }
}

impl Iterator for Batches {
    type Item = Result<Vec<Vec<u8>>, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut batch = match self.waiting.take().or_else(|| self.chunks.recv().ok())? {
            Ok(lines) => lines,
            Err(error) => return Some(Err(InputError(error))),
        };
        while batch.len() < BATCH {
            match self.chunks.try_recv() {
                Ok(Ok(mut lines)) => batch.append(&mut lines),
                Ok(error) => {
                    self.waiting = Some(error);
                    break;
                }
                Err(_) => break,
            }
        }
        (!batch.is_empty()).then_some(Ok(batch))
    }
}

/// Waits for one line and reads what is buffered with it; empty at the end.
fn read_chunk(input: &mut BufReader<impl io::Read>) -> Chunk {
    let mut lines = Vec::new();
    while lines.is_empty() || input.buffer().contains(&b'\n') {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_comes_once_and_in_order() {
        let lines: Vec<_> = (0..200_000).map(|n| format!("line {n}")).collect();
        let input = io::Cursor::new(format!("{}\n\nlast", lines.join("\n")));
        let batches: Vec<_> = Batches::of(input).map(Result::unwrap).collect();
        assert!(batches.iter().all(|batch| !batch.is_empty() && batch.len() < 2 * BATCH));
        let lines: Vec<_> = batches.into_iter().flatten().collect();
        assert_eq!(lines.len(), 200_002);
        assert_eq!(lines[1234], b"line 1234");
        assert_eq!(&lines[200_000..], [&b""[..], b"last"]);
    }

    #[test]
    fn a_line_is_answered_before_the_next_is_written() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut batches = Batches::of(reader);
        for line in ["one", "two"] {
            io::Write::write_all(&mut writer, format!("{line}\n").as_bytes()).unwrap();
            assert_eq!(batches.next().unwrap().unwrap(), [line.as_bytes()]);
        }
        drop(writer);
        assert!(batches.next().is_none());
    }
}
