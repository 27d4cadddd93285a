//! A python traceback: the exception, its number, its file, and the frames that led there.

use memchr::memmem;

use super::literal::Literal;
use super::{fields, literal};
use crate::domain::{EntryId, Errno, Gfid, Name};

/// An exception read from a traceback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exception {
    /// The type, such as `OSError`; `None` if the traceback was cut before its last line.
    pub kind: Option<String>,
    /// The error number, if the text has one: `[Errno 17]`.
    pub errno: Option<Errno>,
    /// What follows the type, cut at 300 bytes.
    pub text: Vec<u8>,
    /// Module and function of each frame, outermost first; file names without folder and `.py`.
    pub frames: Vec<Frame>,
    /// The last `os.…` call that the quoted source lines show, such as `link`.
    pub call: Option<String>,
}

/// One frame of a traceback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The file as it is printed.
    pub file: String,
    /// File name without folder and extension, such as `resource`.
    pub module: String,
    /// Line in it.
    pub line: u32,
    /// Function.
    pub function: String,
}

/// What an exception's text names as the thing it failed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// `.gfid/<parent>/<name>`.
    Entry(EntryId),
    /// `.gfid/<gfid>`, or a handle below `.glusterfs`.
    Gfid(Gfid),
    /// Any other path.
    Path(Name),
}

/// Reads a block of lines that holds a traceback, from its first line or from its middle.
#[must_use]
pub fn parse(block: &[u8]) -> Option<Exception> {
    let mut out =
        Exception { kind: None, errno: None, text: Vec::new(), frames: Vec::new(), call: None };
    for line in block.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end) {
        if let Some(frame) = frame(line) {
            out.frames.push(frame);
            out.kind = None;
        } else if line.starts_with(b"    ") {
            out.call = system_call(line).or(out.call.take());
        } else if let Some((kind, text)) = ending(line)
            && out.kind.is_none()
            && !out.frames.is_empty()
        {
            out.kind = Some(kind);
            out.errno = fields::errno(text);
            out.text = text.get(..text.len().min(300)).unwrap_or_default().to_vec();
        }
    }
    (!out.frames.is_empty()).then_some(out)
}

/// Whether a line can only be part of a traceback.
#[must_use]
pub fn begins(line: &[u8]) -> bool {
    line.starts_with(b"Traceback (most recent call last)") || line.starts_with(b"  File \"")
}

fn frame(line: &[u8]) -> Option<Frame> {
    let rest = line.trim_ascii_start().strip_prefix(b"File \"")?;
    let (path, rest) = rest.split_at_checked(memmem::find(rest, b"\", line ")?)?;
    let file = path.rsplit(|&byte| byte == b'/').next()?;
    let module = file.strip_suffix(b".py").unwrap_or(file);
    let rest = rest.strip_prefix(b"\", line ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let line = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    let function = rest.get(digits..)?.strip_prefix(b", in ").unwrap_or_default();
    let owned = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    Some(Frame { file: owned(path), module: owned(module), line, function: owned(function) })
}

/// The call of python's `os` module in a source line.
fn system_call(line: &[u8]) -> Option<String> {
    let rest = line.get(memmem::find(line, b"os.")? + 3..)?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let name = rest.get(..len).filter(|name| !name.is_empty())?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// `Type: text` or `Type` at the start of a line.
fn ending(line: &[u8]) -> Option<(String, &[u8])> {
    if !line.first()?.is_ascii_alphabetic() || line.starts_with(b"Traceback ") {
        return None;
    }
    let (kind, text) = match memmem::find(line, b": ") {
        Some(colon) => (line.get(..colon)?, line.get(colon + 2..)?),
        None => (line.strip_suffix(b":").unwrap_or(line), &b""[..]),
    };
    let named = kind.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte));
    named.then(|| (String::from_utf8_lossy(kind).into_owned(), text))
}

impl Exception {
    /// Whether a frame of this module and function is among the frames.
    #[must_use]
    pub fn went_through(&self, module: &str, function: &str) -> bool {
        self.frames.iter().any(|frame| frame.module == module && frame.function == function)
    }

    /// Whether any frame is in this function, in any module.
    #[must_use]
    pub fn went_through_function(&self, function: &str) -> bool {
        self.frames.iter().any(|frame| frame.function == function)
    }

    /// The exception's type without its module, or a placeholder for a cut traceback.
    #[must_use]
    pub fn name(&self) -> &str {
        let kind = self.kind.as_deref().unwrap_or("an exception whose end is cut off in the log");
        kind.rsplit('.').next().unwrap_or(kind)
    }

    /// The entry operation in progress, as far as frames and source lines show it.
    #[must_use]
    pub fn op(&self) -> Option<&'static str> {
        if self.went_through_function("get_slv_dir_path") {
            return Some("MKDIR");
        }
        if self.went_through_function("rename_with_disk_gfid_confirmation") {
            return Some("RENAME");
        }
        match self.call.as_deref()? {
            "link" => Some("LINK"),
            "rename" => Some("RENAME"),
            "unlink" => Some("UNLINK"),
            "rmdir" => Some("RMDIR"),
            "mkdir" => Some("MKDIR"),
            "symlink" => Some("SYMLINK"),
            _ => None,
        }
    }

    /// The second file that the text names: `'…' -> '…'`.
    #[must_use]
    pub fn target(&self) -> Option<Subject> {
        let arrow = memmem::rfind(&self.text, b" -> ")?;
        let (value, _) = literal::parse(self.text.get(arrow + 4..)?)?;
        value.text().map(subject_of)
    }

    /// The file that the text names in quotes, if any.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        let quote =
            memmem::find(&self.text, b": '").or_else(|| memmem::find(&self.text, b": \""))?;
        let (value, _) = literal::parse(self.text.get(quote + 2..)?)?;
        let Literal::Text(path) = value else { return None };
        Some(subject_of(&path))
    }
}

/// The object that a path refers to.
#[must_use]
pub fn subject_of(path: &[u8]) -> Subject {
    if let Some(entry) = EntryId::from_gfid_path(path) {
        return Subject::Entry(entry);
    }
    let gfid = std::str::from_utf8(path).ok().filter(|text| text.contains('/'));
    match gfid.and_then(|text| text.parse().ok()) {
        Some(gfid) => Subject::Gfid(gfid),
        None => Subject::Path(Name::from(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"Traceback (most recent call last):
  File \"/usr/libexec/glusterfs/python/syncdaemon/repce.py\", line 113, in worker
    res = getattr(self.obj, rmeth)(*in_data[2:])
  File \"/usr/libexec/glusterfs/python/syncdaemon/resource.py\", line 772, in entry_ops
    os.unlink(entry)
OSError: [Errno 21] Ist ein Verzeichnis: '.gfid/ce227988-55f6-4fa4-96a9-43e0ab739e14/New folder'
";

    #[test]
    fn reads_type_number_file_and_frames() {
        let got = parse(BLOCK).unwrap();
        assert_eq!((got.name(), got.errno), ("OSError", Some(Errno(21))));
        assert!(got.went_through("resource", "entry_ops") && !got.went_through("resource", "x"));
        let Some(Subject::Entry(entry)) = got.subject() else { panic!() };
        assert_eq!(entry.name.as_bytes(), b"New folder");
    }

    #[test]
    fn says_when_the_end_was_cut() {
        let cut = memmem::find(BLOCK, b"OSError").unwrap();
        let got = parse(&BLOCK[..cut]).unwrap();
        assert_eq!((got.kind, got.errno, got.frames.len()), (None, None, 2));
    }

    #[test]
    fn reads_old_socket_errors_and_bare_types() {
        let block = b"  File \"a.py\", line 1, in f\n    x\nerror: (9, 'Bad file descriptor')";
        assert_eq!(parse(block).unwrap().errno, Some(Errno(9)));
        let block = b"  File \"a.py\", line 1, in f\n    return pickle.load(inf)\nEOFError";
        assert_eq!(parse(block).unwrap().name(), "EOFError");
        assert_eq!(parse(b"no traceback here: at all"), None);
    }
}
