//! `georepair audit`: is a brick sound, would a session work, are both sides the same?

mod brick;
mod ready;
pub(in crate::cli) mod session;

use clap::Subcommand;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::AuditHead;
use crate::report::AuditList;
use crate::task::Failure;

/// The audits; none of them writes.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check a brick: .glusterfs, changelog index, stime
    Brick(brick::Args),
    /// Compare both sides of a session, by gfid, from the bricks
    Session(session::Args),
    /// Check whether a session would work
    Ready(ready::Args),
}

pub(in crate::cli) fn run(command: &Command, global: &Global) -> Result<Outcome, Failure> {
    match command {
        Command::Brick(it) => brick::run(it, global),
        Command::Session(it) => session::run(it, global),
        Command::Ready(it) => ready::run(it, global),
    }
}

/// Ends the document; a finding counts more than what could not be checked. That the reader left
/// (`| head`) makes nothing checked: the exit code stays what it is.
fn finish(list: AuditList<'_>, head: AuditHead) -> Result<Outcome, Failure> {
    let (found, blind) = (list.has_findings(), !head.unseen.is_empty());
    list.finish(head)?;
    Ok(match (found, blind) {
        (true, _) => Outcome::Findings,
        (false, true) => Outcome::Blind,
        (false, false) => Outcome::Fine,
    })
}
