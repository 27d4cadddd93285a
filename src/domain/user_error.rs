//! How an error is presented: its kind, which decides the exit code, and hints.

use std::error::Error;

/// The kinds of failure a command can end with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Invalid flags or arguments (exit 2).
    Usage,
    /// Refused, and nothing was changed (exit 3).
    Refused,
    /// Stopped midway: resume or undo (exit 4).
    Midway,
    /// Not enough could be read to judge (exit 5).
    Blind,
    /// A bug in georepair (exit 70).
    Bug,
    /// Interrupted by the user (exit 130).
    Interrupted,
}

/// An error as a user sees it.
pub trait UserError {
    /// Its kind.
    fn kind(&self) -> Kind;
    /// What to do next, commands if possible.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An error and its causes in one line, for a table, a note or a protocol.
#[must_use]
pub fn in_one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot look")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open")]
    struct Inner(#[source] std::fmt::Error);

    #[test]
    fn every_cause_is_listed_in_order() {
        let error = Outer(Inner(std::fmt::Error));
        let deepest = std::fmt::Error.to_string();
        assert_eq!(in_one_line(&error), format!("cannot look: cannot open: {deepest}"));
    }
}
