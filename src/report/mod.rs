//! How things look: one file per document, for people and for scripts.

mod diagnosis;
mod gfids;
mod json;
mod look;
mod print;
mod progress;
mod runbooks;
mod stream;

pub use gfids::{GfidList, GfidRow};
pub use look::{ColorChoice, Format, Look, Paint};
pub use print::{Document, PrintError, print};
pub use progress::Progress;
pub use runbooks::{RunbookError, Runbooks};
pub use stream::{Record, Stream};
