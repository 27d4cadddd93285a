//! What was looked at before a change, condition by condition.

use std::io::{self, Write};

use super::style::wrapped;
use super::{OutputStyle, Paint};
use crate::check::reset::{Check, CheckStatus};

/// Writes the conditions as a table; what was overridden says so.
///
/// # Errors
/// Whatever the writer answers.
pub fn preflight(
    checks: &[Check],
    overridden: &[String],
    look: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let widest = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let margin = widest + 9;
    for check in checks {
        let (word, paint) = match check.verdict {
            CheckStatus::Pass => ("pass", Paint::Good),
            CheckStatus::Warn => ("warn", Paint::Warn),
            CheckStatus::Fail if overridden.iter().any(|it| it == check.name) => {
                ("over", Paint::Warn)
            }
            CheckStatus::Fail => ("FAIL", Paint::Bad),
        };
        let text: String =
            check.says.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut lines = wrapped(&text, look.width.saturating_sub(margin).max(40)).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(out, "  {}  {:widest$}  {first}", paint.on(word), check.name)?;
        for line in lines {
            writeln!(out, "  {:1$}{line}", "", margin - 1)?;
        }
    }
    writeln!(out)
}
