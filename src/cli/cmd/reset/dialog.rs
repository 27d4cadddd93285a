//! The dialog of `georepair reset`: levels and checks are shown, the level is asked for.

use std::io::BufRead;

use anstream::eprintln;

use crate::check::reset::Recommendation;
use crate::check::{Check, CheckStatus};
use crate::cli::clock::now;
use crate::cli::confirm::terminal;
use crate::cli::global::Global;
use crate::cli::prompt;
use crate::domain::{LevelKind, ResetOptions, SecondaryData};
use crate::report;
use crate::task::reset::Reset;
use crate::task::{Failure, UsageError};

const NO_TERMINAL: UsageError =
    UsageError("no terminal to ask at: choose a level with --level; georepair reset -h lists them");

/// Asks for the options of a reset, one question at a time.
pub(super) struct Dialog {
    input: Box<dyn BufRead>,
}

impl Dialog {
    pub(super) fn at_terminal() -> Result<Self, UsageError> {
        terminal().map(|input| Self { input }).ok_or(NO_TERMINAL)
    }

    /// Recommends the least invasive level that helps.
    pub(super) fn ask(
        mut self,
        reset: &Reset<'_>,
        global: &Global,
    ) -> Result<ResetOptions, Failure> {
        let levels: Vec<_> =
            LevelKind::ALL.iter().map(|level| (*level, reset.cost(*level, None))).collect();
        // If standard error fails, nobody sees the question either, and nobody answers it.
        let _ = report::reset_levels(&levels, &global.style(), &mut anstream::stderr());
        let Recommendation { level, why, since } = reset.recommend();
        eprintln!("recommended: {level} ({why})");
        let input = &mut *self.input;
        let level = prompt::choose(input, "Which level?", LevelKind::ALL, level)?;
        let mut options = ResetOptions::new(level, now());
        if level == LevelKind::Rewind {
            let since = since.unwrap_or_else(|| reset.usual_since());
            options.since = Some(prompt::read(input, "Since when?", since)?);
        }
        if level.resends_everything() {
            eprintln!(
                "Data on the secondary: keep, clean (copy to a quarantine, then delete) or purge?"
            );
            let usual = options.secondary_data;
            options.secondary_data =
                prompt::choose(input, "Secondary data?", SecondaryData::ALL, usual)?;
        }
        Ok(options)
    }
}

/// Shows the level chosen on the command line. Like the checks it goes to standard error: the plan
/// is what goes to standard output.
pub(super) fn show_level(reset: &Reset<'_>, options: &ResetOptions, global: &Global) {
    if !global.quiet {
        let level = [(options.level, reset.cost(options.level, options.since))];
        // If standard error fails, the plan still names the level.
        let _ = report::reset_levels(&level, &global.style(), &mut anstream::stderr());
    }
}

/// Shows the checks; with `--quiet` only if one fails.
pub(super) fn show_checks(checks: &[Check], overridden: &[String], global: &Global) {
    if !global.quiet || checks.iter().any(|check| check.status == CheckStatus::Fail) {
        // If standard error fails, the refusal still names the failed checks.
        let _ = report::check_list(checks, overridden, &global.style(), &mut anstream::stderr());
        eprintln!();
    }
}
