//! Reads logs and diagnoses them: once, since the last run, or as they grow; checks suspects on bricks.

mod read_positions;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::{Context, Failure, Phase};
use crate::check;
use crate::domain::{Code, Diagnosis, Time, paths};
use crate::scan;
use crate::scan::brick::BrickRoot;
use crate::scan::logs::{Follower, LogFile, LogSummary, Position, Window};
use crate::scan::resolve::{Answer, Resolver};
use crate::scan::{Meter, logs};

/// Between two looks at growing logs.
const POLL: Duration = Duration::from_secs(1);

/// Which logs to diagnose, and what of them.
#[derive(Clone, Debug, Default)]
pub struct DiagnoseOptions {
    /// Log files and folders, `-` for standard input; empty for the standard places.
    pub logs: Vec<PathBuf>,
    /// Only what was logged from this time on.
    pub since: Option<Time>,
    /// Only what was logged up to this time.
    pub until: Option<Time>,
    /// Only this session, named as its log folder.
    pub session: Option<String>,
    /// Bricks of one volume, to check suspects on.
    pub bricks: Vec<PathBuf>,
    /// The zone of gsyncd logs before 3.7.7.
    pub tz: Option<TimeZone>,
    /// Only what is new since the positions that are kept in this state directory.
    pub since_last: Option<PathBuf>,
}

/// Log files that were read, and how far.
#[derive(Debug)]
pub struct ReadLogs {
    files: Vec<LogFile>,
    /// How many lines of each were read, and up to where.
    ends: Vec<(u64, Option<Position>)>,
}

/// Diagnoses logs as they are now.
///
/// # Errors
/// [`Failure`] if a log or a brick cannot be found or read.
pub fn diagnose(
    options: &DiagnoseOptions,
    context: &Context,
) -> Result<(Diagnosis, ReadLogs), Failure> {
    let mut files = find_files(options)?;
    if let Some(state_dir) = &options.since_last {
        files = logs::grown_since(files, &read_positions::load(state_dir));
    }
    let bricks: Result<Vec<_>, _> = options.bricks.iter().map(|dir| BrickRoot::open(dir)).collect();
    let bricks = bricks?;
    let (summaries, positions) = read_logs(options, &files, context);
    let lines = summaries.iter().map(|log| log.lines);
    let ends = lines.zip(positions).collect();
    let mut diagnosis = check::logs::diagnose(of_session(options, summaries));
    if !bricks.is_empty() {
        check_on_bricks(&bricks, &mut diagnosis, context)?;
    }
    Ok((diagnosis, ReadLogs { files, ends }))
}

impl ReadLogs {
    /// Remembers in a state directory how far the logs were read, for the next `since_last`.
    ///
    /// # Errors
    /// [`Failure`] if the directory cannot be written.
    pub fn remember(&self, state_dir: &Path) -> Result<(), Failure> {
        let mut known = read_positions::load(state_dir);
        let positions = self.ends.iter().filter_map(|(_, position)| *position);
        positions.for_each(|position| known.remember(position));
        Ok(read_positions::save(state_dir, &known)?)
    }

    /// Diagnoses what is appended from here on, each time something is found, until the task is
    /// asked to stop.
    ///
    /// # Errors
    /// [`Failure`] if the logs cannot be found, or from `show`.
    pub fn follow(
        self,
        options: &DiagnoseOptions,
        context: &Context,
        show: &mut dyn FnMut(Diagnosis) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut follower = Follower::default();
        for (log, (lines, position)) in self.files.iter().zip(self.ends) {
            let offset = position.map_or(0, |position| position.offset);
            // A file that is gone by now is found again when it is back.
            let _ = follower.follow(log, offset, lines);
        }
        while !context.is_stopped() {
            sleep(POLL);
            let summaries = of_session(options, follower.poll(&find_files(options)?));
            let diagnosis = check::logs::diagnose(summaries);
            if !diagnosis.findings.is_empty() {
                show(diagnosis)?;
            }
        }
        Ok(())
    }
}

/// Lists what skipped changelogs lost, and checks every suspect on the bricks.
fn check_on_bricks(
    bricks: &[BrickRoot],
    diagnosis: &mut Diagnosis,
    context: &Context,
) -> Result<(), Failure> {
    let paths: Vec<_> = bricks.iter().map(|brick| brick.path().to_owned()).collect();
    for finding in diagnosis.findings.iter_mut().filter(|f| f.code == Code::ChangelogSkipped) {
        let history = scan::changelog::dropped(&paths, &finding.seen.changelogs)?;
        check::logs::add_dropped(finding, &history);
        diagnosis.notes.extend(history.notes);
    }
    let meter = Arc::new(Meter::default());
    let resolver = Resolver::new(bricks, &meter);
    let mut answers = resolver.answer(check::logs::questions(diagnosis))?;
    if answers.iter().any(Answer::needs_scan) {
        let names = bricks.iter().filter_map(BrickRoot::inodes).sum();
        let _phase = context.progress.phase(Phase::names(&meter, names));
        resolver.scan(&mut answers)?;
    }
    check::logs::place_findings(diagnosis, &answers);
    Ok(())
}

fn find_files(options: &DiagnoseOptions) -> Result<Vec<LogFile>, Failure> {
    if options.logs.is_empty() {
        return Ok(logs::standard_logs(Path::new(paths::LOGS))?);
    }
    Ok(logs::find_logs(&options.logs)?)
}

fn read_logs(
    options: &DiagnoseOptions,
    files: &[LogFile],
    context: &Context,
) -> (Vec<LogSummary>, Vec<Option<Position>>) {
    let meter = Arc::new(Meter::default());
    let _phase = context.progress.phase(Phase::logs(&meter, logs::size(files)));
    let window = Window { since: options.since, until: options.until };
    logs::read_all(files, &window, options.tz.as_ref(), &meter).into_iter().unzip()
}

/// Those of the session; logs that are of no session in particular are kept.
fn of_session(options: &DiagnoseOptions, mut summaries: Vec<LogSummary>) -> Vec<LogSummary> {
    if let Some(session) = &options.session {
        summaries.retain(|log| log.session.as_ref().is_none_or(|name| name == session));
    }
    summaries
}
