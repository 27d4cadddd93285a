//! Empties the secondary volume through a mount; optionally copies everything into a quarantine first.
//!
//! What is kept is copied, not renamed: a renamed file keeps its gfid, and gsyncd would write the
//! new data into the file in the quarantine. A copy has a gfid of its own. It is made and compared,
//! byte by byte, before anything is deleted; resuming does what was left to do. If georepair is killed,
//! `cp` runs on: a lock keeps everything else waiting until it has ended.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::RUN;
use super::mount::{Client, Mount};
use super::wait::lock_within;
use crate::apply::executor::ExecutorError;
use crate::domain::{QUARANTINE, SecondaryUrl};
use crate::scan::cluster::{Host, Tools};

/// What belongs to the volume, not to its users; its own anonymous inodes cannot be deleted.
const INTERNAL: [&[u8]; 3] = [b".trashcan", b".shard", b".glusterfs-anonymous-inode-"];
/// How long to wait for a copy that was started before.
const PATIENCE: Duration = Duration::from_mins(2);
/// How many bytes of names one `cp` takes; the system's limit is two million.
const LONGEST_LINE: usize = 1 << 20;

/// Whether a secondary has no user data outside quarantines.
pub(super) fn is_empty(tools: &Tools, secondary: &SecondaryUrl) -> Result<bool, ExecutorError> {
    let mount = mount(tools, secondary, Client::Gsyncd)?;
    Ok(user_data(mount.path())?.is_empty())
}

/// Empties it; `keep` names the directory at its root for the copies.
pub(super) fn clear(
    tools: &Tools,
    secondary: &SecondaryUrl,
    keep: Option<&str>,
) -> Result<(), ExecutorError> {
    let writable = mount(tools, secondary, Client::Gsyncd)?;
    if let Some(name) = keep {
        let named = name.as_bytes();
        if !named.starts_with(QUARANTINE.as_bytes()) || named.contains(&b'/') {
            return Err(ExecutorError::Unfit(format!("invalid name of a quarantine: {name:?}")));
        }
        let lock = lock_quarantine(Path::new(RUN), name, PATIENCE)?;
        // As its users see it: as gsyncd, the internal xattrs would be copied too.
        let readable = mount(tools, secondary, Client::Ordinary)?;
        let to = writable.join(name);
        // A copy that was started already uses some of the space.
        if !to.exists() {
            check_free_space(readable.path())?;
        }
        copy_and_verify(tools, readable.path(), &to, &lock)?;
    }
    for name in user_data(writable.path())? {
        let path = writable.join(name);
        delete(&path).map_err(|error| ExecutorError::system("delete", &path, error))?;
    }
    Ok(())
}

fn mount<'a>(
    tools: &'a Tools,
    secondary: &SecondaryUrl,
    client: Client,
) -> Result<Mount<'a>, ExecutorError> {
    Mount::of(tools, &secondary.host, &secondary.volume, client)
}

/// The names of user data at a volume's root.
fn user_data(root: &Path) -> Result<Vec<OsString>, ExecutorError> {
    let read = || -> io::Result<Vec<OsString>> {
        let names: io::Result<Vec<_>> =
            fs::read_dir(root)?.map(|entry| Ok(entry?.file_name())).collect();
        let mut names: Vec<_> = names?.into_iter().filter(|name| !stays(name)).collect();
        names.sort_unstable();
        Ok(names)
    };
    read().map_err(|error| ExecutorError::system("read", root, error))
}

fn stays(name: &OsString) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(QUARANTINE.as_bytes()) || INTERNAL.iter().any(|it| name.starts_with(it))
}

/// Copies everything into a new directory and verifies the copy.
///
/// `cp` inherits the lock and holds it until it ends, even if georepair ends before.
fn copy_and_verify(
    tools: &Tools,
    from: &Path,
    to: &Path,
    lock: &File,
) -> Result<(), ExecutorError> {
    let names = user_data(from)?;
    if names.is_empty() {
        return Ok(());
    }
    match fs::create_dir(to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(ExecutorError::system("make", to, error));
        }
        _ => {}
    }
    for names in command_lines(&names) {
        let mut argv: Vec<OsString> = ["cp", "-a", "--"].map(OsString::from).into();
        argv.extend(names.iter().map(|name| from.join(name).into_os_string()));
        argv.push(to.into());
        let lock = lock.try_clone().map_err(|error| ExecutorError::system("lock", to, error))?;
        tools.checked_with(lock, &Host::Here, &argv)?;
    }
    for name in &names {
        let (here, copy) = (from.join(name), to.join(name));
        if let Some(odd) =
            differs(&here, &copy).map_err(|error| ExecutorError::system("compare", &copy, error))?
        {
            let what = "differs from its original; nothing was deleted";
            return Err(ExecutorError::Unfit(format!("{} {what}", odd.display())));
        }
    }
    Ok(())
}

/// Locks a quarantine, so that no other process on this machine copies into it.
fn lock_quarantine(folder: &Path, name: &str, patience: Duration) -> Result<File, ExecutorError> {
    let path = folder.join(format!("copies-{name}"));
    let open = || {
        fs::create_dir_all(folder)?;
        let file = File::options().write(true).create(true).truncate(false).open(&path)?;
        Ok(lock_within(&file, patience)?.then_some(file))
    };
    let file = open().map_err(|error| ExecutorError::system("lock", &path, error))?;
    file.ok_or_else(|| {
        let why = "an earlier copy into it is still running on this node (pgrep -af 'cp -a')";
        ExecutorError::Unfit(format!("{name}: {why}; resume when it has ended"))
    })
}

/// Splits names into what one command line takes.
fn command_lines(names: &[OsString]) -> Vec<&[OsString]> {
    let (mut lines, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (index, name) in names.iter().enumerate() {
        bytes += name.len() + 64;
        if bytes > LONGEST_LINE && index > begin {
            lines.extend(names.get(begin..index));
            (begin, bytes) = (index, name.len() + 64);
        }
    }
    lines.extend(names.get(begin..));
    lines
}

fn check_free_space(volume: &Path) -> Result<(), ExecutorError> {
    let stat = rustix::fs::statvfs(volume)
        .map_err(|it| ExecutorError::system("look at", volume, it.into()))?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(stat.f_frsize);
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free > used {
        return Ok(());
    }
    let why = format!("a copy of the secondary's {used} bytes does not fit: {free} bytes are free");
    Err(ExecutorError::Unfit(format!("{why}; --purge-secondary deletes without a copy")))
}

/// The first path below `here` whose copy differs; the copy may have more.
fn differs(here: &Path, copy: &Path) -> io::Result<Option<PathBuf>> {
    let odd = || Ok(Some(copy.to_owned()));
    let (one, other) = (fs::symlink_metadata(here)?, fs::symlink_metadata(copy));
    let other = match other {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return odd(),
        other => other?,
    };
    let facts = |it: &fs::Metadata| (it.mode(), it.uid(), it.gid());
    let kind = one.file_type();
    if facts(&one) != facts(&other) {
        return odd();
    }
    if kind.is_symlink() {
        return if fs::read_link(here)? == fs::read_link(copy)? { Ok(None) } else { odd() };
    }
    if kind.is_block_device() || kind.is_char_device() {
        return if one.rdev() == other.rdev() { Ok(None) } else { odd() };
    }
    if kind.is_file() {
        return if same_content(here, copy)? { Ok(None) } else { odd() };
    }
    if kind.is_dir() {
        for entry in fs::read_dir(here)? {
            let name = entry?.file_name();
            if let Some(odd) = differs(&here.join(&name), &copy.join(&name))? {
                return Ok(Some(odd));
            }
        }
    }
    Ok(None)
}

fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut ours, mut theirs) = (vec![0; 1 << 17], vec![0; 1 << 17]);
    loop {
        let read = one.read(&mut ours)?;
        let (Some(ours), Some(theirs)) = (ours.get(..read), theirs.get_mut(..read)) else {
            return Ok(false);
        };
        if read == 0 {
            return Ok(other.read(&mut [0])? == 0);
        }
        match other.read_exact(theirs) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        if ours != theirs {
            return Ok(false);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "copied and compared before, or asked for by name")]
fn delete(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    fn write(path: &Path, text: &[u8]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        io::Write::write_all(&mut File::create(path).unwrap(), text).unwrap();
    }

    #[test]
    fn everything_is_copied_and_what_belongs_to_the_volume_stays() {
        let (volume, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (from, to) = (volume.path(), kept.path().join(".georepair-quarantine-x"));
        write(&from.join("a/b c/one"), b"1");
        write(&from.join("-rf"), b"2");
        fs::hard_link(from.join("-rf"), from.join("a/link")).unwrap();
        symlink("nowhere", from.join("a/sym")).unwrap();
        write(&from.join(".trashcan/x"), b"3");
        write(&from.join(".georepair-quarantine-old/x"), b"4");
        let tools = Tools::new(Path::new("gluster"), "ssh").unwrap();
        for _ in 0..2 {
            let lock = lock_quarantine(kept.path(), "x", Duration::ZERO).unwrap();
            copy_and_verify(&tools, from, &to, &lock).unwrap();
            assert_eq!(user_data(from).unwrap(), ["-rf", "a"]);
            assert_eq!(fs::read(to.join("a/b c/one")).unwrap(), b"1");
            assert_eq!(fs::metadata(to.join("a/link")).unwrap().nlink(), 2);
            assert_eq!(fs::read_link(to.join("a/sym")).unwrap(), Path::new("nowhere"));
            assert!(!to.join(".trashcan").exists());
        }
        assert_eq!(differs(&from.join("a"), &to.join("a")).unwrap(), None);
        write(&to.join("a/b c/one"), b"9");
        assert_eq!(differs(&from.join("a"), &to.join("a")).unwrap(), Some(to.join("a/b c/one")));
        delete(&from.join("a")).unwrap();
        assert_eq!(user_data(from).unwrap(), ["-rf"]);
    }

    #[test]
    fn a_copy_that_outlives_who_began_it_is_lock_quarantine() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::new(Path::new("gluster"), "ssh").unwrap();
        let lock = || lock_quarantine(folder.path(), ".georepair-quarantine-x", Duration::ZERO);
        let copying = |lock| {
            let mut copy = tools.command(&Host::Here, &["sleep", "60"]).unwrap();
            copy.stdin(lock).spawn().unwrap()
        };
        let mut copy = copying(lock().unwrap());
        let refused = lock().unwrap_err().to_string();
        assert!(refused.contains("still running"), "{refused}");
        assert!(lock_quarantine(folder.path(), ".georepair-quarantine-y", Duration::ZERO).is_ok());
        copy.kill().unwrap();
        copy.wait().unwrap();
        assert!(lock().is_ok());
    }

    #[test]
    fn the_copy_itself_holds_the_lock() {
        let (volume, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for n in 0..5000 {
            write(&volume.path().join(format!("{}/{n}", n % 50)), b"1");
        }
        let tools = Tools::new(Path::new("gluster"), "ssh").unwrap();
        let lock = lock_quarantine(kept.path(), "x", Duration::ZERO).unwrap();
        let path = kept.path().join("copies-x");
        let has_it = |process: io::Result<fs::DirEntry>| {
            process.is_ok_and(|it| fs::read_link(it.path().join("fd/0")).is_ok_and(|to| to == path))
        };
        let to = kept.path().join("to");
        let seen = std::thread::scope(|scope| {
            let work = scope.spawn(|| copy_and_verify(&tools, volume.path(), &to, &lock));
            let mut seen = false;
            while !work.is_finished() {
                seen |= fs::read_dir("/proc").unwrap().any(has_it);
            }
            work.join().unwrap().unwrap();
            seen
        });
        assert!(seen);
    }

    #[test]
    fn a_command_line_holds_no_more_than_it_can() {
        let names: Vec<OsString> = (0..9000).map(|n| format!("{n:0200}").into()).collect();
        let lines = command_lines(&names);
        assert!(lines.len() > 1 && lines.concat() == names);
        assert_eq!(command_lines(&names[..2]), [&names[..2]]);
    }
}
