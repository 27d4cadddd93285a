//! What an error means to a person: its kind, which decides the exit code, and the way out.

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
pub trait Diagnose {
    /// Its kind.
    fn kind(&self) -> Kind;
    /// What to try next, a command where there is one.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}
