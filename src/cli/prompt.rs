//! Questions to somebody at a terminal, one at a time, each with a recommended answer.

use std::io::BufRead;
use std::str::FromStr;

use anstream::{eprint, eprintln};

use super::confirm::Unconfirmed;

/// Asks for one of some words; an empty line takes the recommended one.
pub(super) fn choose<'a>(
    input: &mut dyn BufRead,
    question: &str,
    words: &[&'a str],
    recommended: &'a str,
) -> Result<&'a str, Unconfirmed> {
    let fits = |typed: &str| match typed {
        "" => Some(recommended),
        typed => words.iter().copied().find(|word| *word == typed),
    };
    let options = words.join(", ");
    until(input, &format!("{question} ({options}) [{recommended}]"), fits)
}

/// Asks for something that can be read from its text.
pub(super) fn read<T: FromStr + Clone>(
    input: &mut dyn BufRead,
    question: &str,
    recommended: (&str, T),
) -> Result<T, Unconfirmed> {
    let (text, value) = recommended;
    let fits =
        |typed: &str| if typed.is_empty() { Some(value.clone()) } else { typed.parse().ok() };
    until(input, &format!("{question} [{text}]"), fits)
}

/// Asks again while the answer is none; who ends the input wants nothing.
fn until<T>(
    input: &mut dyn BufRead,
    question: &str,
    fits: impl Fn(&str) -> Option<T>,
) -> Result<T, Unconfirmed> {
    loop {
        eprint!("{question} ");
        let mut typed = String::new();
        let read = input.read_line(&mut typed).map_err(|_| Unconfirmed::No)?;
        if read == 0 {
            return Err(Unconfirmed::No);
        }
        match fits(typed.trim()) {
            Some(answer) => return Ok(answer),
            None => eprintln!("that is no answer to it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_is_the_recommended_answer_and_nonsense_is_none() {
        let ask = |typed: &str| choose(&mut typed.as_bytes(), "?", &["a", "b"], "b");
        assert!(matches!(ask("\n"), Ok("b")));
        assert!(matches!(ask("a\n"), Ok("a")));
        assert!(matches!(ask("c\n\x1b[A\na\n"), Ok("a")));
        assert!(ask("c\n").is_err() && ask("").is_err());
        assert!(matches!(read(&mut "x\n7\n".as_bytes(), "?", ("3", 3)), Ok(7)));
        assert!(matches!(read(&mut "\n".as_bytes(), "?", ("3", 3)), Ok(3)));
    }
}
