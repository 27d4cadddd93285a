//! The question before a change: the session's name, typed by somebody.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _};

use anstream::{eprint, eprintln};

use crate::domain::{Kind, Name, UserError};
use crate::plan::Plan;

/// Nobody confirmed the plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unconfirmed {
    /// There is no terminal to ask at.
    #[error("nobody is there to confirm the plan; nothing was changed")]
    Nobody,
    /// Something else was typed, or nothing.
    #[error("not confirmed; nothing was changed")]
    No,
}

impl UserError for Unconfirmed {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Nobody => {
                vec!["--yes runs it without asking, --dry-run only shows it".to_owned()]
            }
            Self::No => Vec::new(),
        }
    }
}

/// Asks for the session's name, and once more where a step cannot be taken back.
pub(super) fn confirm(plan: &Plan) -> Result<(), Unconfirmed> {
    let mut input = terminal().ok_or(Unconfirmed::Nobody)?;
    let name = Name::from(&plan.session);
    eprintln!("\nTo go on, type {}", name.lossy());
    ask(&mut *input, &plan.session)?;
    if let Some(step) = plan.point_of_no_return() {
        eprintln!("Step {step} and what follows cannot be taken back. Type it again:");
        ask(&mut *input, &plan.session)?;
    }
    Ok(())
}

/// Where a person can be asked: standard input, or the terminal behind it where a list is piped
/// in; nowhere unless the question can be seen.
pub(super) fn terminal() -> Option<Box<dyn BufRead>> {
    if !io::stderr().is_terminal() {
        return None;
    }
    if io::stdin().is_terminal() {
        return Some(Box::new(io::stdin().lock()));
    }
    let terminal = File::open("/dev/tty").ok()?;
    Some(Box::new(BufReader::new(terminal)))
}

fn ask(input: &mut dyn BufRead, wanted: &str) -> Result<(), Unconfirmed> {
    eprint!("> ");
    let mut typed = String::new();
    input.read_line(&mut typed).map_err(|_| Unconfirmed::No)?;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    if words(&typed) == words(wanted) && !words(wanted).is_empty() {
        Ok(())
    } else {
        Err(Unconfirmed::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_is_a_yes() {
        for (typed, fits) in [
            ("gv0 s1::gv0dr\n", true),
            ("  gv0   s1::gv0dr ", true),
            ("y\n", false),
            ("\n", false),
            ("", false),
            ("gv0 s1::gv0d\n", false),
        ] {
            assert_eq!(ask(&mut typed.as_bytes(), "gv0 s1::gv0dr").is_ok(), fits, "{typed:?}");
        }
        assert!(ask(&mut "\n".as_bytes(), "").is_err());
    }
}
