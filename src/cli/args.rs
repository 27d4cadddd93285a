//! What was typed: the flags of all commands in one place.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use super::cmd;
use crate::report::{ColorChoice, Format, OutputStyle};

/// The fsck of GlusterFS geo-replication.
///
/// georepair reads logs, bricks and changelogs of a geo-replication session, says what is wrong
/// and why, and mends it. In older releases the primary side was called master, the secondary slave.
#[derive(Parser, Debug)]
#[command(name = "georepair", version, max_term_width = 100, propagate_version = true)]
pub struct Args {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, in the order of the work.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Which gfids fail, why, since when, and what to do
    Diagnose(cmd::diagnose::Args),
    /// Every path of a gfid, and the gfid of a path
    ResolveGfid(cmd::resolve_gfid::Args),
    /// What the bricks wrote down about every change
    #[command(subcommand)]
    Changelog(cmd::changelog::Command),
    /// Start the session over: proved restart, marks set back, full crawl
    Reset(cmd::reset::Args),
    /// Is a brick sound, would a session work, are both sides the same?
    #[command(subcommand)]
    Audit(cmd::audit::Command),
    /// Have gsyncd send files and directories again, in pre-order
    TriggerSync(cmd::trigger_sync::Args),
    /// Run a saved plan
    Apply(cmd::apply::Args),
    /// What was done, going on after a crash, taking it back
    #[command(subcommand)]
    Runs(cmd::runs::Command),
    /// The runbooks, offline
    Runbook(cmd::runbook::Args),
    /// What georepair does on a peer, for the georepair that asked over ssh
    #[command(subcommand, hide = true)]
    Agent(cmd::agent::Command),
}

/// Flags of every command.
#[derive(ClapArgs, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// How to print the answer
    #[arg(long, global = true, value_enum, default_value = "human")]
    pub format: Format,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: ColorChoice,
    /// Say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// No progress and no hints on standard error
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Where runs and read positions are remembered
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/georepair")]
    pub state_dir: PathBuf,
    /// How many threads work at once [default: one a core]
    #[arg(long, global = true, value_name = "N")]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// The gluster command
    #[arg(long, global = true, value_name = "PATH", default_value = "gluster")]
    pub gluster: PathBuf,
    /// The ssh command, with its options
    #[arg(long, global = true, value_name = "CMD", default_value = "ssh")]
    pub ssh: String,
}

impl Global {
    /// How answers are to look on standard output.
    pub(super) fn look(&self) -> OutputStyle {
        OutputStyle::of_stdout(self.format, self.color, self.verbose > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_sound() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }
}
