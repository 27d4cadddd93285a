//! The named values at the end of a message, in the three forms they ever had.
//!
//! ```text
//! 3.12 to 7   msg<TAB>key=value<TAB>key=value     (pastes turn the tab into blanks)
//! 8 and later msg [{key=value}, {key=value}]
//! ```
//!
//! Values are printed unescaped and may hold anything; what is read here is only ever compared
//! or shown.

use memchr::memmem;

/// The value of a key, as it is printed.
#[must_use]
pub fn field<'a>(message: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let mut tabbed = None;
    for at in memmem::find_iter(message, key.as_bytes()) {
        let before = at.checked_sub(1).and_then(|before| message.get(before));
        let Some(value) = message.get(at + key.len()..).and_then(|rest| rest.strip_prefix(b"="))
        else {
            continue;
        };
        match before {
            Some(b'{') => return Some(bracketed(value)),
            Some(byte) if byte.is_ascii_whitespace() && tabbed.is_none() => tabbed = Some(value),
            _ => {}
        }
    }
    let value = tabbed?;
    let end = (0..value.len()).find(|&at| ends_value(value, at)).unwrap_or(value.len());
    value.get(..end)
}

/// A bracketed value ends before `}, {` or `}]`.
fn bracketed(value: &[u8]) -> &[u8] {
    let ends = |at: &usize| {
        let after = value.get(at + 1..).unwrap_or_default();
        after.starts_with(b"]") || after.starts_with(b", {")
    };
    let end = memchr::memchr_iter(b'}', value).find(ends).unwrap_or(value.len());
    value.get(..end).unwrap_or_default()
}

/// A tab ends a value; so do two blanks, or one blank before the next `key=`.
fn ends_value(value: &[u8], at: usize) -> bool {
    match (value.get(at), value.get(at + 1..)) {
        (Some(b'\t'), _) => true,
        (Some(b' '), Some(rest)) => {
            let word = rest.iter().take_while(|b| b.is_ascii_lowercase() || **b == b'_').count();
            rest.first() == Some(&b' ') || (word > 0 && rest.get(word) == Some(&b'='))
        }
        _ => false,
    }
}

/// The text after the first occurrence of a mark, up to another; to the end without one.
#[must_use]
pub fn between<'a>(text: &'a [u8], after: &str, until: &str) -> Option<&'a [u8]> {
    let start = memmem::find(text, after.as_bytes())? + after.len();
    let rest = text.get(start..)?;
    match memmem::find(rest, until.as_bytes()) {
        Some(end) if !until.is_empty() => rest.get(..end),
        _ => Some(rest),
    }
}

/// The names of changelogs in a message, such as `CHANGELOG.1690222435`.
pub fn changelogs(message: &[u8]) -> impl Iterator<Item = &str> {
    memmem::find_iter(message, b"CHANGELOG.").filter_map(|at| {
        let digits =
            message.get(at + 10..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let name = message.get(at..at + 10 + digits)?;
        if digits == 0 { None } else { std::str::from_utf8(name).ok() }
    })
}

/// The number of an error: `[Errno 17]`, `(9, '…')`, or the symbol or words alone.
#[must_use]
pub fn errno(text: &[u8]) -> Option<crate::domain::Errno> {
    use crate::domain::Errno;
    let number = between(text, "[Errno ", "]").or_else(|| between(text, "(", ",")).and_then(int);
    if let Some(number) = number.filter(|n| (1..=200).contains(n)) {
        return Some(Errno(number));
    }
    let words = String::from_utf8_lossy(text);
    let words = words.trim();
    Errno::from_symbol(words).or_else(|| Errno::from_words(words))
}

/// A decimal number that fills the text.
#[must_use]
pub fn int(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_values_of_every_form() {
        for message in [
            &b"died [{brick=/b 1}, {timeout=60}]"[..],
            b"died\tbrick=/b 1\ttimeout=60",
            b"died  timeout=60   brick=/b 1",
            b"died brick=/b 1 timeout=60",
        ] {
            assert_eq!(field(message, "brick"), Some(&b"/b 1"[..]));
            assert_eq!(field(message, "timeout"), Some(&b"60"[..]));
            assert_eq!(field(message, "ick"), None);
        }
    }

    #[test]
    fn finds_changelogs_and_numbers() {
        let found: Vec<_> = changelogs(b"x CHANGELOG.12 CHANGELOG. 'CHANGELOG.345'").collect();
        assert_eq!(found, ["CHANGELOG.12", "CHANGELOG.345"]);
        for text in ["OSError: [Errno 17] Datei existiert", "(17, 'x')", "EEXIST", "File exists"] {
            assert_eq!(errno(text.as_bytes()).map(|e| e.0), Some(17), "{text}");
        }
        assert_eq!(errno(b"whatever"), None);
    }
}
