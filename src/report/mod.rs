//! How things look: one file per document, for people and for scripts.

mod json;
mod look;
mod print;
mod runbooks;

pub use look::{ColorChoice, Format, Look, Paint};
pub use print::{Document, PrintError, print};
pub use runbooks::{RunbookError, Runbooks};
