//! `georepair changelog history`: everything that ever happened to a gfid or path.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::{Name, Time};
use crate::report::RecordList;
use crate::scan;
use crate::scan::changelog::{Span, Subject};
use crate::task::Failure;

/// What `changelog history` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A brick's root directory; repeat it for the bricks of one volume
    #[arg(long = "brick", value_name = "DIR", required = true)]
    bricks: Vec<PathBuf>,
    /// Gfids in any notation, `.gfid/PARENT/NAME`, or paths below the volume's root
    #[arg(value_name = "ID", required = true)]
    ids: Vec<OsString>,
    /// Only slices that ended at this time or later (RFC 3339 or epoch seconds)
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Only slices that ended at this time or earlier
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let subjects: Vec<_> =
        args.ids.iter().map(|id| Subject::from_arg(id.as_encoded_bytes(), &args.bricks)).collect();
    let span = Span { since: args.since.map(Time::secs), until: args.until.map(Time::secs) };
    let history = scan::changelog::history(&args.bricks, &subjects, span)?;
    let bricks: Vec<_> =
        args.bricks.iter().map(|brick| Name::from(brick.as_os_str().as_encoded_bytes())).collect();
    let mut list = RecordList::start(global.style())?;
    list.push_history(&history, &bricks)?;
    let damaged = list.is_damaged();
    list.finish(&history.reuses, &history.notes)?;
    super::print_notes(&history.notes, global);
    super::print_damage(&history.damage, global);
    Ok(if damaged { Outcome::Findings } else { Outcome::Fine })
}
