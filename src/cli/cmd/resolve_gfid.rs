//! `georepair resolve-gfid`: every path of a gfid, and every gfid of a path.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::cli::resolve_stream::ResolveStream;
use crate::report::GfidList;
use crate::scan::Meter;
use crate::scan::brick::BrickRoot;
use crate::task::Failure;

/// What `resolve-gfid` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A brick's root directory; repeat it for the bricks of one volume
    #[arg(long = "brick", value_name = "DIR", required = true)]
    bricks: Vec<PathBuf>,
    /// Gfids in any notation, `.gfid/PARENT/NAME`, or paths; `-` reads them from standard input
    #[arg(value_name = "GFID|PATH", required_unless_present = "follow_log")]
    asked: Vec<OsString>,
    /// Read findings of `diagnose --format jsonl` from standard input and resolve their gfids
    #[arg(long, conflicts_with = "asked")]
    follow_log: bool,
    /// Do not scan the brick for names that no xattr records (the scan runs once at the end;
    /// answers after the first that needs it wait for it)
    #[arg(long)]
    no_scan: bool,
    /// Print only the paths, each ended by a NUL byte
    #[arg(short = '0', long)]
    null: bool,
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let bricks: Result<Vec<_>, _> = args.bricks.iter().map(|dir| BrickRoot::open(dir)).collect();
    let bricks = bricks?;
    let meter = Arc::new(Meter::default());
    let names = bricks.iter().map(|brick| &**brick.name());
    let list = GfidList::start(global.style(), names, args.null)?;
    let mut stream = ResolveStream::new(&bricks, &meter, list, !args.no_scan, global.quiet);
    if args.follow_log {
        stream.answer_findings()?;
    } else {
        stream.answer_args(&args.asked)?;
    }
    stream.close()
}
