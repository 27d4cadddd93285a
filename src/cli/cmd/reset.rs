//! `georepair reset`: start the session over, from a proved restart to a full crawl.

use std::io::Write as _;
use std::path::PathBuf;

use anstream::eprintln;
use clap::{Args as ClapArgs, ValueEnum};

use crate::check::{self, Check, Verdict};
use crate::cli::args::Global;
use crate::cli::change::{Carried, Change, carry_out, host_name, scratch};
use crate::cli::failure::{Failure, Outcome, UsageError};
use crate::domain::{Diagnose, Kind, Leftovers, Level, ResetWish, SecondaryUrl, Situation, Time};
use crate::plan::recipe::reset::reset;
use crate::report;
use crate::scan::cluster::Tools;
use crate::scan::situation::situation;

/// What `reset` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The primary volume
    primary: String,
    /// The other side: `[USER@]HOST::VOLUME`
    secondary: SecondaryUrl,
    /// How far back to start over
    #[arg(long, value_enum)]
    level: LevelName,
    /// With `rewind`: send everything since this time again (RFC 3339 or epoch seconds)
    #[arg(long, value_name = "TIME", required_if_eq("level", "rewind"))]
    to: Option<Time>,
    /// With `rewind`: only this brick, by its directory; may be repeated
    #[arg(long = "brick", value_name = "DIR")]
    bricks: Vec<PathBuf>,
    /// Go on although this condition does not hold; may be repeated
    #[arg(long = "override", value_name = "NAME")]
    overridden: Vec<String>,
    #[command(flatten)]
    change: Change,
}

/// The levels, least first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum LevelName {
    /// Stop, start, and see a change arrive; again if the start hung
    Retry,
    /// Set the marks back, within what the changelogs cover, and send everything since again
    Rewind,
    /// Crawl and send everything again; session, settings and changelogs are kept
    Resync,
    #[value(skip)]
    #[expect(dead_code, reason = "not offered before it was seen on a real cluster")]
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

impl Diagnose for Refused {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        let lift = |name: &&str| format!("--override {name}   goes on although it does not hold");
        self.liftable.iter().map(lift).collect()
    }
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let wish = wish(args)?;
    let tools = Tools::new(&global.gluster, &global.ssh)?;
    let (primary, secondary) = (&args.primary, &args.secondary);
    let found = situation(&tools, primary, secondary, &host_name(), now)?;
    let checks = check::preflight(&found, &wish);
    show(&checks, args, global);
    refuse(&checks, &args.overridden)?;
    let plan = reset(&found, &wish);
    let carried = carry_out(&plan, scratch()?.path(), &args.change, global)?;
    if let (Carried::Done { .. }, false) = (carried, global.quiet) {
        what_next(&found, wish.level);
    }
    Ok(carried.outcome())
}

fn wish(args: &Args) -> Result<ResetWish, UsageError> {
    let level = match (args.level, args.to) {
        (LevelName::Rewind, Some(to)) => Level::Rewind { to },
        (LevelName::Rewind, None) => return Err(UsageError("rewind needs --to TIME")),
        (_, Some(_)) => return Err(UsageError("--to TIME is for --level rewind")),
        _ if !args.bricks.is_empty() => {
            return Err(UsageError("--brick DIR is for --level rewind: the others take them all"));
        }
        (LevelName::Retry, None) => Level::Retry,
        (LevelName::Resync, None) => Level::Resync,
        (LevelName::Full, None) => Level::Full,
    };
    let (bricks, leftovers) = (args.bricks.clone(), Leftovers::Keep);
    Ok(ResetWish { level, bricks, leftovers, now: now() })
}

/// The preflight is talk: the plan is what goes to standard output.
fn show(checks: &[Check], args: &Args, global: &Global) {
    if global.quiet && checks.iter().all(|check| check.verdict != Verdict::Fail) {
        return;
    }
    let mut out = anstream::stderr().lock();
    // Where standard error will not take it, the refusal still says what failed.
    let _ = report::preflight(checks, &args.overridden, &global.look(), &mut out);
    let _ = out.flush();
}

fn refuse(checks: &[Check], overridden: &[String]) -> Result<(), Refused> {
    let stands = |check: &&Check| {
        let lifted = check.may_be_overridden && overridden.iter().any(|it| it == check.name);
        check.verdict == Verdict::Fail && !lifted
    };
    let failed: Vec<_> = checks.iter().filter(stands).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let liftable = failed.iter().filter(|check| check.may_be_overridden);
    let liftable = liftable.map(|check| check.name).collect();
    Err(Refused { failed: failed.iter().map(|check| check.name).collect(), liftable })
}

/// What a crawl cannot see is for an audit to find.
fn what_next(found: &Situation, level: Level) {
    if let Level::Resync | Level::Full = level {
        eprintln!("deletes, renames and damage of equal size are not seen by such a crawl:");
        eprintln!("  georepair audit session {}", found.name());
    }
}

#[expect(clippy::disallowed_methods, reason = "cli is where the clock comes in")]
fn now() -> Time {
    Time::from(jiff::Timestamp::now())
}
