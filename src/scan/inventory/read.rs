//! Reading a brick's objects by their handles: everything stat and a few xattrs tell.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, lgetxattr, openat, readlinkat, statat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};
use xxhash_rust::xxh64::xxh64;

use super::item::{GfidRange, Item, ItemKind, ParentName, Part, Share, Stamp};
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, gfid_at, read_entries};
use crate::scan::meter::Meter;
use crate::scan::resolve::{Claim, handle_of, read_keys};

/// What to read beside what stat tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ReadOptions {
    /// A digest of each file's content, or of one file in so many.
    pub content: Option<u64>,
    /// What the names are, not only digests of them.
    pub places: bool,
}

/// Reads part of a brick, in the order of gfids.
///
/// Memory grows with what the slice holds. What goes away meanwhile is left out.
///
/// # Errors
/// What opening a directory below `.glusterfs` says, but for `ENOENT`: then there is nothing.
pub(super) fn read_slice(
    brick: &BrickRoot,
    slice: GfidRange,
    wish: ReadOptions,
    meter: &Meter,
) -> Result<Part, Errno> {
    let mut part = Part::default();
    let mut buffer = Vec::new();
    for first in slice.first >> 8..=slice.last >> 8 {
        let Some(outer) = open_folder(brick.handles(), format!("{first:02x}").as_bytes())? else {
            continue;
        };
        let mut inner = Vec::new();
        read_entries(outer.as_fd(), &mut buffer, |name, _, _| {
            let second = std::str::from_utf8(name).ok().filter(|name| name.len() == 2);
            if let Some(second) = second.and_then(|name| u16::from_str_radix(name, 16).ok()) {
                inner.push((first << 8) | second);
            }
        })?;
        inner.retain(|two| (slice.first..=slice.last).contains(two));
        inner.sort_unstable();
        for two in inner {
            let name = format!("{:02x}", two & 0xff);
            let Some(folder) = open_folder(outer.as_fd(), name.as_bytes())? else { continue };
            let count = read_folder(brick, &folder, two, wish, &mut part)?;
            meter.entries.fetch_add(count, Ordering::Relaxed);
        }
        meter.folders.fetch_add(1, Ordering::Relaxed);
    }
    Ok(part)
}

/// Opens a directory without changing its time of access; nothing where it is gone.
fn open_folder(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<OwnedFd>, Errno> {
    match openat(dir, name, FOLDER | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::PERM) => openat(dir, name, FOLDER, Mode::empty()).map(Some),
        other => other.map(Some),
    }
}

/// The brick's root, to be listed.
pub(super) fn open_root(brick: &BrickRoot) -> Result<OwnedFd, Errno> {
    open_folder(brick.root().as_fd(), b".")?.ok_or(Errno::NOENT)
}

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn read_folder(
    brick: &BrickRoot,
    folder: &OwnedFd,
    two: u16,
    wish: ReadOptions,
    part: &mut Part,
) -> Result<u64, Errno> {
    let mut found = Vec::new();
    read_entries(folder.as_fd(), &mut Vec::new(), |name, inode, _| {
        if let Some(gfid) = Gfid::from_text(name)
            && gfid.as_bytes().starts_with(&two.to_be_bytes())
        {
            found.push((inode, gfid));
        }
    })?;
    let count = found.len() as u64;
    // Inodes lie side by side on the disk and in its cache.
    found.sort_unstable();
    let before = part.items.len();
    for (_, gfid) in found {
        part.take(read_item(brick, gfid, wish));
    }
    if let Some(new) = part.items.get_mut(before..) {
        new.sort_unstable_by_key(|item| item.gfid);
    }
    Ok(count)
}

impl Part {
    pub(super) fn take(&mut self, read: Result<Seen, Errno>) {
        match read {
            Ok(Seen::Item(item)) => self.items.push(*item),
            Ok(Seen::Nameless) => self.nameless += 1,
            Ok(Seen::Nothing) => {}
            Err(error) => {
                self.unread += 1;
                self.why.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// What stands at a handle.
#[derive(Debug)]
pub(super) enum Seen {
    /// An object with a name.
    Item(Box<Item>),
    /// Something without a name in the namespace.
    Nameless,
    /// Nothing.
    Nothing,
}

/// Reads the object of one gfid.
///
/// # Errors
/// Whatever the system says, but for `ENOENT`.
pub(super) fn read_item(brick: &BrickRoot, gfid: Gfid, wish: ReadOptions) -> Result<Seen, Errno> {
    let handle = handle_of(gfid);
    let read = || {
        let stat = statat(brick.handles(), &*handle, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Ok(Seen::Nameless),
            FileType::Symlink if stat.st_nlink == 1 => read_directory(brick, gfid, &handle),
            _ if stat.st_nlink == 1 => Ok(Seen::Nameless),
            kind => read_object(brick, gfid, &handle, (kind, &stat), wish),
        }
    };
    match read() {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(Seen::Nothing),
        other => other,
    }
}

fn read_directory(brick: &BrickRoot, gfid: Gfid, handle: &[u8]) -> Result<Seen, Errno> {
    let text = readlinkat(brick.handles(), handle, Vec::with_capacity(320))?.into_bytes();
    let (way, places) = if gfid == Gfid::ROOT {
        (b"..".to_vec(), Vec::new())
    } else {
        let Some(claim) = Claim::of_handle(&text) else { return Ok(Seen::Nameless) };
        let way = text.strip_prefix(b"../../").unwrap_or(&text).to_vec();
        (way, vec![ParentName { parent: claim.parent, name: Name::from(claim.name) }])
    };
    let path = brick.handle_path(&way);
    let short = statat(brick.handles(), &*way, AtFlags::SYMLINK_NOFOLLOW)
        .and_then(|stat| Ok((stat, gfid_at(&path)?)));
    let (stat, own, path, _held) = match short {
        Ok((stat, own)) => (stat, own, path, None),
        // More than forty links on the way: the kernel follows no more. By the path it may be
        // sooner than by the handle: links on the way to the brick count as well.
        Err(Errno::LOOP) => match super::deep_path::find(brick, gfid)? {
            Some((stat, held)) => (stat, gfid_at(&held.path)?, held.path.clone(), Some(held)),
            None => return Ok(Seen::Nameless),
        },
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Seen::Nameless),
        Err(error) => return Err(error),
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory || own != Some(gfid) {
        return Ok(Seen::Nameless);
    }
    let mut item = item_of(gfid, ItemKind::Directory, &stat);
    (item.links, item.size) = (places.len() as u64, 0);
    item.names = places.iter().map(name_digest).collect();
    item.places = places;
    read_xattrs(&path, &mut item, false)?;
    Ok(Seen::Item(Box::new(item)))
}

fn read_object(
    brick: &BrickRoot,
    gfid: Gfid,
    handle: &[u8],
    (kind, stat): (FileType, &Stat),
    wish: ReadOptions,
) -> Result<Seen, Errno> {
    let kind = match kind {
        FileType::RegularFile => ItemKind::File,
        FileType::Symlink => ItemKind::Symlink,
        FileType::Fifo => ItemKind::Fifo,
        FileType::Socket => ItemKind::Socket,
        _ => ItemKind::Device,
    };
    let mut item = item_of(gfid, kind, stat);
    item.links = stat.st_nlink.saturating_sub(1);
    let path = brick.handle_path(handle);
    read_xattrs(&path, &mut item, wish.places)?;
    item.names.sort_unstable();
    item.places.sort_unstable();
    item.places.dedup();
    if kind == ItemKind::Symlink {
        let target = readlinkat(brick.handles(), handle, Vec::with_capacity(256))?;
        item.target = Some(Name::from(target.into_bytes()));
    }
    let sampled = |one_in: u64| xxh3_64(gfid.as_bytes()).is_multiple_of(one_in);
    if kind == ItemKind::File && item.share == Share::Whole && wish.content.is_some_and(sampled) {
        item.content = Some(super::content::digest(brick, handle)?);
    }
    Ok(Seen::Item(Box::new(item)))
}

fn item_of(gfid: Gfid, kind: ItemKind, stat: &Stat) -> Item {
    let stamp = |sec, nsec: u64| Stamp { sec, nsec: u32::try_from(nsec).unwrap_or_default() };
    Item {
        gfid,
        kind,
        share: Share::Whole,
        mode: stat.st_mode & 0o7777,
        owner: (stat.st_uid, stat.st_gid),
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        sharded: None,
        mtime: stamp(stat.st_mtime, stat.st_mtime_nsec),
        ctime: stamp(stat.st_ctime, stat.st_ctime_nsec),
        device: if kind == ItemKind::Device { stat.st_rdev } else { 0 },
        links: 0,
        names: Vec::new(),
        places: Vec::new(),
        target: None,
        xattrs: 0,
        content: None,
    }
}

/// Reads names, sizes, times and what users set, in one pass over the xattrs' names.
fn read_xattrs(path: &[u8], item: &mut Item, places: bool) -> Result<(), Errno> {
    read_keys(path, |keys| {
        let mut users = Vec::new();
        for key in keys.split(|&byte| byte == 0).filter(|key| !key.is_empty()) {
            if let Some(rest) = key.strip_prefix(b"trusted.") {
                item.names.extend(rest.strip_prefix(NAME).and_then(digest_of_key));
                if places || !rest.starts_with(NAME) {
                    read_trusted(path, key, rest, item)?;
                }
            } else if key.starts_with(b"user.") || key == b"system.posix_acl_access" {
                users.push(key);
            }
        }
        item.xattrs = digest_xattrs(path, users)?;
        Ok(())
    })?
}

fn read_trusted(path: &[u8], key: &[u8], rest: &[u8], item: &mut Item) -> Result<(), Errno> {
    let mut value = Vec::new();
    if rest.starts_with(NAME) || VALUES.contains(&rest) {
        value.resize(512, 0);
        match lgetxattr(path, key, value.as_mut_slice()) {
            Ok(length) => value.truncate(length),
            Err(Errno::NODATA | Errno::RANGE) => value.clear(),
            Err(error) => return Err(error),
        }
    }
    if rest.starts_with(NAME) {
        if let Some(claim) = Claim::of_entry(&value) {
            item.places.push(ParentName { parent: claim.parent, name: Name::from(claim.name) });
        }
    } else if rest == b"glusterfs.mdata" {
        item.mtime = mtime_of_mdata(&value).unwrap_or(item.mtime);
    } else if rest == b"glusterfs.dht.linkto" {
        if item.kind == ItemKind::File && item.size == 0 && item.mode == 0o1000 {
            item.share = Share::Pointer;
        }
    } else if rest == b"glusterfs.shard.file-size" {
        item.sharded = number(&value);
    } else if rest == b"ec.size" {
        item.size = number(&value).unwrap_or(item.size);
        item.share = Share::Fragment;
    }
    Ok(())
}

/// Where the records of names begin, after `trusted.`.
const NAME: &[u8] = b"gfid2path.";

/// The digest that a record's key ends in.
fn digest_of_key(rest: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(rest).ok()?, 16).ok()
}

/// The digest that the key of a name's record would end in.
fn name_digest(place: &ParentName) -> u64 {
    xxh64(&[place.parent.to_string().as_bytes(), b"/", place.name.as_bytes()].concat(), 0)
}

/// The values that count, beside names.
const VALUES: [&[u8]; 3] = [b"glusterfs.mdata", b"glusterfs.shard.file-size", b"ec.size"];

/// The first eight bytes, big-endian.
fn number(value: &[u8]) -> Option<u64> {
    value.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// Reads the time of change out of `trusted.glusterfs.mdata`: a version byte, eight bytes of
/// flags, then seconds and nanoseconds of ctime, mtime and atime, big-endian
/// (`posix-metadata-disk.h`).
fn mtime_of_mdata(value: &[u8]) -> Option<Stamp> {
    let mtime = value.get(25..41).filter(|_| value.first() == Some(&1))?;
    let (sec, nsec) = (number(mtime)?, number(mtime.get(8..)?)?);
    Some(Stamp { sec: i64::try_from(sec).ok()?, nsec: u32::try_from(nsec).ok()? })
}

fn digest_xattrs(path: &[u8], mut keys: Vec<&[u8]>) -> Result<u64, Errno> {
    if keys.is_empty() {
        return Ok(0);
    }
    keys.sort_unstable();
    let mut digest = Xxh3::new();
    let mut value = vec![0; 1 << 16];
    for key in keys {
        let length = match lgetxattr(path, key, value.as_mut_slice()) {
            Ok(length) => length,
            Err(Errno::NODATA) => continue,
            Err(error) => return Err(error),
        };
        let value = value.get(..length).unwrap_or_default();
        for bytes in [key, value] {
            digest.update(&(bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        }
    }
    Ok(digest.digest().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_that_clients_see() {
        let mut value = vec![1];
        value.extend_from_slice(&7_u64.to_be_bytes());
        for number in [11_u64, 12, 21, 22, 31, 32] {
            value.extend_from_slice(&number.to_be_bytes());
        }
        assert_eq!((value.len(), mtime_of_mdata(&value)), (57, Some(Stamp { sec: 21, nsec: 22 })));
        assert_eq!(mtime_of_mdata(&value[..40]), None);
        value[0] = 2;
        assert_eq!(mtime_of_mdata(&value), None);
    }
}
