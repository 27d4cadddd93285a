//! What was typed: the flags of all commands in one place.

use clap::{Parser, Subcommand};

use super::cmd;
use super::global::Global;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_sound() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }
}
