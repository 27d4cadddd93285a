//! `georepair audit session`: are both sides of a session the same?

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::cli::interrupt;
use crate::domain::SecondaryUrl;
use crate::report::AuditList;
use crate::scan::Meter;
use crate::scan::brick::BrickRoot;
use crate::scan::cluster::{Cluster, Host, Tools};
use crate::scan::inventory::{GfidRange, Inventory, ReadOptions};
use crate::task::compare::{CompareOptions, Comparison};
use crate::task::throttle::Throttle;
use crate::task::{Failure, Phase, Progress as _};

/// What `audit session` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The primary volume, on a node of its cluster. Bricks on other nodes are read by the
    /// georepair there, over ssh
    #[arg(requires = "secondary", required_unless_present = "primary_bricks")]
    primary: Option<String>,
    /// The other side, as the gluster command takes it: `[USER@]HOST::VOLUME`
    secondary: Option<SecondaryUrl>,
    /// Instead of PRIMARY: a brick of it, as this machine reaches it; repeat it for all of them.
    /// Bricks that hold copies of each other are told by themselves
    #[arg(long = "primary-brick", value_name = "DIR", conflicts_with = "primary")]
    #[arg(requires = "secondary_bricks")]
    primary_bricks: Vec<PathBuf>,
    /// The same for the secondary
    #[arg(long = "secondary-brick", value_name = "DIR", requires = "primary_bricks")]
    secondary_bricks: Vec<PathBuf>,
    /// Compare the content of files too: reads every byte on both sides
    #[arg(long)]
    content: bool,
    /// With --content, read one file in N only, always the same ones
    #[arg(long, value_name = "N", requires = "content")]
    sample: Option<std::num::NonZeroU64>,
    /// Compare part I of N only, counted from 1: splits the work over nights or machines
    #[arg(long, value_name = "I/N", value_parser = part, conflicts_with = "range")]
    shard: Option<GfidRange>,
    /// Compare gfids with these first four hex digits only, such as 0000..7fff
    #[arg(long, value_name = "FROM..TO", value_parser = range)]
    range: Option<GfidRange>,
    /// Wait so many seconds at most for replication to do what it still has to do
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    settle: u64,
    /// Pause while the machine's load average of the last minute is above this
    #[arg(long, value_name = "LOAD")]
    max_load: Option<f64>,
    /// Pause while this file is there
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
    /// Both volumes of a session as a whole, by the places of everything.
    pub(super) fn of(primary: &str, secondary: &SecondaryUrl) -> Self {
        Self {
            primary: Some(primary.to_owned()),
            secondary: Some(secondary.clone()),
            primary_bricks: Vec::new(),
            secondary_bricks: Vec::new(),
            content: false,
            sample: None,
            shard: None,
            range: None,
            settle: 60,
            max_load: None,
            pause_file: None,
        }
    }
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    Throttle::be_nice();
    interrupt::watch();
    let manners = Throttle {
        max_load: args.max_load,
        pause_file: args.pause_file.clone(),
        stop: interrupt::flag(),
        quiet: global.quiet,
    };
    let (primary, secondary) = sides(args, global)?;
    let (meter, most) = (Arc::new(Meter::default()), primary.inodes() + secondary.inodes());
    let content = args.content.then(|| args.sample.map_or(1, std::num::NonZeroU64::get));
    let terms = CompareOptions {
        wish: ReadOptions { content, places: false },
        slice: args.shard.or(args.range).unwrap_or(GfidRange::ALL),
        settle: Duration::from_secs(args.settle),
        manners,
    };
    let mut comparison = Comparison::new(primary, secondary, terms)?;
    {
        let _phase = global.progress().phase(Phase::names(&meter, most));
        comparison.compare(&meter)?;
        comparison.look_again()?;
    }
    let mut list = AuditList::start(global.style())?;
    let head = comparison.report(&mut list)?;
    let (wrong, blind) = (list.has_findings(), !head.unseen.is_empty());
    list.finish(head)?;
    Ok(match (wrong, blind) {
        _ if comparison.is_cut() => Outcome::Cut,
        (true, _) => Outcome::Findings,
        (false, true) => Outcome::Blind,
        (false, false) => Outcome::Fine,
    })
}

/// Both volumes, by name or by bricks.
fn sides(args: &Args, global: &Global) -> Result<(Inventory, Inventory), Failure> {
    let Some((primary, secondary)) = args.primary.as_ref().zip(args.secondary.as_ref()) else {
        let open = |dirs: &[PathBuf]| -> Result<Inventory, Failure> {
            let bricks: Result<Vec<_>, _> = dirs.iter().map(|dir| BrickRoot::open(dir)).collect();
            Ok(Inventory::of_bricks(bricks?)?)
        };
        return Ok((open(&args.primary_bricks)?, open(&args.secondary_bricks)?));
    };
    let tools = Tools::new(&global.gluster, &global.ssh)?;
    let here = Cluster::of(&tools, Host::Here)?;
    let there = Cluster::of_secondary(&tools, secondary)?;
    let of = |cluster: &Cluster<'_>, volume: &str| -> Result<Inventory, Failure> {
        Ok(Inventory::of_volume(&tools, cluster, &cluster.volume(volume)?)?)
    };
    Ok((of(&here, primary)?, of(&there, &secondary.volume)?))
}
