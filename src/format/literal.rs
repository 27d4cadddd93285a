//! Python literals as gsyncd prints them in `data=(…)`: a strict parser, never an eval.
//!
//! Reads what `repr` of python 2 and 3 makes of dicts, tuples, lists, strings, numbers, booleans
//! and None: single or double quotes, `u''` and `b''` prefixes, `\xNN`, `\uNNNN`, octal and the
//! named escapes, the `L` of python 2's long numbers. Nothing is looked up or called: a file
//! name that looks like code stays a string.

/// A python value. Strings are bytes: python's surrogate escapes (`\udcc3`) are turned back
/// into the raw bytes they represent, and other characters are UTF-8.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer that fits.
    Int(i64),
    /// A float, or an integer that does not fit.
    Float(f64),
    /// A string or byte string.
    Text(Vec<u8>),
    /// A tuple or list.
    List(Vec<Literal>),
    /// A dict, in printed order.
    Dict(Vec<(Literal, Literal)>),
}

impl Literal {
    /// The value under a text key, where this is a dict that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(pairs) = self else { return None };
        pairs.iter().find(|(k, _)| k.text() == Some(key.as_bytes())).map(|(_, value)| value)
    }

    /// The bytes, where this is text.
    #[must_use]
    pub fn text(&self) -> Option<&[u8]> {
        if let Self::Text(bytes) = self { Some(bytes) } else { None }
    }

    /// The number, where this is an integer.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The elements, where this is a tuple or list.
    #[must_use]
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }
}

/// How deep values may nest; gsyncd's own go to four.
const DEPTH: u32 = 32;

/// Reads one literal from the start of the text, and returns what follows it.
#[must_use]
pub fn parse(text: &[u8]) -> Option<(Literal, &[u8])> {
    let mut cursor = Cursor { rest: text };
    let value = cursor.value(DEPTH)?;
    Some((value, cursor.rest))
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn value(&mut self, depth: u32) -> Option<Literal> {
        let depth = depth.checked_sub(1)?;
        self.blanks();
        match *self.rest.first()? {
            b'(' => self.list(b')', depth),
            b'[' => self.list(b']', depth),
            b'{' => self.dict(depth),
            b'\'' | b'"' => self.text().map(Literal::Text),
            b'u' | b'U' | b'b' | b'B' if matches!(self.rest.get(1), Some(b'\'' | b'"')) => {
                self.skip(1);
                self.text().map(Literal::Text)
            }
            b'-' | b'+' | b'.' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn list(&mut self, close: u8, depth: u32) -> Option<Literal> {
        self.skip(1);
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.value(depth)?);
            if !self.eat(b',') {
                return self.eat(close).then_some(Literal::List(items));
            }
        }
        Some(Literal::List(items))
    }

    fn dict(&mut self, depth: u32) -> Option<Literal> {
        self.skip(1);
        let mut pairs = Vec::new();
        while !self.eat(b'}') {
            let key = self.value(depth)?;
            if !self.eat(b':') {
                return None;
            }
            pairs.push((key, self.value(depth)?));
            if !self.eat(b',') {
                return self.eat(b'}').then_some(Literal::Dict(pairs));
            }
        }
        Some(Literal::Dict(pairs))
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let quote = *self.rest.first()?;
        self.skip(1);
        let mut out = Vec::new();
        loop {
            let stop = memchr::memchr2(quote, b'\\', self.rest)?;
            out.extend_from_slice(self.rest.get(..stop)?);
            self.skip(stop);
            if *self.rest.first()? == quote {
                self.skip(1);
                return Some(out);
            }
            self.skip(1);
            self.escape(&mut out)?;
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let letter = *self.rest.first()?;
        self.skip(1);
        match letter {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'v' => out.push(11),
            b'\\' | b'\'' | b'"' => out.push(letter),
            b'x' => out.push(u8::try_from(self.hex(2)?).ok()?),
            b'u' => push_char(self.hex(4)?, out),
            b'U' => push_char(self.hex(8)?, out),
            b'0'..=b'7' => {
                let mut value = u32::from(letter - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.rest.first().copied() else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    self.skip(1);
                }
                out.push(value.to_le_bytes()[0]);
            }
            other => out.extend_from_slice(&[b'\\', other]),
        }
        Some(())
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text = std::str::from_utf8(self.rest.get(..digits)?).ok()?;
        let value = u32::from_str_radix(text, 16).ok()?;
        self.skip(digits);
        Some(value)
    }

    fn number(&mut self) -> Option<Literal> {
        let is_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eExXabcdfABCDF".contains(byte);
        let len = self.rest.iter().take_while(|byte| is_number(byte)).count();
        let text = std::str::from_utf8(self.rest.get(..len)?).ok()?;
        let value = match text.parse() {
            Ok(number) => Literal::Int(number),
            Err(_) => Literal::Float(text.parse().ok()?),
        };
        self.skip(len);
        if matches!(self.rest.first(), Some(b'L')) {
            self.skip(1);
        }
        Some(value)
    }

    fn word(&mut self) -> Option<Literal> {
        for (word, value) in [
            (&b"None"[..], Literal::None),
            (b"True", Literal::Bool(true)),
            (b"False", Literal::Bool(false)),
        ] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(value);
            }
        }
        None
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.blanks();
        let found = self.rest.first() == Some(&byte);
        if found {
            self.skip(1);
        }
        found
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

/// A character as UTF-8; python's escape for a byte it could not decode as that byte.
fn push_char(value: u32, out: &mut Vec<u8>) {
    if let 0xdc80..=0xdcff = value {
        out.push(value.to_le_bytes()[0]);
    } else {
        let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// The raw bytes of text in which python's surrogate escapes are written as `\udcNN` or as the
/// three-byte encoding of such a surrogate.
#[must_use]
pub fn unescape_surrogates(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let spelled = rest.strip_prefix(b"\\udc").and_then(|hex| hex.get(..2));
        let spelled = spelled.and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = spelled.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            rest = rest.get(6..).unwrap_or_default();
        } else if let (0xed, Some(&[high @ 0xb2..=0xb3, low @ 0x80..=0xbf])) =
            (first, after.first_chunk())
        {
            out.push(0x80 + ((high - 0xb2) << 6) + (low - 0x80));
            rest = rest.get(3..).unwrap_or_default();
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Literal {
        let (value, rest) = parse(text.as_bytes()).unwrap();
        assert_eq!(rest, b"");
        value
    }

    #[test]
    fn reads_failures_of_python_2_and_3() {
        let three = read(
            "({'op': 'CREATE', 'skip_entry': False, 'gfid': 'e42c', 'mode': 33188, 'stat': {}, 'link': None}, 17, {'gfid_mismatch': True})",
        );
        let [entry, errno, info] = three.list().unwrap() else { panic!() };
        assert_eq!(entry.get("op").and_then(Literal::text), Some(&b"CREATE"[..]));
        assert_eq!(
            (errno.int(), entry.get("mode").and_then(Literal::int)),
            (Some(17), Some(33188))
        );
        assert_eq!(info.get("gfid_mismatch"), Some(&Literal::Bool(true)));
        let two = read(r#"({u'uid': 1000L, 'entry': "it's \xc3\xa9", 'mtime': 1.5e3, }, 2)"#);
        let entry = &two.list().unwrap()[0];
        assert_eq!(entry.get("entry").and_then(Literal::text), Some("it's é".as_bytes()));
        assert_eq!(entry.get("uid").and_then(Literal::int), Some(1000));
    }

    #[test]
    fn turns_surrogate_escapes_back_into_bytes() {
        assert_eq!(read(r"'\udcc3\udcbc'").text(), Some("ü".as_bytes()));
        assert_eq!(read(r"'\u00fc\U0001f600'").text(), Some("ü😀".as_bytes()));
        assert_eq!(unescape_surrogates(br"a\udcc3\udcbcb"), "aüb".as_bytes());
        assert_eq!(unescape_surrogates(b"\xed\xb3\x83\xed\xb2\xbc"), "ü".as_bytes());
    }

    #[test]
    fn never_runs_what_it_reads() {
        for text in
            ["open('x')", "__import__", "{1:2", "('a'", "'a", "1 if x", "[1,,2]", "Nonesense("]
        {
            let whole = parse(text.as_bytes()).is_some_and(|(_, rest)| rest.is_empty());
            assert!(!whole, "{text}");
        }
        let deep = "(".repeat(100_000);
        assert_eq!(parse(deep.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = unescape_surrogates(&bytes);
        }

        #[test]
        fn strings_survive_pythons_repr(bytes in proptest::collection::vec(1u8.., 0..40)) {
            let mut repr = String::from("'");
            for byte in &bytes {
                match byte {
                    b'\'' => repr.push_str("\\'"),
                    b'\\' => repr.push_str("\\\\"),
                    b' '..=b'~' => repr.push(char::from(*byte)),
                    other => repr.extend(format!("\\x{other:02x}").chars()),
                }
            }
            repr.push('\'');
            prop_assert_eq!(parse(repr.as_bytes()), Some((Literal::Text(bytes), &b""[..])));
        }
    }
}
