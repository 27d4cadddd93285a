//! Finds the next sound record after damage.

use super::{Encoding, Fault, Form, MAGIC, TEXT, Version};

/// How a search for a record ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Search {
    /// A sound record of this form begins here.
    Found(Form, usize),
    /// A record may begin here; the bytes after the window decide.
    Open(usize),
    /// None begins in the window.
    None,
}

/// The first place at or after `from` where a sound record begins, and its form.
///
/// A record is sound if it parses in full; in binary, where other bytes easily look like a record,
/// something that may follow a record has to follow it. In a file whose header is lost
/// every form is tried. What the end of the window leaves open is not decided before the `last`
/// window, so that nothing depends on where windows are cut.
pub(super) fn find(window: &[u8], from: usize, form: Option<Form>, last: bool) -> Search {
    const ASCII: Form = Form { version: Version::V1_2, encoding: Encoding::Ascii };
    const BINARY: Form = Form { version: Version::V1_2, encoding: Encoding::Binary };
    let known;
    let forms: &[Form] = if let Some(form) = form {
        known = [form];
        &known
    } else {
        &[ASCII, TEXT, BINARY]
    };
    let tail = window.get(from..).unwrap_or_default();
    for at in memchr::memchr3_iter(b'D', b'E', b'M', tail) {
        let bytes = tail.get(at..).unwrap_or_default();
        for &form in forms {
            match is_sound(form, bytes) {
                Ok(true) => return Search::Found(form, from + at),
                Ok(false) => {}
                Err(Torn { whole }) if last && whole => return Search::Found(form, from + at),
                Err(_) if last => {}
                Err(_) => return Search::Open(from + at),
            }
        }
    }
    Search::None
}

/// The bytes end before it is known whether a record is sound.
struct Torn {
    /// Whether they end after the record itself.
    whole: bool,
}

fn is_sound(form: Form, bytes: &[u8]) -> Result<bool, Torn> {
    let (end, mark) = match form.encoding {
        Encoding::Ascii => (37, 0),
        Encoding::Binary => (17, 0),
        Encoding::Text => (1, b' '),
    };
    match bytes.get(end) {
        Some(&byte) if byte == mark => {}
        Some(_) => return Ok(false),
        None => return Err(Torn { whole: false }),
    }
    let length = match length_of(form, bytes) {
        Ok(length) => length,
        Err(Fault::Short) => return Err(Torn { whole: false }),
        Err(_) => return Ok(false),
    };
    if form.encoding != Encoding::Binary {
        return Ok(true);
    }
    let rest = bytes.get(length..).unwrap_or_default();
    match length_of(form, rest) {
        Ok(_) => Ok(true),
        Err(Fault::Short) => Err(Torn { whole: true }),
        Err(_) if rest.starts_with(MAGIC) => Ok(true),
        Err(_) if MAGIC.starts_with(rest) => Err(Torn { whole: false }),
        Err(_) => Ok(false),
    }
}

fn length_of(form: Form, bytes: &[u8]) -> Result<usize, Fault> {
    form.record(bytes).map(|(.., length)| length)
}
