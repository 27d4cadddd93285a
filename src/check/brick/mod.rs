//! Rules about one brick: handles, marks, the changelog index.

mod changelog_index;
mod handles;
mod marks;

pub use changelog_index::history_index;
pub use handles::handles;
pub use marks::{KnownSession, marks};
