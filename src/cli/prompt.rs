//! Questions to somebody at a terminal, one at a time, each with a recommended answer.

use std::fmt::Display;
use std::io::BufRead;
use std::str::FromStr;

use anstream::{eprint, eprintln};

use super::confirm::Unconfirmed;

/// Asks for one of some options, by what it is displayed as; an empty line takes the recommended.
pub(super) fn choose<T: Display + Copy>(
    input: &mut dyn BufRead,
    question: &str,
    options: &[T],
    recommended: T,
) -> Result<T, Unconfirmed> {
    let names: Vec<_> = options.iter().map(ToString::to_string).collect();
    let parse = |typed: &str| match typed {
        "" => Some(recommended),
        typed => options.iter().copied().find(|option| option.to_string() == typed),
    };
    ask_until(input, &format!("{question} ({}) [{recommended}]", names.join(", ")), parse)
}

/// Asks for a value in its text form; an empty line takes the recommended one.
pub(super) fn read<T: FromStr + Display + Copy>(
    input: &mut dyn BufRead,
    question: &str,
    recommended: T,
) -> Result<T, Unconfirmed> {
    let parse = |typed: &str| if typed.is_empty() { Some(recommended) } else { typed.parse().ok() };
    ask_until(input, &format!("{question} [{recommended}]"), parse)
}

/// Asks again until the answer fits. Who closes the input does not want to go on.
fn ask_until<T>(
    input: &mut dyn BufRead,
    question: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Unconfirmed> {
    loop {
        eprint!("{question} ");
        let mut typed = String::new();
        let read = input.read_line(&mut typed).map_err(|_| Unconfirmed::No)?;
        if read == 0 {
            return Err(Unconfirmed::No);
        }
        match parse(typed.trim()) {
            Some(answer) => return Ok(answer),
            None => eprintln!("not a valid answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_takes_the_recommended_answer_and_nonsense_is_asked_again() {
        let ask = |typed: &str| choose(&mut typed.as_bytes(), "?", &["a", "b"], "b");
        assert!(matches!(ask("\n"), Ok("b")));
        assert!(matches!(ask("a\n"), Ok("a")));
        assert!(matches!(ask("c\n\x1b[A\na\n"), Ok("a")));
        assert!(ask("c\n").is_err() && ask("").is_err());
        assert!(matches!(read(&mut "x\n7\n".as_bytes(), "?", 3), Ok(7)));
        assert!(matches!(read(&mut "\n".as_bytes(), "?", 3), Ok(3)));
    }
}
