//! A list of checks as a table, for people.

use std::io::{self, Write};

use super::style::wrapped;
use super::{OutputStyle, Paint};
use crate::check::{Check, CheckStatus};

/// Writes the checks, one a row; a failed one that is `overridden` is marked as such.
///
/// # Errors
/// The writer's.
pub fn check_list(
    checks: &[Check],
    overridden: &[String],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let widest = |text: fn(&Check) -> &str| {
        checks.iter().map(|check| text(check).chars().count()).max().unwrap_or_default()
    };
    let (name, place) = (widest(|check| check.name), widest(|check| &check.place));
    // Checks of one session have no places: then there is no such column.
    let place_gap = if place == 0 { 0 } else { 2 };
    let indent = 8 + name + place_gap + place + 2;
    let width = style.width.saturating_sub(indent).max(40);
    for check in checks {
        let lifted = overridden.iter().any(|it| it == check.name);
        let (word, paint) = match check.status {
            CheckStatus::Fail if lifted => ("over", Paint::Warn),
            status => status_word(status),
        };
        write!(out, "{}", paint.on(format_args!("{word:6}")))?;
        write!(out, "  {:name$}{:place_gap$}{:place$}  ", check.name, "", check.place)?;
        let text: String =
            check.says.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut lines = wrapped(&text, width).into_iter();
        writeln!(out, "{}", lines.next().unwrap_or_default())?;
        for line in lines {
            writeln!(out, "{:indent$}{line}", "")?;
        }
        if let Some(next) = &check.next {
            writeln!(out, "{:indent$}{}", "", Paint::Faint.on(next))?;
        }
    }
    Ok(())
}

/// A status in a word, and its colour.
pub(super) fn status_word(status: CheckStatus) -> (&'static str, Paint) {
    match status {
        CheckStatus::Pass => ("pass", Paint::Good),
        CheckStatus::Warn => ("warn", Paint::Warn),
        CheckStatus::Unseen => ("unseen", Paint::Warn),
        CheckStatus::Fail => ("FAIL", Paint::Bad),
    }
}
