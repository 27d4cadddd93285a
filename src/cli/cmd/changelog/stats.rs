//! `georepair changelog stats`: operations, hot directories, what no session needs any more.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::{Name, Time};
use crate::report;
use crate::report::StatsReport;
use crate::scan;
use crate::scan::changelog::Span;
use crate::task::Failure;

/// What `changelog stats` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A brick's root directory; repeat it for several
    #[arg(long = "brick", value_name = "DIR", required = true)]
    bricks: Vec<PathBuf>,
    /// Only slices that ended at this time or later (RFC 3339 or epoch seconds)
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Only slices that ended at this time or earlier
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// Where glusterfind keeps its sessions, which read changelogs too
    #[arg(long, value_name = "DIR", default_value = "/var/lib/glusterd/glusterfind")]
    glusterfind_dir: PathBuf,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let span = Span { since: args.since.map(Time::secs), until: args.until.map(Time::secs) };
    let (mut found, mut damaged) = (Vec::new(), false);
    for brick in &args.bricks {
        let sums = scan::changelog::stats(brick, &args.glusterfind_dir, span)?;
        super::print_damage(&sums.damage, global);
        damaged |= !sums.damage.is_empty();
        found.push((Name::from(brick.as_os_str().as_encoded_bytes()), sums));
    }
    report::print(&StatsReport::new(found), &global.style())?;
    Ok(if damaged { Outcome::Findings } else { Outcome::Fine })
}
