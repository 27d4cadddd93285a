//! What is left to check when a plan was executed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::script::quote::quoted;

/// Why both sides of the session should be compared after the last step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// What the steps do not ensure, in a sentence.
    pub says: String,
    /// The primary volume.
    pub primary: String,
    /// The secondary, `[USER@]HOST::VOLUME`.
    pub secondary: String,
    /// Whether this is done at once; otherwise the command is printed.
    pub compare: bool,
}

impl FollowUp {
    /// The command that compares them, for a shell.
    #[must_use]
    pub fn command(&self) -> String {
        let [primary, secondary] = [&self.primary, &self.secondary].map(|it| quoted(it.as_bytes()));
        format!("georepair audit session {primary} {secondary}")
    }
}

impl fmt::Display for FollowUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.says, self.command())
    }
}
