//! A reset of a session: inspects it, recommends a level, checks every condition, makes the plan.
//!
//! The plan is run with a [`Runner`](crate::task::run::Runner), as every plan is; what remains to be
//! done after it is its [`FollowUp`](crate::plan::FollowUp).

mod refusal;

use std::path::Path;
use std::sync::Arc;

pub use refusal::Refused;

use super::{Context, Failure, Phase, UsageError};
use crate::check;
use crate::check::Check;
use crate::check::reset::Recommendation;
use crate::domain::{
    Finding, LevelKind, ResetOptions, SecondaryData, SecondaryUrl, SessionState, Time,
};
use crate::plan::{Plan, recipe};
use crate::scan::logs::Window;
use crate::scan::session::session_state;
use crate::scan::{Meter, logs};

/// How far back logs count for a recommendation, in seconds: what is older has been dealt with.
const WEEK: i64 = 7 * 86_400;

/// A session that may be reset.
#[derive(Debug)]
pub struct Reset<'a> {
    context: &'a Context,
    found: SessionState,
    now: Time,
}

impl<'a> Reset<'a> {
    /// Inspects the session, its volumes and every node of the primary. Changes nothing.
    ///
    /// # Errors
    /// [`Failure`] if this node's glusterd does not answer or does not know the volume.
    pub fn inspect(
        context: &'a Context,
        primary: &str,
        secondary: &SecondaryUrl,
    ) -> Result<Self, Failure> {
        let (tools, clock) = (&context.tools, context.clock);
        let found = session_state(tools, primary, secondary, &context.host, clock)?;
        Ok(Self { context, found, now: clock() })
    }

    /// What a level costs on this session; for a rewind by the time it goes back to, if known.
    #[must_use]
    pub fn cost(&self, level: LevelKind, since: Option<Time>) -> String {
        check::reset::cost(level, &self.found, self.now, since)
    }

    /// The least invasive level that fixes what is wrong, from what was inspected and from the last
    /// week of this node's logs.
    #[must_use]
    pub fn recommend(&self) -> Recommendation {
        check::reset::recommendation(&self.found, &self.logged(), self.now)
    }

    /// A time to rewind to if nothing better is known: an hour before the earliest mark.
    #[must_use]
    pub fn usual_since(&self) -> Time {
        let marks = self.found.bricks().flat_map(|(_, brick)| brick.marks.values());
        let earliest = marks.map(|mark| i64::from(mark.sec)).filter(|sec| *sec > 0).min();
        Time::from_secs(earliest.unwrap_or_else(|| self.now.secs()) - 3_600)
    }

    /// Checks every condition of a reset with these options.
    #[must_use]
    pub fn preflight(&self, options: &ResetOptions) -> Vec<Check> {
        check::reset::preflight(&self.found, options)
    }

    /// The plan, if the options make sense and every check passed or is `overridden` by its name.
    ///
    /// # Errors
    /// [`Failure`] if not.
    pub fn plan(
        &self,
        options: &ResetOptions,
        checks: &[Check],
        overridden: &[String],
    ) -> Result<Plan, Failure> {
        fit_together(options)?;
        refusal::refuse(checks, overridden)?;
        Ok(recipe::reset(&self.found, options))
    }

    /// Findings in this node's logs about the session; none if they cannot be read.
    fn logged(&self) -> Vec<Finding> {
        let files = logs::standard_logs(Path::new(crate::domain::paths::LOGS)).unwrap_or_default();
        let meter = Arc::new(Meter::default());
        let _phase = self.context.progress.phase(Phase::logs(&meter, logs::size(&files)));
        let since = Time::from_secs(self.now.secs() - WEEK);
        let window = Window { since: Some(since), until: None };
        let read = logs::read_all(&files, &window, None, &meter);
        let session = self.found.secondary.folder(&self.found.primary.name);
        let is_ours = |name: &String| *name == session;
        let ours = read.into_iter().map(|(log, _)| log);
        let ours = ours.filter(|log| log.session.as_ref().is_none_or(is_ours));
        check::logs::diagnose(ours.collect()).findings
    }
}

/// Whether a level takes the other options.
///
/// # Errors
/// [`UsageError`] if not.
pub fn fit_together(options: &ResetOptions) -> Result<(), UsageError> {
    let rewinds = options.level == LevelKind::Rewind;
    let empties = options.secondary_data != SecondaryData::Keep;
    if rewinds && options.since.is_none() {
        return Err(UsageError("rewind needs --to TIME"));
    }
    if !rewinds && options.since.is_some() {
        return Err(UsageError("--to TIME is for --level rewind"));
    }
    if !options.bricks.is_empty() && !options.level.row().by_brick {
        return Err(UsageError("--brick DIR is for --level rewind and history"));
    }
    if empties && !options.level.resends_everything() {
        return Err(UsageError("the secondary is emptied with --level resync or full only"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_another_level_are_refused() {
        let now = Time::from_secs(9);
        let fits = |options: &ResetOptions| fit_together(options).is_ok();
        for &level in LevelKind::ALL {
            let plain = ResetOptions::new(level, now);
            let is = |levels: &[LevelKind]| levels.contains(&level);
            assert_eq!(fits(&plain), !is(&[LevelKind::Rewind]), "{level}");
            let since = ResetOptions { since: Some(now), ..plain.clone() };
            assert_eq!(fits(&since), is(&[LevelKind::Rewind]), "{level}");
            let since = plain.since.or(is(&[LevelKind::Rewind]).then_some(now));
            let bricks = ResetOptions { bricks: vec!["/b".into()], since, ..plain.clone() };
            assert_eq!(fits(&bricks), is(&[LevelKind::Rewind, LevelKind::History]), "{level}");
            let purged = ResetOptions { secondary_data: SecondaryData::Purge, since, ..plain };
            assert_eq!(fits(&purged), is(&[LevelKind::Resync, LevelKind::Full]), "{level}");
        }
    }
}
