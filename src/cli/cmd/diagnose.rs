//! `georepair diagnose`: which gfids fail, why, since when, and what to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args as ClapArgs;

use crate::check;
use crate::cli::args::Global;
use crate::cli::failure::{Failure, Outcome};
use crate::domain::{Diagnosis, Severity, Time, Verdict};
use crate::report::{self, Look, Progress};
use crate::scan::logs::{self, LogFile};
use crate::scan::{Meter, Window};

/// What `diagnose` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Log files, or folders to search for them [default: the standard places of both sides]
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
    /// Show the N worst causes
    #[arg(long, value_name = "N")]
    top: Option<usize>,
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let files = files(args)?;
    let meter = Arc::new(Meter::default());
    let progress = Progress::of_logs(&meter, logs::size(&files), global.quiet);
    let window = Window { since: args.since, until: args.until };
    let told = logs::read_all(&files, &window, &meter);
    drop(progress);
    let mut told: Vec<_> = told.into_iter().map(|(told, _)| told).collect();
    if let Some(session) = &args.session {
        told.retain(|log| log.session.as_ref().is_none_or(|name| name == session));
    }
    let diagnosis = check::diagnose(told);
    let outcome = outcome(&diagnosis);
    let look = Look { top: args.top, ..global.look() };
    report::print(&diagnosis.top(args.top), &look)?;
    Ok(outcome)
}

fn files(args: &Args) -> Result<Vec<LogFile>, Failure> {
    if args.logs.is_empty() {
        return Ok(logs::standard(Path::new("/var/log/glusterfs"))?);
    }
    Ok(logs::find(&args.logs)?)
}

/// Benign findings alone are nothing wrong.
fn outcome(diagnosis: &Diagnosis) -> Outcome {
    let grave = diagnosis.findings.iter().any(|finding| finding.severity != Severity::Benign);
    match diagnosis.verdict {
        Verdict::Unknown => Outcome::Blind,
        _ if grave => Outcome::Findings,
        _ => Outcome::Fine,
    }
}
