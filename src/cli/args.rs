//! The command line: all commands and the flags they share.

use clap::{Parser, Subcommand};

use super::cmd;
use super::global::Global;

/// The fsck of GlusterFS geo-replication.
///
/// georepair reads the logs, bricks and changelogs of a geo-replication session, reports what is
/// wrong and why, and repairs it. Older releases call the primary master and the secondary slave.
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

/// The commands, in the order an operator needs them.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Find out which gfids fail, why, since when, and what to do
    Diagnose(cmd::diagnose::Args),
    /// Resolve gfids to all their paths, and paths to gfids
    ResolveGfid(cmd::resolve_gfid::Args),
    /// Read changelogs: records, history, backlog, statistics
    #[command(subcommand)]
    Changelog(cmd::changelog::Command),
    /// Reset a session: verified restart, rewind, rebuild the index, full resync
    Reset(cmd::reset::Args),
    /// Check a brick, compare both sides, check whether a session would work
    #[command(subcommand)]
    Audit(cmd::audit::Command),
    /// Send files and directories again, parents first
    TriggerSync(cmd::trigger_sync::Args),
    /// Run a saved plan
    Apply(cmd::apply::Args),
    /// List, show, resume, undo and delete runs
    #[command(subcommand)]
    Runs(cmd::runs::Command),
    /// Print the runbooks: what to do about each finding
    Runbook(cmd::runbook::Args),
    /// The agent that georepair on another node starts over ssh
    #[command(subcommand, hide = true)]
    Agent(cmd::agent::Command),
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
