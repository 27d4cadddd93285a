//! `georepair diagnose`: which gfids fail, why, since when, and what to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use jiff::tz::TimeZone;

use crate::check;
use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::cli::read_positions;
use crate::domain::{Code, Diagnosis, Severity, Time, Verdict};
use crate::report;
use crate::report::{Format, OutputStyle};
use crate::scan;
use crate::scan::brick::BrickRoot;
use crate::scan::logs::{Follower, LogFile, LogSummary, Position, Window};
use crate::scan::resolve::{Answer, Resolver};
use crate::scan::{Meter, logs};
use crate::task::{Failure, Phase, Progress as _, UsageError};

/// What `diagnose` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Log files, or folders to search for them; `-` is standard input [default: the standard
    /// places of both sides]. A folder with a README.md is a case of its own
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
    /// A brick's root directory; repeat it for the bricks of one volume. Each suspect is checked
    /// there: present, gone or renamed, and where
    #[arg(long = "brick", value_name = "DIR")]
    bricks: Vec<PathBuf>,
    /// Show the N worst causes
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Zone of gsyncd logs before 3.7.7, which are in local time, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    tz: Option<TimeZone>,
    /// Only what is new since the last run with this flag; read positions are kept in the
    /// state directory
    #[arg(long)]
    since_last: bool,
    /// Go on reading as the logs grow, and report what is new, until interrupted
    #[arg(long, conflicts_with = "since_last")]
    follow: bool,
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "no such time zone; try one like Europe/Berlin".to_owned())
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    if args.follow && global.format == Format::Json {
        return Err(
            UsageError("--follow has no end, a JSON document has: use --format jsonl").into()
        );
    }
    let mut files = files(args)?;
    let mut known = read_positions::load(&global.state_dir);
    if args.since_last {
        files = logs::since(files, &known);
    }
    let bricks: Result<Vec<_>, _> = args.bricks.iter().map(|dir| BrickRoot::open(dir)).collect();
    let bricks = bricks?;
    let (told, read) = read(args, global, &files);
    let lines: Vec<u64> = told.iter().map(|log| log.lines).collect();
    let mut diagnosis = check::logs::diagnose(of_session(args, told));
    if !bricks.is_empty() {
        ask_bricks(&bricks, global, &mut diagnosis)?;
    }
    let outcome = outcome(&diagnosis, args.since_last);
    show(args, global, diagnosis)?;
    if args.since_last {
        read.iter().flatten().for_each(|position| known.remember(*position));
        read_positions::save(&global.state_dir, &known)?;
    }
    if args.follow {
        follow(args, global, &files, lines.into_iter().zip(read))?;
    }
    Ok(outcome)
}

/// Lists what given-up changelogs dropped, and checks every suspect against the bricks.
fn ask_bricks(
    bricks: &[BrickRoot],
    global: &Global,
    diagnosis: &mut Diagnosis,
) -> Result<(), Failure> {
    let paths: Vec<_> = bricks.iter().map(|brick| brick.path().to_owned()).collect();
    for finding in diagnosis.findings.iter_mut().filter(|f| f.code == Code::ChangelogSkipped) {
        let history = scan::changelog::dropped(&paths, &finding.changelogs)?;
        check::logs::add_dropped(finding, &history);
        diagnosis.notes.extend(history.notes);
    }
    let meter = Arc::new(Meter::default());
    let resolver = Resolver::new(bricks, &meter);
    let mut answers = resolver.answer(check::logs::questions(diagnosis))?;
    if answers.iter().any(Answer::needs_scan) {
        let names = bricks.iter().filter_map(BrickRoot::inodes).sum();
        let _phase = global.progress().phase(Phase::names(&meter, names));
        resolver.scan(&mut answers)?;
    }
    check::logs::place_findings(diagnosis, &answers);
    Ok(())
}

fn files(args: &Args) -> Result<Vec<LogFile>, Failure> {
    if args.logs.is_empty() {
        return Ok(logs::standard(Path::new("/var/log/glusterfs"))?);
    }
    Ok(logs::find(&args.logs)?)
}

fn read(
    args: &Args,
    global: &Global,
    files: &[LogFile],
) -> (Vec<LogSummary>, Vec<Option<Position>>) {
    let meter = Arc::new(Meter::default());
    let _phase = global.progress().phase(Phase::logs(&meter, logs::size(files)));
    let window = Window { since: args.since, until: args.until };
    logs::read_all(files, &window, args.tz.as_ref(), &meter).into_iter().unzip()
}

fn of_session(args: &Args, mut told: Vec<LogSummary>) -> Vec<LogSummary> {
    if let Some(session) = &args.session {
        told.retain(|log| log.session.as_ref().is_none_or(|name| name == session));
    }
    told
}

fn show(args: &Args, global: &Global, diagnosis: Diagnosis) -> Result<(), Failure> {
    let look = OutputStyle { top: args.top, ..global.style() };
    Ok(report::print(&diagnosis.top(args.top), &look)?)
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

/// Looks at the logs once a second and shows what is new.
fn follow(
    args: &Args,
    global: &Global,
    files: &[LogFile],
    read: impl Iterator<Item = (u64, Option<Position>)>,
) -> Result<(), Failure> {
    let mut follower = Follower::default();
    for (log, (lines, position)) in files.iter().zip(read) {
        let offset = position.map_or(0, |position| position.offset);
        // A file that went away meanwhile is found again when it is back.
        let _ = follower.follow(log, offset, lines);
    }
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let told = of_session(args, follower.look(&self::files(args)?));
        let diagnosis = check::logs::diagnose(told);
        if !diagnosis.findings.is_empty() {
            show(args, global, diagnosis)?;
        }
    }
}
