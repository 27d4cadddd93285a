//! Reads a gfid's handle without following it: its kind, and the names it claims.

use rustix::fs::{AtFlags, FileType, lgetxattr, llistxattr, readlinkat, statat};
use rustix::io::Errno;

use xxhash_rust::xxh64::Xxh64;

use super::answer::ObjectKind;
use super::parallel::in_parallel;
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, gfid_at};

/// What a gfid's handle is.
#[derive(Debug)]
pub(super) enum HandleState {
    /// There is none.
    Missing,
    /// A symlink in the form of a directory's handle; its text is a claim, to be proven.
    Directory(Claim),
    /// A symlink in another form.
    Text(Name),
    /// A hard link to an object with this gfid.
    Object(Object),
    /// Something other than this gfid's object.
    Foreign(Option<ObjectKind>, String),
    /// It could not be read.
    Unreadable(Errno),
}

/// A name claimed by a directory's handle or a gfid2path xattr.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::scan) struct Claim {
    pub(in crate::scan) parent: Gfid,
    pub(in crate::scan) name: Box<[u8]>,
}

/// A file, symlink or special file behind its handle.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    pub(super) inode: u64,
    /// How many names it has besides its handle.
    pub(super) names: u64,
    pub(super) linkto: Option<Name>,
    /// The hashes of the names that its gfid2path xattrs record, from the xattrs' keys.
    pub(super) hashes: Vec<Option<u64>>,
    /// Its parents by `trusted.pgfid.*`; read only if gfid2path does not record all names.
    pub(super) parents: Vec<Gfid>,
}

impl HandleState {
    /// The object behind the handle, if there is one.
    pub(super) fn object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl Claim {
    /// Reads a directory handle's text, `../../pp/qq/<parent>/<name>` (`posix-handle.c`).
    pub(in crate::scan) fn of_handle(text: &[u8]) -> Option<Self> {
        let rest = text.strip_prefix(b"../../")?;
        let (shards, rest) = rest.split_at_checked(6)?;
        let claim = Self::of_entry(rest)?;
        let parent = claim.parent.to_string();
        let (first, second) = (parent.get(..2)?, parent.get(2..4)?);
        let fits = shards.starts_with(first.as_bytes())
            && shards.get(2..)?.strip_prefix(b"/")?.strip_suffix(b"/") == Some(second.as_bytes())
            && rest.starts_with(parent.as_bytes());
        fits.then_some(claim)
    }

    /// Reads a gfid2path value, `<parent>/<name>` (`posix-gfid-path.c`).
    pub(in crate::scan) fn of_entry(text: &[u8]) -> Option<Self> {
        let (parent, rest) = text.split_at_checked(36)?;
        let name = rest.strip_prefix(b"/")?;
        let sound = !matches!(name, b"" | b"." | b"..") && !name.iter().any(|b| b"/\0".contains(b));
        sound.then_some(Self { parent: Gfid::from_text(parent)?, name: name.into() })
    }

    /// The hash at the end of the key of a gfid2path xattr with this value
    /// (`posix-gfid-path.c`).
    pub(super) fn hash(&self) -> u64 {
        let mut parent = [0; 36];
        let parent = self.parent.text(&mut parent);
        let mut hasher = Xxh64::new(0);
        for part in [parent.as_bytes(), b"/", &self.name] {
            hasher.update(part);
        }
        hasher.digest()
    }
}

impl Object {
    /// Whether a gfid2path xattr records this name, by its key alone.
    pub(super) fn records(&self, claim: &Claim) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&Some(claim.hash()))
    }
}

/// The handle's path below `.glusterfs`.
pub(in crate::scan) fn handle_of(gfid: Gfid) -> Vec<u8> {
    let mut text = [0; 36];
    let text = gfid.text(&mut text).as_bytes();
    let mut path = Vec::with_capacity(43);
    for part in [text.get(..2), text.get(2..4)].into_iter().flatten() {
        path.extend_from_slice(part);
        path.push(b'/');
    }
    path.extend_from_slice(text);
    path
}

/// The text of a directory's handle: `../../pp/qq/<parent>/<name>`.
pub(in crate::scan) fn handle_text(parent: Gfid, name: &[u8]) -> Vec<u8> {
    [b"../../", handle_of(parent).as_slice(), b"/", name].concat()
}

/// Reads the text of a directory's handle.
///
/// `EINVAL` means that the handle is not a symlink.
pub(in crate::scan) fn read_handle(brick: &BrickRoot, gfid: Gfid) -> Result<Vec<u8>, Errno> {
    let text = readlinkat(brick.handles(), handle_of(gfid), Vec::with_capacity(320))?;
    Ok(text.into_bytes())
}

/// Reads the handles of a batch; the states are in the order given.
///
/// Handles are read sorted by shard, and everything about one handle is read at once, while its
/// directories and inode are in the kernel's caches.
pub(super) fn read_handle_states(brick: &BrickRoot, gfids: &[Gfid]) -> Vec<HandleState> {
    let mut order: Vec<(Gfid, usize)> = gfids.iter().copied().zip(0..).collect();
    order.sort_unstable();
    let states = in_parallel(&order, |(gfid, _)| read_handle_state(brick, *gfid));
    let mut slots: Vec<HandleState> = gfids.iter().map(|_| HandleState::Missing).collect();
    for ((_, index), state) in order.iter().zip(states) {
        if let Some(slot) = slots.get_mut(*index) {
            *slot = state;
        }
    }
    slots
}

/// What the inode of a handle tells about it.
#[derive(Clone, Copy, Debug)]
struct Handle {
    kind: FileType,
    inode: u64,
    links: u64,
    /// Whether it is empty, and sticky without any permission, as DHT's pointers are
    /// (`dht-linkfile.c`).
    pointer: bool,
}

impl Handle {
    fn at(brick: &BrickRoot, place: &[u8]) -> Result<Self, Errno> {
        let stat = statat(brick.handles(), place, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            inode: stat.st_ino,
            links: stat.st_nlink,
            pointer: stat.st_size == 0 && stat.st_mode & 0o7777 == 0o1000,
        })
    }
}

fn read_handle_state(brick: &BrickRoot, gfid: Gfid) -> HandleState {
    let place = handle_of(gfid);
    let handle = match Handle::at(brick, &place) {
        Ok(handle) => handle,
        Err(Errno::NOENT | Errno::NOTDIR) => return HandleState::Missing,
        Err(error) => return HandleState::Unreadable(error),
    };
    match handle.kind {
        FileType::Directory => {
            HandleState::Foreign(None, "there is a directory in the place of its handle".to_owned())
        }
        // A user's symlink has a second link in the namespace. With a single link it is a
        // directory's handle, or a user's symlink that lost its names: `nameless_symlink` checks.
        FileType::Symlink if handle.links == 1 => read_link_text(brick, gfid),
        _ => check_inode(brick, gfid, &brick.handle_path(&place), &handle),
    }
}

fn check_inode(brick: &BrickRoot, gfid: Gfid, path: &[u8], handle: &Handle) -> HandleState {
    let kind = kind_of(handle.kind);
    match gfid_at(path) {
        Ok(Some(own)) if own == gfid => object_state(path, handle),
        // A backup that hard-links files gives directory handles a second link.
        Ok(None) if kind == ObjectKind::Symlink => read_link_text(brick, gfid),
        Ok(Some(other)) => {
            HandleState::Foreign(Some(kind), format!("its handle belongs to gfid {other}"))
        }
        Ok(None) => {
            let says = "the object at its handle has no trusted.gfid".to_owned();
            HandleState::Foreign(Some(kind), says)
        }
        Err(Errno::NOENT) => HandleState::Missing,
        Err(error) => HandleState::Unreadable(error),
    }
}

fn read_link_text(brick: &BrickRoot, gfid: Gfid) -> HandleState {
    match read_handle(brick, gfid) {
        Ok(text) => Claim::of_handle(&text)
            .map_or_else(|| HandleState::Text(Name::from(text)), HandleState::Directory),
        Err(Errno::NOENT) => HandleState::Missing,
        Err(error) => HandleState::Unreadable(error),
    }
}

pub(super) fn kind_of(kind: FileType) -> ObjectKind {
    match kind {
        FileType::Directory => ObjectKind::Directory,
        FileType::RegularFile => ObjectKind::File,
        FileType::Symlink => ObjectKind::Symlink,
        _ => ObjectKind::Special,
    }
}

fn object_state(path: &[u8], handle: &Handle) -> HandleState {
    match read_object(path, handle) {
        Ok(object) => HandleState::Object(object),
        Err(Errno::NOENT) => HandleState::Missing,
        Err(error) => HandleState::Unreadable(error),
    }
}

fn read_object(path: &[u8], handle: &Handle) -> Result<Object, Errno> {
    let names = handle.links.saturating_sub(1);
    let kind = kind_of(handle.kind);
    let (hashes, parents) = (Vec::new(), Vec::new());
    let mut object = Object { kind, inode: handle.inode, names, linkto: None, hashes, parents };
    if kind == ObjectKind::File && handle.pointer {
        object.linkto = read_value(path, b"trusted.glusterfs.dht.linkto", |value| {
            Some(Name::from(value.strip_suffix(b"\0").unwrap_or(value)))
        })?;
    }
    if names > 0 {
        read_keys(path, |keys| object.set_names_from_keys(keys))?;
    }
    Ok(object)
}

impl Object {
    /// Sets what the keys of its xattrs tell about its names.
    fn set_names_from_keys(&mut self, keys: &[u8]) {
        self.hashes
            .extend(split_keys(keys).filter_map(|key| key.strip_prefix(GFID2PATH)).map(hash_of));
        if (self.hashes.len() as u64) < self.names {
            let parents = split_keys(keys).filter_map(|key| key.strip_prefix(b"trusted.pgfid."));
            self.parents.extend(parents.filter_map(Gfid::from_text));
        }
    }
}

const GFID2PATH: &[u8] = b"trusted.gfid2path.";

fn split_keys(keys: &[u8]) -> impl Iterator<Item = &[u8]> {
    keys.split(|&byte| byte == 0)
}

/// The hash in a key; `None` unless it is written as a brick writes it.
fn hash_of(hex: &[u8]) -> Option<u64> {
    let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let hex = std::str::from_utf8(hex).ok()?;
    let sound = hex.len() == 16 && hex.bytes().all(|byte| lower(&byte));
    u64::from_str_radix(hex, 16).ok().filter(|_| sound)
}

/// Reads the names that an object's gfid2path xattrs record.
pub(super) fn read_claims(
    brick: &BrickRoot,
    gfid: Gfid,
    object: &Object,
) -> Result<Vec<Claim>, Errno> {
    let path = brick.handle_path(&handle_of(gfid));
    let read = |key: &[u8]| read_value(&path, key, Claim::of_entry);
    let mut claims = Vec::with_capacity(object.hashes.len());
    let known: Option<Vec<u64>> = object.hashes.iter().copied().collect();
    if let Some(hashes) = known {
        for hash in hashes {
            claims.extend(read(format!("trusted.gfid2path.{hash:016x}").as_bytes())?);
        }
    } else {
        read_keys(&path, |keys| {
            for key in split_keys(keys).filter(|key| key.starts_with(GFID2PATH)) {
                claims.extend(read(key)?);
            }
            Ok(())
        })??;
    }
    Ok(claims)
}

/// Passes the keys of all xattrs to `take`, each ended by NUL.
pub(in crate::scan) fn read_keys<R>(
    path: &[u8],
    take: impl FnOnce(&[u8]) -> R,
) -> Result<R, Errno> {
    // Enough for the usual object without an allocation.
    let mut few = [0; 1024];
    match llistxattr(path, &mut few) {
        Ok(length) => Ok(take(few.get(..length).unwrap_or_default())),
        Err(Errno::RANGE) => {
            // The kernel's limit for a list (XATTR_LIST_MAX).
            let mut all = vec![0; 1 << 16];
            let length = llistxattr(path, all.as_mut_slice())?;
            Ok(take(all.get(..length).unwrap_or_default()))
        }
        Err(Errno::OPNOTSUPP) => Ok(take(&[])),
        Err(error) => Err(error),
    }
}

/// Reads an xattr's value, at most a parent's gfid and a name long; `None` if there is none.
fn read_value<R>(
    path: &[u8],
    key: &[u8],
    read: impl FnOnce(&[u8]) -> Option<R>,
) -> Result<Option<R>, Errno> {
    let mut value = [0; 512];
    match lgetxattr(path, key, &mut value) {
        Ok(length) => Ok(value.get(..length).and_then(read)),
        Err(Errno::NODATA | Errno::RANGE | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARENT: &str = "fdea1fc6-0f2a-43d2-8776-651cc6ea73e8";

    #[test]
    fn reads_a_directory_handle() {
        let text = format!("../../fd/ea/{PARENT}/16 02");
        let claim = Claim::of_handle(text.as_bytes()).unwrap();
        assert_eq!((claim.parent.to_string().as_str(), &*claim.name), (PARENT, &b"16 02"[..]));
    }

    #[test]
    fn refuses_what_no_brick_writes() {
        for text in [
            String::new(),
            "../../..".to_owned(),
            "/etc/passwd".to_owned(),
            format!("../../fd/ea/{PARENT}/"),
            format!("../../fd/ea/{PARENT}/.."),
            format!("../../fd/ea/{PARENT}/a/b"),
            format!("../../fd/eb/{PARENT}/a"),
            format!("../../de/ea/{PARENT}/a"),
            format!("../fd/ea/{PARENT}/a"),
            format!("../../fd/ea/{}/a", PARENT.to_uppercase()),
            format!("../../fd/ea/{}/a", PARENT.replace('-', "")),
        ] {
            assert_eq!(Claim::of_handle(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Claim::of_handle(&text);
            let _ = Claim::of_entry(&text);
        }

        #[test]
        fn every_name_comes_back(name in proptest::collection::vec(1..=255_u8, 1..255)) {
            prop_assume!(!name.contains(&b'/') && name != b"." && name != b"..");
            let entry = [PARENT.as_bytes(), b"/", &name].concat();
            let handle = [b"../../fd/ea/", entry.as_slice()].concat();
            prop_assert_eq!(&*Claim::of_entry(&entry).unwrap().name, name.as_slice());
            prop_assert_eq!(Claim::of_handle(&handle), Claim::of_entry(&entry));
        }
    }
}
