//! `georepair reset`: start the session over, from a proved restart to a full crawl.

use std::io::{BufRead, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anstream::eprintln;
use clap::{Args as ClapArgs, ValueEnum};

use crate::check;
use crate::check::reset::{Check, CheckStatus};
use crate::cli::clock::now;
use crate::cli::confirm::terminal;
use crate::cli::failure::Outcome;
use crate::cli::global::{Global, host_name};
use crate::cli::run_plan::{ChangeArgs, carry_out, scratch};
use crate::cli::{follow_up, prompt};
use crate::domain::{
    Finding, Kind, Level, ResetOptions, SecondaryData, SecondaryUrl, SessionState, Time, UserError,
};
use crate::plan::recipe::reset;
use crate::report;
use crate::scan::cluster::Tools;
use crate::scan::logs::Window;
use crate::scan::session::situation;
use crate::scan::{Meter, logs};
use crate::task::{Failure, Phase, Progress as _, UsageError};

/// What `reset` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The primary volume
    primary: String,
    /// The other side: `[USER@]HOST::VOLUME`
    secondary: SecondaryUrl,
    /// How far back to start over; asked for where somebody is at a terminal
    #[arg(long, value_enum)]
    level: Option<LevelName>,
    /// With `rewind`: send everything since this time again (RFC 3339 or epoch seconds)
    #[arg(long, value_name = "TIME", required_if_eq("level", "rewind"))]
    to: Option<Time>,
    /// With `rewind` and `history`: only this brick, by its directory; may be repeated
    #[arg(long = "brick", value_name = "DIR")]
    bricks: Vec<PathBuf>,
    #[command(flatten)]
    emptying: Emptying,
    /// With `resync` and `full`: do not compare both sides at the end
    #[arg(long)]
    no_audit: bool,
    /// Go on although this condition does not hold; may be repeated
    #[arg(long = "override", value_name = "NAME")]
    overridden: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// What becomes of what the secondary holds.
#[derive(ClapArgs, Debug)]
struct Emptying {
    /// Empty the secondary first; a dated directory on it keeps a copy of everything
    #[arg(long)]
    clean_secondary: bool,
    /// Empty the secondary first and keep nothing: what it alone has is gone
    #[arg(long, conflicts_with = "clean_secondary")]
    purge_secondary: bool,
    /// With `full`: leave on the secondary what is there
    #[arg(long, conflicts_with_all = ["clean_secondary", "purge_secondary"])]
    keep_secondary: bool,
}

/// The levels, least first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum LevelName {
    /// Stop, start, and see a change arrive; again if the start hung
    Retry,
    /// Set the marks back, within what the changelogs cover, and send everything since again
    Rewind,
    /// Make the index of changelogs anew from the changelogs, where it is damaged
    History,
    /// Crawl and send everything again; session, settings and changelogs are kept
    Resync,
    /// Make the session anew with a new history of changelogs, and send everything again
    Full,
}

/// The preflight says no.
#[derive(Debug, thiserror::Error)]
#[error("refused, nothing was changed: {}", .failed.join(", "))]
struct Refused {
    failed: Vec<&'static str>,
    liftable: Vec<&'static str>,
}

impl UserError for Refused {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        let lift = |name: &&str| format!("--override {name}   goes on although it does not hold");
        self.liftable.iter().map(lift).collect()
    }
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    // What was typed is judged before anything is looked at.
    let wish = args.level.map(|level| wish(args, level)).transpose()?;
    let terminal = if wish.is_none() { Some(terminal().ok_or(NO_LEVEL)?) } else { None };
    let tools = Tools::new(&global.gluster, &global.ssh)?;
    let (primary, secondary) = (&args.primary, &args.secondary);
    let found = situation(&tools, primary, secondary, &host_name(), now)?;
    let wish = match (wish, terminal) {
        (Some(wish), _) => wish,
        (None, Some(mut input)) => guided(&found, &mut *input, args, global)?,
        (None, None) => return Err(NO_LEVEL.into()),
    };
    let checks = check::reset::preflight(&found, &wish);
    show(&found, &wish, &checks, args, global);
    refuse(&checks, &args.overridden)?;
    let plan = reset(&found, &wish);
    let carried = carry_out(&plan, scratch()?.path(), &args.change, global)?;
    follow_up::run_follow_up(&plan, carried, global)
}

/// How far back logs speak for a level, in seconds.
const WEEK: i64 = 7 * 86_400;

const NO_LEVEL: UsageError =
    UsageError("nobody is there to ask: --level retry, rewind, history, resync or full");

/// One question at a time, the least that helps recommended.
fn guided(
    found: &SessionState,
    input: &mut dyn BufRead,
    args: &Args,
    global: &Global,
) -> Result<ResetOptions, Failure> {
    let offers = check::reset::offers(found, now(), None);
    // Standard error will not take it only where nobody sees the question either.
    let _ = report::offers(&offers, &global.style(), &mut anstream::stderr());
    let check::reset::Recommendation { level, why, since } =
        check::reset::advice(found, &logged(found, global), now());
    let words: Vec<_> = offers.iter().map(|offer| offer.level).collect();
    eprintln!("recommended: {level}, for {why}");
    let level = match prompt::choose(input, "Which level?", &words, level)? {
        "rewind" => {
            let since = since.unwrap_or_else(|| an_hour_before_the_marks(found));
            let to = prompt::read(input, "Since when?", (&since.to_string(), since))?;
            Level::Rewind { to }
        }
        "history" => Level::History,
        "resync" => Level::Resync,
        "full" => Level::Full,
        _ => Level::Retry,
    };
    let leftovers = match level {
        Level::Resync | Level::Full => {
            let words = ["keep", "clean", "purge"];
            let usual = if level == Level::Full { "clean" } else { "keep" };
            eprintln!("what the secondary holds: kept; copied aside and deleted; deleted");
            match prompt::choose(input, "What becomes of it?", &words, usual)? {
                "clean" => SecondaryData::Quarantine,
                "purge" => SecondaryData::Purge,
                _ => SecondaryData::Keep,
            }
        }
        _ => SecondaryData::Keep,
    };
    let compare = !args.no_audit;
    Ok(ResetOptions { level, bricks: Vec::new(), leftovers, compare, now: now() })
}

fn an_hour_before_the_marks(found: &SessionState) -> Time {
    let marks = found.bricks().flat_map(|(_, brick)| brick.marks.values());
    let earliest = marks.map(|mark| i64::from(mark.sec)).filter(|sec| *sec > 0).min();
    Time::from_secs(earliest.unwrap_or_else(|| now().secs()) - 3_600)
}

/// What this node's logs of the last week tell of the session; nothing where they cannot be read.
fn logged(found: &SessionState, global: &Global) -> Vec<Finding> {
    let files = logs::standard_logs(Path::new(crate::domain::paths::LOGS)).unwrap_or_default();
    let meter = Arc::new(Meter::default());
    let _phase = global.progress().phase(Phase::logs(&meter, logs::size(&files)));
    let window = Window { since: Some(Time::from_secs(now().secs() - WEEK)), until: None };
    let told = logs::read_all(&files, &window, None, &meter).into_iter().map(|(told, _)| told);
    let name = found.secondary.folder(&found.primary.name);
    let ours = told.filter(|log| log.session.as_ref().is_none_or(|session| *session == name));
    check::logs::diagnose(ours.collect()).findings
}

fn wish(args: &Args, level: LevelName) -> Result<ResetOptions, UsageError> {
    let level = match (level, args.to) {
        (LevelName::Rewind, Some(to)) => Level::Rewind { to },
        (LevelName::Rewind, None) => return Err(UsageError("rewind needs --to TIME")),
        (_, Some(_)) => return Err(UsageError("--to TIME is for --level rewind")),
        (level, _) if level != LevelName::History && !args.bricks.is_empty() => {
            return Err(UsageError("--brick DIR is for rewind and history: others take them all"));
        }
        (LevelName::Retry, None) => Level::Retry,
        (LevelName::History, None) => Level::History,
        (LevelName::Resync, None) => Level::Resync,
        (LevelName::Full, None) => Level::Full,
    };
    let bricks = args.bricks.clone();
    let leftovers = leftovers(args, level)?;
    Ok(ResetOptions { level, bricks, leftovers, compare: !args.no_audit, now: now() })
}

fn leftovers(args: &Args, level: Level) -> Result<SecondaryData, UsageError> {
    let Emptying { clean_secondary, purge_secondary, keep_secondary } = args.emptying;
    let asked = if purge_secondary {
        SecondaryData::Purge
    } else if clean_secondary || (level == Level::Full && !keep_secondary) {
        SecondaryData::Quarantine
    } else {
        SecondaryData::Keep
    };
    match level {
        Level::Resync | Level::Full => Ok(asked),
        _ if asked == SecondaryData::Keep => Ok(asked),
        _ => Err(UsageError("the secondary is emptied for --level resync or full only")),
    }
}

/// The preflight is talk: the plan is what goes to standard output.
fn show(found: &SessionState, wish: &ResetOptions, checks: &[Check], args: &Args, global: &Global) {
    if global.quiet && checks.iter().all(|check| check.verdict != CheckStatus::Fail) {
        return;
    }
    let mut out = anstream::stderr().lock();
    if args.level.is_some() {
        let offer = check::reset::offer(found, wish);
        let _ = report::offers(offer.as_slice(), &global.style(), &mut out);
    }
    // Where standard error will not take it, the refusal still says what failed.
    let _ = report::preflight(checks, &args.overridden, &global.style(), &mut out);
    let _ = out.flush();
}

fn refuse(checks: &[Check], overridden: &[String]) -> Result<(), Refused> {
    let stands = |check: &&Check| {
        let lifted = check.may_be_overridden && overridden.iter().any(|it| it == check.name);
        check.verdict == CheckStatus::Fail && !lifted
    };
    let failed: Vec<_> = checks.iter().filter(stands).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let liftable = failed.iter().filter(|check| check.may_be_overridden);
    let liftable = liftable.map(|check| check.name).collect();
    Err(Refused { failed: failed.iter().map(|check| check.name).collect(), liftable })
}
