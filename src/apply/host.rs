//! The world on this machine.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, RenameFlags, StatxFlags};

use super::trigger;
use super::world::{Batch, World, WorldError};
use crate::plan::{Action, Bulk, Guard, Hex, Identity, Item, Object, Place, State};

/// What a journal takes of one file.
const LARGEST: u64 = 64 << 10;

/// What this machine's world needs to know.
#[derive(Clone, Debug)]
pub struct HostSetup {
    /// The gluster command.
    pub gluster: PathBuf,
}

/// This machine.
#[derive(Debug)]
pub struct Host {
    setup: HostSetup,
}

impl Host {
    /// This machine as its world.
    #[must_use]
    pub fn new(setup: HostSetup) -> Self {
        Self { setup }
    }
}

impl World for Host {
    fn observe(&mut self, object: &Object) -> Result<State, WorldError> {
        match object {
            Object::Xattr { at, name } => observe_xattr(at, name),
            Object::File { at } => observe_file(at),
            Object::Movable { at, aside, identity } => {
                let here = |place: &Place| Ok(identity_of(place)?.as_ref() == Some(identity));
                Ok(match (here(at)?, here(aside)?) {
                    (true, _) => State::InPlace,
                    (false, true) => State::Aside,
                    (false, false) => State::Absent,
                })
            }
            Object::Kept { at, identity } => {
                let there = identity_of(at)?.as_ref() == Some(identity);
                Ok(if there { State::InPlace } else { State::Spent })
            }
            Object::VolumeOption { .. } | Object::Session { .. } | Object::SessionConfig { .. } => {
                Err(self.needs_gluster(&object.to_string()))
            }
            Object::Bulk { .. } => {
                Err(WorldError::Unfit("a bulk is looked at batch by batch".to_owned()))
            }
        }
    }

    fn misfit(&mut self, guard: &Guard) -> Result<Option<String>, WorldError> {
        match guard {
            Guard::Unchanged { object, was } => match self.observe(object) {
                Ok(now) => Ok((now != *was).then(|| format!("{object} is {now}"))),
                Err(WorldError::System { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    Ok(Some(format!("{object}: there is nothing at its path")))
                }
                Err(error) => Err(error),
            },
            Guard::SameBrick { at, volume, identity } => {
                Ok(other_brick(at, volume.as_bytes(), identity)?)
            }
            Guard::Mounted { at, volume } => not_mounted(at, volume),
            Guard::FreeSpace { at, bytes } => {
                let stat = rustix::fs::statvfs(at.path());
                let stat = stat.map_err(|error| system("look at", at, error.into()))?;
                let free = stat.f_bavail.saturating_mul(stat.f_frsize);
                Ok((free < *bytes).then(|| format!("{free} bytes are free at {at}")))
            }
            Guard::SameVolume { .. } | Guard::SessionStopped { .. } => {
                Err(self.needs_gluster(&guard.to_string()))
            }
        }
    }

    fn perform(&mut self, action: &Action) -> Result<(), WorldError> {
        let Action { object, shall_be } = action;
        match (object, shall_be) {
            (Object::Xattr { at, name }, State::Value { hex }) => set_xattr(at, name, &hex.0),
            (Object::Xattr { at, name }, State::Absent) => remove_xattr(at, name),
            (Object::File { at }, State::Content { .. }) => write_file(at, shall_be),
            (Object::File { at }, State::Absent) => remove_file(at),
            (Object::Movable { at, aside, .. }, State::Aside) => move_to(at, aside),
            (Object::Movable { at, aside, .. }, State::InPlace) => move_to(aside, at),
            (Object::Kept { at, .. }, State::Spent) => forget(at),
            (
                Object::VolumeOption { .. } | Object::Session { .. } | Object::SessionConfig { .. },
                _,
            ) => Err(self.needs_gluster(&action.says())),
            _ => Err(WorldError::Unfit(format!("{object} cannot be made {shall_be}"))),
        }
    }

    fn perform_batch(&mut self, bulk: &Bulk, items: &[Item]) -> Result<Batch, WorldError> {
        match bulk {
            Bulk::TriggerSync { mount } => trigger::perform_batch(mount, items),
            Bulk::Changes => Err(WorldError::Unfit("changes are made one by one".to_owned())),
        }
    }
}

impl Host {
    fn needs_gluster(&self, what: &str) -> WorldError {
        let gluster = self.setup.gluster.display();
        WorldError::Unfit(format!("{what}: {gluster} is not driven from here yet"))
    }
}

fn system(verb: &str, at: &Place, source: io::Error) -> WorldError {
    WorldError::System { doing: format!("{verb} {at}"), source }
}

/// Which file or directory stands at a place; nothing where none does. Never follows a symlink.
///
/// # Errors
/// [`WorldError::System`] where it cannot be seen.
pub fn identity_of(at: &Place) -> Result<Option<Identity>, WorldError> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME;
    match rustix::fs::statx(CWD, at.path(), AtFlags::SYMLINK_NOFOLLOW, wanted) {
        Ok(stat) => {
            let told = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
            let (secs, nanos) = (stat.stx_btime.tv_sec, i64::from(stat.stx_btime.tv_nsec));
            let born = told.then(|| secs.saturating_mul(1_000_000_000).saturating_add(nanos));
            Ok(Some(Identity { inode: stat.stx_ino, born }))
        }
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
        Err(error) => Err(system("look at", at, error.into())),
    }
}

fn observe_xattr(at: &Place, name: &str) -> Result<State, WorldError> {
    match xattr::get(at.path(), name) {
        Ok(Some(value)) => Ok(State::value(&value)),
        Ok(None) => Ok(State::Absent),
        Err(error) => Err(system(&format!("read xattr {name} of"), at, error)),
    }
}

#[expect(clippy::disallowed_methods, reason = "a journalled step sets this xattr")]
fn set_xattr(at: &Place, name: &str, value: &[u8]) -> Result<(), WorldError> {
    let set = xattr::set(at.path(), name, value);
    set.and_then(|()| sync(at.path()))
        .map_err(|error| system(&format!("set xattr {name} of"), at, error))
}

#[expect(clippy::disallowed_methods, reason = "a journalled step removes this xattr")]
fn remove_xattr(at: &Place, name: &str) -> Result<(), WorldError> {
    let removed = xattr::remove(at.path(), name);
    removed
        .and_then(|()| sync(at.path()))
        .map_err(|error| system(&format!("remove xattr {name} of"), at, error))
}

/// Syncs a file or directory; what cannot be opened for that, a symlink or a pipe, is left to
/// its file system.
fn sync(path: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_file() || kind.is_dir() { File::open(path)?.sync_all() } else { Ok(()) }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    sync(path.parent().unwrap_or(Path::new("/")))
}

fn observe_file(at: &Place) -> Result<State, WorldError> {
    let failed = |error| system("read", at, error);
    let meta = match fs::symlink_metadata(at.path()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Absent),
        other => other.map_err(failed)?,
    };
    if !meta.is_file() || meta.len() > LARGEST {
        let why = "is no file that a journal can hold: move it aside instead";
        return Err(WorldError::Unfit(format!("{at} {why}")));
    }
    let hex = Hex(fs::read(at.path()).map_err(failed)?);
    let mode = meta.permissions().mode() & 0o7777;
    Ok(State::Content { hex, mode, uid: meta.uid(), gid: meta.gid() })
}

/// Writes the new file beside the old one, syncs it, and puts it over the old one's name.
#[expect(clippy::disallowed_methods, reason = "the journal holds what the file was")]
fn write_file(at: &Place, content: &State) -> Result<(), WorldError> {
    let State::Content { hex, mode, uid, gid } = content else {
        return Err(WorldError::Unfit(format!("{at} cannot be written as {content}")));
    };
    let path = at.path();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".georepair-new");
    let new = path.with_file_name(name);
    let write = || {
        let no_link = rustix::fs::OFlags::NOFOLLOW.bits();
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.custom_flags(no_link.cast_signed()).open(&new)?;
        file.write_all(&hex.0)?;
        std::os::unix::fs::fchown(&file, Some(*uid), Some(*gid))?;
        file.set_permissions(fs::Permissions::from_mode(*mode))?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        sync_parent(path)
    };
    write().map_err(|error| system("write", at, error))
}

#[expect(clippy::disallowed_methods, reason = "the journal holds what the file was")]
fn remove_file(at: &Place) -> Result<(), WorldError> {
    let removed = fs::remove_file(at.path()).and_then(|()| sync_parent(at.path()));
    removed.map_err(|error| system("remove", at, error))
}

/// Renames within a file system; what stands at the new place is exchanged with it.
fn move_to(from: &Place, to: &Place) -> Result<(), WorldError> {
    let rename = || -> io::Result<()> {
        if let Some(parent) = to.path().parent() {
            fs::create_dir_all(parent)?;
        }
        let (old, new) = (from.path(), to.path());
        match rustix::fs::renameat_with(CWD, old, CWD, new, RenameFlags::NOREPLACE) {
            Err(rustix::io::Errno::EXIST) => {
                rustix::fs::renameat_with(CWD, old, CWD, new, RenameFlags::EXCHANGE)?;
            }
            other => other?,
        }
        sync_parent(new)?;
        sync_parent(old)
    };
    rename().map_err(|error| system(&format!("move {from} to"), to, error))
}

#[expect(clippy::disallowed_methods, reason = "runs prune is the only forgetting")]
fn forget(at: &Place) -> Result<(), WorldError> {
    let path = at.path();
    let forget = || {
        if fs::symlink_metadata(path)?.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
        sync_parent(path)
    };
    forget().map_err(|error| system("delete", at, error))
}

fn other_brick(
    at: &Place,
    volume: &[u8],
    identity: &Identity,
) -> Result<Option<String>, WorldError> {
    let Some(found) = identity_of(at)? else {
        return Ok(Some(format!("there is nothing at {at}")));
    };
    let id = observe_xattr(at, "trusted.glusterfs.volume-id")?;
    if id != State::value(volume) {
        return Ok(Some(format!("{at} has the volume id {id}")));
    }
    Ok((found != *identity).then(|| format!("another directory stands at {at} (restored?)")))
}

/// Reads `/proc/self/mountinfo` (proc(5)): the last mount at a place is the one that shows.
fn not_mounted(at: &Place, volume: &str) -> Result<Option<String>, WorldError> {
    let table = Path::new("/proc/self/mountinfo");
    let text = fs::read(table).map_err(|error| system("read", &table.into(), error))?;
    let mount = text.split(|byte| *byte == b'\n').rev().find_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let point = unescaped(fields.nth(4)?);
        let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
        let (kind, source) = (rest.next()?, unescaped(rest.next()?));
        (point == at.name().as_bytes()).then(|| (kind.to_vec(), source))
    });
    Ok(match mount {
        None => Some(format!("{at} is no mount point")),
        Some((kind, source)) => {
            let source = String::from_utf8_lossy(&source).into_owned();
            let named = source.rsplit(':').next().unwrap_or_default().trim_start_matches('/');
            let same = kind == b"fuse.glusterfs" && named == volume;
            (!same).then(|| format!("{at} is a mount of {source}"))
        }
    })
}

/// A field of mountinfo without its octal escapes (`\040`).
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let octal = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal.filter(|_| first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}
