//! What to send: paths, gfids, lists of either, findings.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::TriggerSyncOptions;
use super::error::TriggerSyncError;
use crate::domain::{Gfid, Name};
use crate::format::gfids_of_document;
use crate::scan::mount::MountRoot;

/// What to send, in the order given.
#[derive(Debug, Default)]
pub(super) struct TriggerRequest {
    /// Paths relative to the mount.
    pub(super) paths: Vec<Name>,
    /// Gfids of what else to send.
    pub(super) gfids: Vec<Gfid>,
    /// Whether a document of findings was among what was read.
    documented: bool,
}

impl TriggerRequest {
    /// Reads arguments, files and standard input.
    ///
    /// # Errors
    /// [`TriggerSyncError::Nothing`] if nothing is named. Only a document of findings may be empty:
    /// an empty list may be what a broken pipe left.
    pub(super) fn read(
        options: &TriggerSyncOptions,
        mount: &MountRoot,
    ) -> Result<Self, TriggerSyncError> {
        let mut request = Self::default();
        for path in &options.paths {
            if path.as_os_str() == "-" {
                request.take_list(&stdin()?, &Name::from("standard input"), options, mount)?;
            } else {
                request.take_path(path.as_os_str(), options, mount)?;
            }
        }
        request.gfids.extend(&options.gfids);
        for file in &options.lists {
            let shown = Name::from(file.as_os_str().as_encoded_bytes());
            let text = if file.as_os_str() == "-" {
                stdin()?
            } else {
                fs::read(file)
                    .map_err(|source| TriggerSyncError::List { path: shown.clone(), source })?
            };
            request.take_list(&text, &shown, options, mount)?;
        }
        if request.is_empty() && !request.documented {
            return Err(TriggerSyncError::Nothing);
        }
        Ok(request)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.gfids.is_empty()
    }

    /// A document of findings, or a list of paths and gfids, one a line (`-0`: ended by NUL).
    fn take_list(
        &mut self,
        text: &[u8],
        from: &Name,
        options: &TriggerSyncOptions,
        mount: &MountRoot,
    ) -> Result<(), TriggerSyncError> {
        if text.trim_ascii_start().starts_with(b"{") && !options.null {
            let gfids = gfids_of_document(text);
            let gfids = gfids
                .map_err(|source| TriggerSyncError::Document { path: from.clone(), source })?;
            self.gfids.extend(gfids);
            self.documented = true;
            return Ok(());
        }
        let end = if options.null { 0 } else { b'\n' };
        for line in text.split(|&byte| byte == end).filter(|line| !line.is_empty()) {
            let gfid = std::str::from_utf8(line).ok().and_then(|text| text.parse::<Gfid>().ok());
            match gfid {
                Some(gfid) => self.gfids.push(gfid),
                None => self.take_path(OsStr::from_bytes(line), options, mount)?,
            }
        }
        Ok(())
    }

    fn take_path(
        &mut self,
        path: &OsStr,
        options: &TriggerSyncOptions,
        mount: &MountRoot,
    ) -> Result<(), TriggerSyncError> {
        let shown = Name::from(path.as_bytes());
        let below = below_mount(Path::new(path), &[mount.path(), &options.mount]);
        let Some(below) = below else {
            return Err(TriggerSyncError::Outside { path: shown, mount: mount.name() });
        };
        let first = below.as_bytes().split(|&byte| byte == b'/').next();
        if matches!(first, Some(b".gfid" | b".meta")) {
            return Err(TriggerSyncError::Virtual { path: shown });
        }
        self.paths.push(below);
        Ok(())
    }
}

fn stdin() -> Result<Vec<u8>, TriggerSyncError> {
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    read.map_err(|source| TriggerSyncError::List { path: Name::from("standard input"), source })?;
    Ok(text)
}

/// A path relative to the mount, without empty parts; `.` for the mount itself. `None` if it leads
/// out of the mount; symlinks are not followed.
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
