//! The levels of a reset as they are offered: what each fixes, costs, and cannot undo.

use std::io::{self, Write};

use super::style::wrapped;
use super::{OutputStyle, Paint};
use crate::domain::LevelKind;

/// Width before the text: two blanks, the longest level, the label, and the blanks between.
const MARGIN: usize = 25;

/// Writes levels with their costs on a session, a paragraph each.
///
/// # Errors
/// The writer's.
pub fn reset_levels(
    levels: &[(LevelKind, String)],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (level, cost) in levels {
        let row = level.row();
        let mut name = row.slug;
        for (label, text) in [
            ("does", row.does),
            ("fixes", row.fixes),
            ("not fixed", row.not),
            ("cost", cost.as_str()),
            ("irreversible", row.irreversible),
        ] {
            let mut label = label;
            for line in wrapped(text, style.width.saturating_sub(MARGIN).max(40)) {
                writeln!(out, "  {} {label:12}  {line}", Paint::Strong.on(format!("{name:8}")))?;
                (name, label) = ("", "");
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
