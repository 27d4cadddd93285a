//! `georepair audit session`: are both sides of a session the same?

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::cli::interrupt;
use crate::domain::SecondaryUrl;
use crate::report::AuditList;
use crate::scan::inventory::{GfidRange, ReadOptions};
use crate::task::Failure;
use crate::task::compare::{CompareOptions, CompareSides, compare_sides};
use crate::task::throttle::Throttle;

/// What `audit session` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The primary volume, on a node of its cluster. Bricks on other nodes are read by the
    /// georepair on that node, over ssh
    #[arg(requires = "secondary", required_unless_present = "primary_bricks")]
    primary: Option<String>,
    /// The secondary: `[USER@]HOST::VOLUME`
    secondary: Option<SecondaryUrl>,
    /// Instead of PRIMARY: a brick of it, mounted on this machine; repeat it for each brick.
    /// Replica sets are detected automatically
    #[arg(long = "primary-brick", value_name = "DIR", conflicts_with = "primary")]
    #[arg(requires = "secondary_bricks")]
    primary_bricks: Vec<PathBuf>,
    /// The same for the secondary
    #[arg(long = "secondary-brick", value_name = "DIR", requires = "primary_bricks")]
    secondary_bricks: Vec<PathBuf>,
    /// Compare the content of files too; reads every byte on both sides
    #[arg(long)]
    content: bool,
    /// With --content, read only one file in N, always the same ones
    #[arg(long, value_name = "N", requires = "content")]
    sample: Option<NonZeroU64>,
    /// Compare only part I of N, counted from 1: splits the work over nights or machines
    #[arg(long, value_name = "I/N", value_parser = part, conflicts_with = "range")]
    shard: Option<GfidRange>,
    /// Compare only gfids with these first four hex digits, such as 0000..7fff
    #[arg(long, value_name = "FROM..TO", value_parser = range)]
    range: Option<GfidRange>,
    /// Wait at most this long for pending changes to be replicated
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    settle: u64,
    /// Pause while the 1-minute load average is above this
    #[arg(long, value_name = "LOAD")]
    max_load: Option<f64>,
    /// Pause while this file exists
    #[arg(long, value_name = "FILE")]
    pause_file: Option<PathBuf>,
}

fn part(text: &str) -> Result<GfidRange, String> {
    let parsed = text.split_once('/').and_then(|(number, of)| {
        GfidRange::part(number.parse::<u16>().ok()?.checked_sub(1)?, of.parse().ok()?)
    });
    parsed.ok_or_else(|| "expected I/N, such as 1/4".to_owned())
}

fn range(text: &str) -> Result<GfidRange, String> {
    let digits = |digits: &str| {
        (digits.len() == 4).then_some(())?;
        u16::from_str_radix(digits, 16).ok()
    };
    let parsed = text.split_once("..").and_then(|(first, last)| {
        Some(GfidRange { first: digits(first)?, last: digits(last.trim_start_matches('='))? })
    });
    parsed
        .filter(|slice| slice.first <= slice.last)
        .ok_or_else(|| "expected four hex digits on either side, such as 0000..7fff".to_owned())
}

impl Args {
    fn sides(&self) -> CompareSides {
        match (&self.primary, &self.secondary) {
            (Some(primary), Some(secondary)) => {
                CompareSides::Volumes { primary: primary.clone(), secondary: secondary.clone() }
            }
            _ => CompareSides::Bricks {
                primary: self.primary_bricks.clone(),
                secondary: self.secondary_bricks.clone(),
            },
        }
    }

    fn options(&self) -> CompareOptions {
        let content = self.content.then(|| self.sample.map_or(1, NonZeroU64::get));
        CompareOptions {
            wish: ReadOptions { content, places: false },
            slice: self.shard.or(self.range).unwrap_or(GfidRange::ALL),
            settle: Duration::from_secs(self.settle),
            throttle: Throttle { max_load: self.max_load, pause_file: self.pause_file.clone() },
        }
    }
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    Throttle::be_nice();
    compare(&args.sides(), args.options(), global)
}

/// Compares both sides and prints what differs.
pub(in crate::cli) fn compare(
    sides: &CompareSides,
    options: CompareOptions,
    global: &Global,
) -> Result<Outcome, Failure> {
    interrupt::watch();
    let context = global.context()?;
    let mut list = AuditList::start(global.style())?;
    let compared = compare_sides(sides, options, &mut list, &context)?;
    let outcome = super::finish(list, compared.head)?;
    Ok(if compared.is_cut { Outcome::Cut } else { outcome })
}
