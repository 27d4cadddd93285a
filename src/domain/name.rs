//! A file name or path as bytes, since `GlusterFS` promises nothing about UTF-8.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;

use serde::{Serialize, Serializer};

/// A name or path: any bytes but NUL.
///
/// Displays for a terminal: plain if possible, else quoted for the shell (`$'…'`) so that
/// no control character reaches the screen and every path shown can be pasted. Serialises
/// lossily; [`Name::exact`] gives the hex form for the `…_bytes` field beside it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name(Box<[u8]>);

impl Name {
    /// The bytes, as on disk.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as the operating system takes it.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    /// The name with what is not UTF-8 replaced.
    #[must_use]
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Hex of the bytes if the name is not UTF-8.
    #[must_use]
    pub fn exact(&self) -> Option<String> {
        std::str::from_utf8(&self.0).is_err().then(|| super::hex::encode(&self.0))
    }
}

impl<T: AsRef<[u8]>> From<T> for Name {
    fn from(bytes: T) -> Self {
        Self(bytes.as_ref().into())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.lossy())
    }
}

/// Names as fields of a document, each with a twin `…_bytes`: for `flatten` with `serialize_with`.
pub(crate) mod twin {
    use serde::Serializer;
    use serde::ser::SerializeMap as _;

    use super::Name;

    /// The fields `brick` and `brick_bytes`.
    pub(crate) fn brick<'a, N, S>(name: &'a N, serializer: S) -> Result<S::Ok, S::Error>
    where
        &'a N: Into<Option<&'a Name>>,
        S: Serializer,
    {
        fields(["brick", "brick_bytes"], name.into(), serializer)
    }

    /// The fields `name` and `name_bytes`.
    pub(crate) fn name<'a, N, S>(name: &'a N, serializer: S) -> Result<S::Ok, S::Error>
    where
        &'a N: Into<Option<&'a Name>>,
        S: Serializer,
    {
        fields(["name", "name_bytes"], name.into(), serializer)
    }

    /// The fields `path` and `path_bytes`.
    pub(crate) fn path<'a, N, S>(name: &'a N, serializer: S) -> Result<S::Ok, S::Error>
    where
        &'a N: Into<Option<&'a Name>>,
        S: Serializer,
    {
        fields(["path", "path_bytes"], name.into(), serializer)
    }

    fn fields<S: Serializer>(
        [lossy, exact]: [&'static str; 2],
        name: Option<&Name>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(Some(2))?;
        fields.serialize_entry(lossy, &name)?;
        fields.serialize_entry(exact, &name.and_then(Name::exact))?;
        fields.end()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(&self.0) {
            Ok(text) if text.chars().all(is_plain) && !text.is_empty() => f.pad(text),
            Ok(text) if !text.chars().any(is_hostile) => {
                write!(f, "'{}'", text.replace('\'', "'\\''"))
            }
            _ => ansi_c_quoted(&self.0, f),
        }
    }
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "_-./+,:@%=~^".contains(c)
}

/// Control characters, and the marks that reorder or hide text on a terminal.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn ansi_c_quoted(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("$'")?;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\'' => f.write_str("\\'")?,
                '\\' => f.write_str("\\\\")?,
                c if is_hostile(c) => {
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        write!(f, "\\x{byte:02x}")?;
                    }
                }
                c => f.write_char(c)?,
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    f.write_str("'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_every_name_so_that_it_can_be_pasted() {
        for (bytes, shown) in [
            (&b"a/b.txt"[..], "a/b.txt"),
            (b"it's", r"'it'\''s'"),
            (b"two words", "'two words'"),
            ("über".as_bytes(), "über"),
            (b"line\nbreak", r"$'line\nbreak'"),
            (b"\x1b[2J", r"$'\x1b[2J'"),
            (b"caf\xe9", r"$'caf\xe9'"),
            ("a\u{202e}b".as_bytes(), r"$'a\xe2\x80\xaeb'"),
            (b"", "''"),
        ] {
            assert_eq!(Name::from(bytes).to_string(), shown);
        }
    }

    #[test]
    fn keeps_the_exact_bytes_only_where_needed() {
        assert_eq!(Name::from("über").exact(), None);
        assert_eq!(Name::from(b"caf\xe9").exact().as_deref(), Some("636166e9"));
    }
}
