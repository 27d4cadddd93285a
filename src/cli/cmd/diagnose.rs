//! `georepair diagnose`: which gfids fail, why, since when, and what to do.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use jiff::tz::TimeZone;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::{Diagnosis, Severity, Time, Verdict};
use crate::report;
use crate::report::{Format, OutputStyle};
use crate::task::diagnose::{DiagnoseOptions, diagnose};
use crate::task::{Failure, UsageError};

/// What `diagnose` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Log files, or folders to search for them; `-` is standard input [default: the standard
    /// places of both sides]. A folder that contains a README.md is diagnosed separately
    #[arg(value_name = "LOG|DIR")]
    logs: Vec<PathBuf>,
    /// Only what was logged from this time on (RFC 3339 or epoch seconds)
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Only what was logged up to this time
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// Only this session, named as its log folder: `PRIMARY_HOST_SECONDARY`
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// A brick's root directory; repeat it for the bricks of one volume. Suspect gfids are checked
    /// on them: present, deleted or renamed, and where
    #[arg(long = "brick", value_name = "DIR")]
    bricks: Vec<PathBuf>,
    /// Show only the N worst causes
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Time zone of gsyncd logs before 3.7.7, which are in local time, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    tz: Option<TimeZone>,
    /// Only what is new since the last run with this flag; the positions are kept in --state-dir
    #[arg(long)]
    since_last: bool,
    /// Keep reading as the logs grow, and report what is new, until interrupted
    #[arg(long, conflicts_with = "since_last")]
    follow: bool,
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "no such time zone; try one like Europe/Berlin".to_owned())
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    if args.follow && global.format == Format::Json {
        return Err(UsageError("--follow never ends a JSON document: use --format jsonl").into());
    }
    let options = DiagnoseOptions {
        logs: args.logs.clone(),
        since: args.since,
        until: args.until,
        session: args.session.clone(),
        bricks: args.bricks.clone(),
        tz: args.tz.clone(),
        since_last: args.since_last.then(|| global.state_dir.clone()),
    };
    let context = global.context()?;
    let style = OutputStyle { top: args.top, ..global.style() };
    let mut show = |diagnosis: Diagnosis| -> Result<(), Failure> {
        Ok(report::print(&diagnosis.top(args.top), &style)?)
    };
    let (diagnosis, read) = diagnose(&options, &context)?;
    let outcome = outcome(&diagnosis, args.since_last);
    show(diagnosis)?;
    if args.since_last {
        // After the answer: what was not shown is new the next time as well.
        read.remember(&global.state_dir)?;
    }
    if args.follow {
        read.follow(&options, &context, &mut show)?;
    }
    Ok(outcome)
}

/// Benign findings alone are nothing wrong; neither is a night without a new line.
fn outcome(diagnosis: &Diagnosis, since_last: bool) -> Outcome {
    let grave = diagnosis.findings.iter().any(|finding| finding.severity != Severity::Benign);
    match diagnosis.verdict {
        Verdict::Unknown if since_last && diagnosis.notes.is_empty() => Outcome::Fine,
        Verdict::Unknown => Outcome::Blind,
        _ if grave => Outcome::Findings,
        _ => Outcome::Fine,
    }
}
