//! What an error means to a person: its kind, which decides the exit code, and the way out.

use std::error::Error;

/// The kinds of failure a command can end with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Flags or arguments that make no sense (exit 2).
    Usage,
    /// Refused, and nothing was changed (exit 3).
    Refused,
    /// Stopped midway: resume or undo (exit 4).
    Midway,
    /// Too little could be seen to judge (exit 5).
    Blind,
    /// A mistake in georepair itself (exit 70).
    Bug,
    /// Interrupted by the user (exit 130).
    Interrupted,
}

/// An error that knows what it means to the person who sees it.
pub trait UserError {
    /// Its kind.
    fn kind(&self) -> Kind;
    /// What to try next, a command where there is one.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An error and its causes in one line, for where an answer has only one: a row, a note, a wire.
#[must_use]
pub fn in_one_line(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        said = format!("{said}: {cause}");
        next = cause.source();
    }
    said
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
    fn every_cause_is_told_in_order() {
        let error = Outer(Inner(std::fmt::Error));
        let deepest = std::fmt::Error.to_string();
        assert_eq!(in_one_line(&error), format!("cannot look: cannot open: {deepest}"));
    }
}
