//! An action as a quoted shell command.

use super::Action;

impl Action {
    /// The command that does it, for a shell; every value in it is quoted.
    #[must_use]
    pub fn shell(&self) -> String {
        String::new()
    }
}
