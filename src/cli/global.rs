//! The flags of every command, and what a task gets from them.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{clock, interrupt};
use crate::report::{ColorChoice, Format, OutputStyle, TerminalProgress};
use crate::scan::cluster::Tools;
use crate::task::{Context, Failure};

/// Flags of every command.
#[derive(ClapArgs, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Output format
    #[arg(long, global = true, value_enum, default_value = "human")]
    pub format: Format,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: ColorChoice,
    /// Show benign findings and all causes
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// No progress and no notes on standard error
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Where runs and read positions are kept
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/georepair")]
    pub state_dir: PathBuf,
    /// Number of threads [default: one per core]
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
    /// How answers look on standard output.
    pub(super) fn style(&self) -> OutputStyle {
        OutputStyle::of_stdout(self.format, self.color, self.verbose > 0)
    }

    /// What a task works with.
    pub(super) fn context(&self) -> Result<Context, Failure> {
        Ok(Context {
            tools: Tools::new(&self.gluster, &self.ssh)?,
            host: host_name(),
            clock: clock::now,
            stop: interrupt::flag(),
            progress: Box::new(self.progress()),
        })
    }

    /// Where tasks report how far they are.
    pub(super) fn progress(&self) -> TerminalProgress {
        TerminalProgress { quiet: self.quiet }
    }
}

/// This machine's name, as the steps of a plan name it.
pub(super) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
