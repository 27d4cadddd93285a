//! What is to be sent: paths, gfids, lists of either, findings.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::Args;
use super::refusal::Refusal;
use crate::domain::{Gfid, Name};
use crate::format::gfids_of_document;
use crate::scan::mount::MountRoot;

/// What was asked for, in the order given.
#[derive(Debug, Default)]
pub(super) struct TriggerRequest {
    /// Paths relative to the mount.
    pub(super) paths: Vec<Name>,
    /// Gfids of what else is to be sent.
    pub(super) gfids: Vec<Gfid>,
    /// Whether a document of findings was among what was read.
    documented: bool,
}

impl TriggerRequest {
    /// Reads arguments, files and standard input.
    ///
    /// # Errors
    /// [`Refusal::Nothing`] where nothing is named; only a document of findings may name nothing,
    /// for an empty list may be all that a pipe that broke has left.
    pub(super) fn read(args: &Args, mount: &MountRoot) -> Result<Self, Refusal> {
        let mut wishes = Self::default();
        for path in &args.paths {
            if path.as_os_str() == "-" {
                wishes.take_list(&stdin()?, &Name::from("standard input"), args, mount)?;
            } else {
                wishes.take_path(path.as_os_str(), args, mount)?;
            }
        }
        wishes.gfids.extend(&args.gfids);
        for file in &args.from_file {
            let shown = Name::from(file.as_os_str().as_encoded_bytes());
            let text = if file.as_os_str() == "-" {
                stdin()?
            } else {
                fs::read(file).map_err(|source| Refusal::List { path: shown.clone(), source })?
            };
            wishes.take_list(&text, &shown, args, mount)?;
        }
        if wishes.is_empty() && !wishes.documented {
            return Err(Refusal::Nothing);
        }
        Ok(wishes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.gfids.is_empty()
    }

    /// A document of findings, or a list of paths and gfids, one a line (`-0`: ended by NUL).
    fn take_list(
        &mut self,
        text: &[u8],
        from: &Name,
        args: &Args,
        mount: &MountRoot,
    ) -> Result<(), Refusal> {
        if text.trim_ascii_start().starts_with(b"{") && !args.null {
            let gfids = gfids_of_document(text);
            let gfids = gfids.map_err(|source| Refusal::Document { path: from.clone(), source })?;
            self.gfids.extend(gfids);
            self.documented = true;
            return Ok(());
        }
        let end = if args.null { 0 } else { b'\n' };
        for line in text.split(|&byte| byte == end).filter(|line| !line.is_empty()) {
            let gfid = std::str::from_utf8(line).ok().and_then(|text| text.parse::<Gfid>().ok());
            match gfid {
                Some(gfid) => self.gfids.push(gfid),
                None => self.take_path(OsStr::from_bytes(line), args, mount)?,
            }
        }
        Ok(())
    }

    fn take_path(&mut self, path: &OsStr, args: &Args, mount: &MountRoot) -> Result<(), Refusal> {
        let shown = Name::from(path.as_bytes());
        let below = below_mount(Path::new(path), &[mount.path(), &args.mount]);
        let Some(below) = below else {
            return Err(Refusal::Outside { path: shown, mount: mount.name() });
        };
        let first = below.as_bytes().split(|&byte| byte == b'/').next();
        if matches!(first, Some(b".gfid" | b".meta")) {
            return Err(Refusal::Virtual { path: shown });
        }
        self.paths.push(below);
        Ok(())
    }
}

fn stdin() -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    read.map_err(|source| Refusal::List { path: Name::from("standard input"), source })?;
    Ok(text)
}

/// A path relative to the mount, without empty parts; `.` for the mount itself. Nothing where it
/// leads elsewhere; what symlinks say does not count.
fn below_mount(path: &Path, tops: &[&Path]) -> Option<Name> {
    let below = if path.is_absolute() {
        tops.iter().find_map(|top| path.strip_prefix(top).ok())?
    } else {
        path
    };
    let bytes = below.as_os_str().as_bytes();
    let parts = bytes.split(|&byte| byte == b'/');
    let parts: Vec<_> = parts.filter(|part| !part.is_empty() && *part != b".").collect();
    if parts.contains(&&b".."[..]) {
        return None;
    }
    Some(if parts.is_empty() { Name::from(".") } else { Name::from(parts.join(&b'/')) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_relative_to_the_mount() {
        let tops = [Path::new("/mnt/gv0"), Path::new("/data")];
        for (path, below) in [
            ("/mnt/gv0/a/b", Some("a/b")),
            ("/data//a/./b/", Some("a/b")),
            ("a/b", Some("a/b")),
            ("./a", Some("a")),
            ("/mnt/gv0", Some(".")),
            (".", Some(".")),
            ("/mnt/gv01/a", None),
            ("a/../../etc", None),
            ("/etc/passwd", None),
        ] {
            let found = below_mount(Path::new(path), &tops);
            assert_eq!(found, below.map(Name::from), "{path}");
        }
    }
}
