//! The way on behind damage: where the next sound record begins.

use super::{Encoding, Fault, Form, MAGIC, TEXT, Version};

/// The first place at or after `from` where a sound record or a header begins, and its form.
///
/// A record is sound when it reads in full; in binary, where little tells a record from other
/// bytes, something that may follow a record has to follow it. In a file whose header is lost every form is tried.
pub(super) fn find(
    window: &[u8],
    from: usize,
    form: Option<Form>,
    last: bool,
) -> Option<(Form, usize)> {
    const ASCII: Form = Form { version: Version::V1_2, encoding: Encoding::Ascii };
    const BINARY: Form = Form { version: Version::V1_2, encoding: Encoding::Binary };
    let known;
    let forms: &[Form] = if let Some(form) = form {
        known = [form];
        &known
    } else {
        &[ASCII, TEXT, BINARY]
    };
    let tail = window.get(from..)?;
    memchr::memchr3_iter(b'D', b'E', b'M', tail).find_map(|at| {
        let start = from + at;
        let bytes = window.get(start..)?;
        let form = forms.iter().find(|form| is_sound(**form, bytes, last))?;
        Some((*form, start))
    })
}

fn is_sound(form: Form, bytes: &[u8], last: bool) -> bool {
    let end = match form.encoding {
        Encoding::Ascii => bytes.get(37) == Some(&0),
        Encoding::Binary => bytes.get(17) == Some(&0),
        Encoding::Text => bytes.get(1) == Some(&b' '),
    };
    let Some(Ok(length)) = end.then(|| length_of(form, bytes)) else { return false };
    if form.encoding != Encoding::Binary {
        return true;
    }
    let rest = bytes.get(length..).unwrap_or_default();
    if rest.is_empty() {
        return last;
    }
    match length_of(form, rest) {
        Ok(_) => true,
        Err(Fault::Short) => last,
        Err(_) => rest.starts_with(MAGIC),
    }
}

fn length_of(form: Form, bytes: &[u8]) -> Result<usize, Fault> {
    form.record(bytes).map(|(.., length)| length)
}
