//! `georepair changelog`: what the bricks wrote down about every change.

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
    /// A changelog, or an HTIME index, as records
    Show(show::Args),
    /// Everything that ever happened to a gfid or path, merged over bricks
    History(history::Args),
    /// What replication still has to do: backlog, lag, and whether it stalls
    Pending(pending::Args),
    /// Operations over time, hot directories, and what no session needs any more
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

/// Tells what could not be read, on standard error.
fn tell(notes: &[String], global: &Global) {
    if global.quiet {
        return;
    }
    for note in notes {
        eprintln!("note: {note}");
    }
}

/// Tells of damaged places in changelogs, on standard error.
fn tell_damage(damage: &[crate::scan::changelog::Damaged], global: &Global) {
    for damaged in damage.iter().take(20) {
        let path = crate::domain::Name::from(damaged.file.as_os_str().as_encoded_bytes());
        let what = damaged.damage;
        tell(
            &[format!(
                "{path}: {} bytes at offset {} are no record: {}",
                what.length, what.offset, what.fault
            )],
            global,
        );
    }
    if damage.len() > 20 {
        tell(&[format!("and {} more damaged places", damage.len() - 20)], global);
    }
}
