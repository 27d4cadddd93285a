//! Confirmation of a plan: the operator types the session's name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _};

use anstream::{eprint, eprintln};

use crate::domain::{Kind, Name, UserError};
use crate::plan::Plan;

/// The plan was not confirmed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unconfirmed {
    /// There is no terminal to ask at.
    #[error("no terminal to confirm at; nothing was changed")]
    NoTerminal,
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
            Self::NoTerminal => {
                vec!["--yes runs the plan without asking, --dry-run only shows it".to_owned()]
            }
            Self::No => Vec::new(),
        }
    }
}

/// Asks for the session's name, and once more if a step cannot be undone.
pub(super) fn confirm(plan: &Plan) -> Result<(), Unconfirmed> {
    let mut input = terminal().ok_or(Unconfirmed::NoTerminal)?;
    let name = Name::from(&plan.session);
    eprintln!("\nType {} to continue, anything else to stop", name.lossy());
    ask(&mut *input, &plan.session)?;
    if let Some(step) = plan.point_of_no_return() {
        eprintln!("Step {step} and later steps cannot be undone. Type it again to continue:");
        ask(&mut *input, &plan.session)?;
    }
    Ok(())
}

/// The terminal to ask at: standard input, or `/dev/tty` if a list is piped in; `None` if standard
/// error, which shows the question, is not a terminal.
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
