//! `georepair audit`: is a brick sound, would a session work, are both sides the same?

mod brick;
mod ready;
mod session;

use clap::Subcommand;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::SecondaryUrl;
use crate::task::Failure;

/// The audits; none of them ever writes.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Is this brick's .glusterfs, changelog index and stime sound?
    Brick(brick::Args),
    /// Are both sides of a session the same? Compared by gfid, from the bricks
    Session(session::Args),
    /// Would a session work here?
    Ready(ready::Args),
}

/// Compares both sides of a session, as `audit session PRIMARY SECONDARY` does.
pub(in crate::cli) fn both_sides(
    primary: &str,
    secondary: &SecondaryUrl,
    global: &Global,
) -> Result<Outcome, Failure> {
    session::run(&session::Args::of(primary, secondary), global)
}

pub(in crate::cli) fn run(command: &Command, global: &Global) -> Result<Outcome, Failure> {
    match command {
        Command::Brick(it) => brick::run(it, global),
        Command::Session(it) => session::run(it, global),
        Command::Ready(it) => ready::run(it, global),
    }
}
