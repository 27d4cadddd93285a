//! `georepair reset`: resets a session, from a verified restart to a full resync.

mod dialog;

use std::path::PathBuf;

use dialog::{Dialog, show_checks, show_level};

use clap::builder::PossibleValue;
use clap::{Args as ClapArgs, ValueEnum};

use crate::cli::clock::now;
use crate::cli::failure::Outcome;
use crate::cli::follow_up;
use crate::cli::global::Global;
use crate::cli::run_plan::{ChangeArgs, carry_out, scratch};
use crate::domain::{LevelKind, ResetOptions, SecondaryData, SecondaryUrl, Time};
use crate::task::reset::{Reset, fit_together};
use crate::task::{Failure, UsageError};

/// What `reset` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The primary volume
    primary: String,
    /// The secondary, `[USER@]HOST::VOLUME`
    secondary: SecondaryUrl,
    /// How far to reset; without it, a dialog recommends one
    #[arg(long, value_enum)]
    level: Option<LevelKind>,
    /// With `rewind`: resend all changes since this time (RFC 3339 or epoch seconds)
    #[arg(long, value_name = "TIME", requires = "level", required_if_eq("level", "rewind"))]
    to: Option<Time>,
    /// With `rewind` and `history`: only this brick, by its directory; may be repeated
    #[arg(long = "brick", value_name = "DIR", requires = "level")]
    bricks: Vec<PathBuf>,
    #[command(flatten)]
    emptying: Emptying,
    /// With `resync` and `full`: do not compare both sides at the end
    #[arg(long)]
    no_audit: bool,
    /// Continue although this check failed; may be repeated
    #[arg(long = "override", value_name = "NAME")]
    overridden: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// What happens to the data on the secondary.
#[derive(ClapArgs, Debug)]
#[group(multiple = false, requires = "level")]
struct Emptying {
    /// With `resync` and `full`: empty the secondary first; a dated directory on it keeps a copy
    #[arg(long)]
    clean_secondary: bool,
    /// With `resync` and `full`: empty the secondary first, without a copy
    #[arg(long)]
    purge_secondary: bool,
    /// With `full`: keep the data on the secondary
    #[arg(long)]
    keep_secondary: bool,
}

impl ValueEnum for LevelKind {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.row().slug).help(self.row().does))
    }
}

impl Args {
    /// Mistyped options are refused here, before the cluster is asked anything.
    fn options(&self, level: LevelKind) -> Result<ResetOptions, UsageError> {
        let default = ResetOptions::new(level, now());
        let secondary_data = match self.emptying {
            Emptying { purge_secondary: true, .. } => SecondaryData::Purge,
            Emptying { clean_secondary: true, .. } => SecondaryData::Quarantine,
            Emptying { keep_secondary: true, .. } => SecondaryData::Keep,
            _ => default.secondary_data,
        };
        let (bricks, compare) = (self.bricks.clone(), !self.no_audit);
        let options = ResetOptions { since: self.to, bricks, secondary_data, compare, ..default };
        fit_together(&options).map(|()| options)
    }
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let choice = match args.level {
        Some(level) => Ok(args.options(level)?),
        None => Err(Dialog::at_terminal()?),
    };
    let context = global.context()?;
    let reset = Reset::inspect(&context, &args.primary, &args.secondary)?;
    let options = match choice {
        Ok(options) => {
            show_level(&reset, &options, global);
            options
        }
        Err(dialog) => ResetOptions { compare: !args.no_audit, ..dialog.ask(&reset, global)? },
    };
    let checks = reset.preflight(&options);
    show_checks(&checks, &args.overridden, global);
    let plan = reset.plan(&options, &checks, &args.overridden)?;
    let carried = carry_out(&plan, scratch()?.path(), &args.change, global)?;
    follow_up::run_follow_up(&plan, carried, global)
}
