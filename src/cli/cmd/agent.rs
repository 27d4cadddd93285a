//! `georepair agent`: what georepair does on a peer for the georepair that asked over ssh.

use std::io::Write as _;

use clap::Subcommand;

use crate::cli::failure::{Failure, Outcome};
use crate::report::PrintError;
use crate::scan::cluster::Hello;

/// What an agent can be asked for. Not for people: the dialect may change with each version.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Greet and end: is there a georepair, and does it fit?
    Hello,
}

pub(in crate::cli) fn run(command: &Command) -> Result<Outcome, Failure> {
    greet()?;
    match command {
        Command::Hello => Ok(Outcome::Fine),
    }
}

/// Says the first line, which the other side waits for.
fn greet() -> Result<(), PrintError> {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, &Hello::ours()).map_err(std::io::Error::from)?;
    stdout.write_all(b"\n")?;
    Ok(stdout.flush()?)
}
