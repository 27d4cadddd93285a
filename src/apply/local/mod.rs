//! Executes actions on this machine.

mod canary;
mod changelog_index;
mod directory_marks;
mod empty_secondary;
mod gluster;
mod mount;
mod trigger;
mod wait;

pub(in crate::apply) use wait::lock_within;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, RenameFlags, StatxFlags};

use super::executor::{Batch, Executor, ExecutorError};
use crate::plan::{Action, Bulk, Guard, Hex, Identity, Item, NodePath, Object, State};
use crate::scan::cluster::Tools;
use canary::Canary;

/// Mount points, locks and notes: a reboot may remove them, as it ends what they belong to.
const RUN: &str = "/run/georepair";

/// The largest file whose content goes into a journal, in bytes.
const LARGEST_FILE: u64 = 64 << 10;

/// This machine.
#[derive(Debug)]
pub struct LocalExecutor {
    tools: Tools,
    sessions: gluster::Sessions,
}

impl LocalExecutor {
    /// An executor for this machine.
    #[must_use]
    pub fn new(tools: Tools) -> Self {
        Self { tools, sessions: gluster::Sessions::default() }
    }
}

impl Executor for LocalExecutor {
    fn observe(&mut self, object: &Object) -> Result<State, ExecutorError> {
        match object {
            Object::Xattr { at, name } => observe_xattr(at, name),
            Object::File { at } => observe_file(at),
            Object::Movable { at, aside, identity } => {
                let is_it = |found: Option<Identity>| found.as_ref() == Some(identity);
                Ok(match (is_it(identity_of(at)?), is_it(identity_of(aside)?)) {
                    (true, _) => State::InPlace,
                    (false, true) => State::Aside,
                    (false, false) => State::Absent,
                })
            }
            Object::Kept { at, identity } => {
                let there = identity_of(at)?.as_ref() == Some(identity);
                Ok(if there { State::InPlace } else { State::Spent })
            }
            Object::VolumeOption { .. }
            | Object::Session { .. }
            | Object::SessionRecord { .. }
            | Object::SessionConfig { .. } => {
                gluster::observe(&self.tools, &mut self.sessions, object)
            }
            Object::Workers { primary, secondary } => {
                let alive = gluster::alive(primary, secondary)?;
                Ok(if alive.is_empty() { State::Absent } else { State::Started })
            }
            Object::Canary { token, .. } => {
                Ok(if canary::has_arrived(token) { State::Arrived } else { State::Absent })
            }
            Object::DirectoryMarks { at, name } => {
                let any = directory_marks::any_left(at.path(), name)?;
                Ok(if any { State::InPlace } else { State::Spent })
            }
            Object::HistoryIndex { at, .. } => {
                let there = identity_of(at)?.is_some();
                Ok(if there { State::InPlace } else { State::Absent })
            }
            Object::BrickProcess { volume, brick } => {
                let pid = gluster::brick_process(&self.tools, volume, brick)?;
                Ok(if pid.is_some() { State::Started } else { State::Stopped })
            }
            Object::Unhealed { volume } => {
                // A brick that has just started does not answer yet.
                let owed = gluster::unhealed(&self.tools, volume);
                Ok(if let Ok(0) = owed { State::Absent } else { State::InPlace })
            }
            Object::Leftovers { secondary, .. } => {
                let empty = empty_secondary::is_empty(&self.tools, &gluster::url(secondary)?)?;
                Ok(if empty { State::Spent } else { State::InPlace })
            }
        }
    }

    fn check(&mut self, guard: &Guard) -> Result<Option<String>, ExecutorError> {
        match guard {
            Guard::Unchanged { object, was } => match self.observe(object) {
                Ok(now) => Ok((now != *was).then(|| format!("{object} is {now}"))),
                Err(ExecutorError::System { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    Ok(Some(format!("{object}: its path does not exist")))
                }
                Err(error) => Err(error),
            },
            Guard::SameBrick { at, volume, identity } => {
                Ok(other_brick(at, volume.as_bytes(), identity)?)
            }
            Guard::Mounted { at, volume } => not_mounted(at, volume),
            Guard::FreeSpace { at, bytes } => {
                let stat = rustix::fs::statvfs(at.path());
                let stat =
                    stat.map_err(|error| ExecutorError::system("look at", at, error.into()))?;
                let free = stat.f_bavail.saturating_mul(stat.f_frsize);
                Ok((free < *bytes).then(|| format!("{free} bytes are free at {at}")))
            }
            Guard::SameVolume { volume, id } => gluster::other_volume(&self.tools, volume, *id),
            Guard::SessionStopped { primary, secondary } => {
                gluster::not_stopped(&self.tools, &mut self.sessions, primary, secondary)
            }
        }
    }

    fn perform(&mut self, action: &Action) -> Result<(), ExecutorError> {
        let Action { object, wanted } = action;
        match (object, wanted) {
            (Object::Xattr { at, name }, State::Value { .. } | State::Absent) => {
                change_xattr(at, name, wanted)?;
                sync(at.path()).map_err(|error| ExecutorError::system("sync", at, error))
            }
            (Object::File { at }, State::Content { .. }) => write_file(at, wanted),
            (Object::File { at }, State::Absent) => remove_file(at),
            (Object::Movable { at, aside, .. }, State::Aside) => move_to(at, aside),
            (Object::Movable { at, aside, .. }, State::InPlace) => move_to(aside, at),
            (Object::Kept { at, .. }, State::Spent) => delete(at),
            (
                Object::VolumeOption { .. }
                | Object::Session { .. }
                | Object::SessionRecord { .. }
                | Object::SessionConfig { .. },
                _,
            ) => gluster::perform(&self.tools, &mut self.sessions, object, wanted),
            (Object::Workers { primary, secondary }, State::Absent) => {
                gluster::wait_until_gone(primary, secondary)
            }
            (Object::Canary { primary, secondary, token, files, rollover }, State::Arrived) => {
                let (files, rollover) = (*files, *rollover);
                let secondary = &gluster::url(secondary)?;
                // It restarts the session if nothing arrives.
                self.sessions.forget();
                Canary { tools: &self.tools, primary, secondary, token, files, rollover }.run()
            }
            (Object::DirectoryMarks { at, name }, State::Spent) => {
                directory_marks::remove(at.path(), name)
            }
            (Object::HistoryIndex { brick, at }, State::InPlace) => {
                changelog_index::rebuild(brick.path(), at.path())
            }
            (Object::HistoryIndex { at, .. }, State::Absent) => changelog_index::remove(at.path()),
            (Object::BrickProcess { volume, brick }, State::Stopped) => {
                gluster::stop_brick(&self.tools, volume, brick)
            }
            (Object::BrickProcess { volume, brick }, State::Started) => {
                gluster::start_brick(&self.tools, volume, brick)
            }
            (Object::Unhealed { volume }, State::Absent) => {
                gluster::wait_healed(&self.tools, volume)
            }
            (Object::Leftovers { secondary, keep }, State::Spent) => {
                empty_secondary::clear(&self.tools, &gluster::url(secondary)?, keep.as_deref())
            }
            _ => Err(ExecutorError::Unfit(format!("cannot set {object} to {wanted}"))),
        }
    }

    /// Xattrs are synced once per file system at the end, not one by one: a list may have millions.
    fn perform_each(&mut self, actions: &[Action]) -> Result<(), ExecutorError> {
        let mut unsynced: BTreeMap<u64, &NodePath> = BTreeMap::new();
        for action in actions {
            match &action.object {
                Object::Xattr { at, name } => {
                    change_xattr(at, name, &action.wanted)?;
                    let meta = fs::symlink_metadata(at.path());
                    unsynced.insert(
                        meta.map_err(|error| ExecutorError::system("look at", at, error))?.dev(),
                        at,
                    );
                }
                _ => self.perform(action)?,
            }
        }
        unsynced.values().try_for_each(|at| {
            let folder = at.path().parent().unwrap_or(Path::new("/"));
            let synced = File::open(folder).and_then(|dir| Ok(rustix::fs::syncfs(dir)?));
            synced.map_err(|error| ExecutorError::system("sync the file system of", at, error))
        })
    }

    fn must_wait(&mut self, bulk: &Bulk) -> Result<Option<String>, ExecutorError> {
        match bulk {
            Bulk::TriggerSync { pace, .. } => trigger::must_wait(pace),
            Bulk::Changes => Ok(None),
        }
    }

    fn perform_batch(&mut self, bulk: &Bulk, items: &[Item]) -> Result<Batch, ExecutorError> {
        match bulk {
            Bulk::TriggerSync { mount, pace } => trigger::perform_batch(mount, pace, items),
            Bulk::Changes => {
                Err(ExecutorError::Unfit("a list of changes is not executed as a batch".to_owned()))
            }
        }
    }
}

/// The identity of the file or directory at a path; `None` if there is none. Never follows a symlink.
///
/// # Errors
/// [`ExecutorError::System`] if it cannot be seen.
pub fn identity_of(at: &NodePath) -> Result<Option<Identity>, ExecutorError> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME;
    match rustix::fs::statx(CWD, at.path(), AtFlags::SYMLINK_NOFOLLOW, wanted) {
        Ok(stat) => {
            let has_birth = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
            let (secs, nanos) = (stat.stx_btime.tv_sec, i64::from(stat.stx_btime.tv_nsec));
            let born = has_birth.then(|| secs.saturating_mul(1_000_000_000).saturating_add(nanos));
            Ok(Some(Identity { inode: stat.stx_ino, born }))
        }
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
        Err(error) => Err(ExecutorError::system("look at", at, error.into())),
    }
}

fn observe_xattr(at: &NodePath, name: &str) -> Result<State, ExecutorError> {
    match xattr::get(at.path(), name) {
        Ok(Some(value)) => Ok(State::value(&value)),
        Ok(None) => Ok(State::Absent),
        Err(error) => Err(ExecutorError::system(&format!("read xattr {name} of"), at, error)),
    }
}

#[expect(clippy::disallowed_methods, reason = "a journalled step changes this xattr")]
fn change_xattr(at: &NodePath, name: &str, to: &State) -> Result<(), ExecutorError> {
    let (verb, changed) = match to {
        State::Value { hex } => ("set", xattr::set(at.path(), name, &hex.0)),
        State::Absent => ("remove", xattr::remove(at.path(), name)),
        _ => return Err(ExecutorError::Unfit(format!("cannot set xattr {name} of {at} to {to}"))),
    };
    changed.map_err(|error| ExecutorError::system(&format!("{verb} xattr {name} of"), at, error))
}

/// Syncs a file or directory. A symlink or a pipe cannot be opened for that; its file system
/// writes it in time.
fn sync(path: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_file() || kind.is_dir() { File::open(path)?.sync_all() } else { Ok(()) }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    sync(path.parent().unwrap_or(Path::new("/")))
}

fn observe_file(at: &NodePath) -> Result<State, ExecutorError> {
    let failed = |error| ExecutorError::system("read", at, error);
    let meta = match fs::symlink_metadata(at.path()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Absent),
        other => other.map_err(failed)?,
    };
    if !meta.is_file() || meta.len() > LARGEST_FILE {
        let why = "is not a regular file of at most 64 KiB; move it aside instead";
        return Err(ExecutorError::Unfit(format!("{at} {why}")));
    }
    let hex = Hex(fs::read(at.path()).map_err(failed)?);
    let mode = meta.permissions().mode() & 0o7777;
    Ok(State::Content { hex, mode, uid: meta.uid(), gid: meta.gid() })
}

/// Writes the new file beside the old one, syncs it, and puts it over the old one's name.
#[expect(clippy::disallowed_methods, reason = "the journal holds what the file was")]
fn write_file(at: &NodePath, content: &State) -> Result<(), ExecutorError> {
    let State::Content { hex, mode, uid, gid } = content else {
        return Err(ExecutorError::Unfit(format!("cannot write {at} as {content}")));
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
        keep_xattrs(path, &new)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        sync_parent(path)
    };
    write().map_err(|error| ExecutorError::system("write", at, error))
}

/// Copies the xattrs of the old file, if there is one, to the new file.
#[expect(clippy::disallowed_methods, reason = "the new file has no user yet")]
fn keep_xattrs(old: &Path, new: &Path) -> io::Result<()> {
    let names = match xattr::list(old) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for name in names {
        if let Some(value) = xattr::get(old, &name)?
            && xattr::get(new, &name)?.as_ref() != Some(&value)
        {
            xattr::set(new, &name, &value)?;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the journal holds what the file was")]
fn remove_file(at: &NodePath) -> Result<(), ExecutorError> {
    let removed = fs::remove_file(at.path()).and_then(|()| sync_parent(at.path()));
    removed.map_err(|error| ExecutorError::system("remove", at, error))
}

/// Renames within a file system; what exists at the new path is exchanged with it.
fn move_to(from: &NodePath, to: &NodePath) -> Result<(), ExecutorError> {
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
    rename().map_err(|error| ExecutorError::system(&format!("move {from} to"), to, error))
}

#[expect(clippy::disallowed_methods, reason = "runs prune is the only forgetting")]
fn delete(at: &NodePath) -> Result<(), ExecutorError> {
    let path = at.path();
    let delete = || {
        if fs::symlink_metadata(path)?.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
        sync_parent(path)
    };
    delete().map_err(|error| ExecutorError::system("delete", at, error))
}

fn other_brick(
    at: &NodePath,
    volume: &[u8],
    identity: &Identity,
) -> Result<Option<String>, ExecutorError> {
    let Some(found) = identity_of(at)? else {
        return Ok(Some(format!("{at} does not exist")));
    };
    let id = observe_xattr(at, "trusted.glusterfs.volume-id")?;
    if id != State::value(volume) {
        return Ok(Some(format!("{at} has the volume id {id}")));
    }
    Ok((found != *identity)
        .then(|| format!("{at} is another directory now (restored from a backup?)")))
}

/// Reads `/proc/self/mountinfo` (proc(5)): the last mount at a path is the visible one.
fn not_mounted(at: &NodePath, volume: &str) -> Result<Option<String>, ExecutorError> {
    let table = Path::new("/proc/self/mountinfo");
    let text = fs::read(table).map_err(|error| ExecutorError::system("read", table, error))?;
    let mount = text.split(|byte| *byte == b'\n').rev().find_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let point = unescaped(fields.nth(4)?);
        let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
        let (kind, source) = (rest.next()?, unescaped(rest.next()?));
        (point == at.name().as_bytes()).then(|| (kind.to_vec(), source))
    });
    Ok(match mount {
        None => Some(format!("{at} is not a mount point")),
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
        let escaped = octal.filter(|_| first == b'\\');
        bytes.push(escaped.unwrap_or(first));
        rest = escaped.and_then(|_| after.get(3..)).unwrap_or(after);
    }
    bytes
}
