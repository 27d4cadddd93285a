//! `georepair changelog`: reads what the bricks recorded about every change.

mod history;
mod pending;
mod show;
mod stats;

use anstream::eprintln;
use clap::Subcommand;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::task::Failure;

/// The commands about changelogs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Print the records of changelogs and HTIME indexes
    Show(show::Args),
    /// Print everything that happened to a gfid or path, merged over bricks
    History(history::Args),
    /// Show the backlog and lag of each session, and whether it is stalled
    Pending(pending::Args),
    /// Count operations, hot directories, and changelogs that no session needs
    Stats(stats::Args),
}

pub(in crate::cli) fn run(command: &Command, global: &Global) -> Result<Outcome, Failure> {
    match command {
        Command::Show(it) => show::run(it, global),
        Command::History(it) => history::run(it, global),
        Command::Pending(it) => pending::run(it, global),
        Command::Stats(it) => stats::run(it, global),
    }
}

/// Prints notes on standard error.
fn print_notes(notes: &[String], global: &Global) {
    if global.quiet {
        return;
    }
    for note in notes {
        eprintln!("note: {note}");
    }
}

/// Prints the damaged places of changelogs on standard error.
fn print_damage(damage: &[crate::scan::changelog::Damaged], global: &Global) {
    for damaged in damage.iter().take(20) {
        let path = crate::domain::Name::from(damaged.file.as_os_str().as_encoded_bytes());
        let what = damaged.damage;
        print_notes(
            &[format!(
                "{path}: {} bytes at offset {} are not a record: {}",
                what.length, what.offset, what.fault
            )],
            global,
        );
    }
    if damage.len() > 20 {
        print_notes(&[format!("and {} more damaged places", damage.len() - 20)], global);
    }
}
