//! The levels of a reset as they are offered: what each mends, costs, and does for good.

use std::io::{self, Write};

use super::style::wrapped;
use super::{OutputStyle, Paint};
use crate::check::reset::LevelInfo;

/// Where the words begin: two blanks, the longest level, what it is about.
const MARGIN: usize = 21;

/// Writes the offers, a paragraph each.
///
/// # Errors
/// Whatever the writer answers.
pub fn offers(offers: &[LevelInfo], look: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    for offer in offers {
        let mut level = offer.level;
        for (about, says) in [
            ("mends", offer.mends),
            ("does not", offer.not),
            ("costs", &offer.costs),
            ("for good", offer.for_good),
        ] {
            let mut about = about;
            for line in wrapped(says, look.width.saturating_sub(MARGIN).max(40)) {
                writeln!(out, "  {} {about:8}  {line}", Paint::Strong.on(format!("{level:8}")))?;
                (level, about) = ("", "");
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
