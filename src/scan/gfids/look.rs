//! A gfid's handle, read without following it: what it is and which names it claims.

use rustix::fs::{AtFlags, FileType, lgetxattr, llistxattr, readlinkat, statat};
use rustix::io::Errno;

use super::answer::ObjectKind;
use super::tree::in_parallel;
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, gfid_at};

/// What stands at a gfid's handle.
#[derive(Debug)]
pub(super) enum Look {
    /// Nothing.
    Missing,
    /// A symlink in the form of a directory's handle; its text is a claim, not yet a fact.
    Directory(Claim),
    /// A symlink in another form.
    Text(Name),
    /// A hard link to an object that carries this gfid.
    Object(Object),
    /// Something that is not this gfid's object.
    Foreign(Option<ObjectKind>, String),
    /// It could not be read.
    Unreadable(Errno),
}

/// A name that someone says is true: a directory's handle, or a gfid2path xattr.
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
    /// Names it has beside its handle.
    pub(super) names: u64,
    pub(super) linkto: Option<Name>,
    pub(super) claims: Vec<Claim>,
    /// Its parents by `trusted.pgfid.*`; read only where the claims cannot be all.
    pub(super) parents: Vec<Gfid>,
}

impl Look {
    /// The object behind the handle, where there is one.
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
}

/// The handle's path below `.glusterfs`.
pub(in crate::scan) fn handle_of(gfid: Gfid) -> Vec<u8> {
    let text = gfid.to_string();
    let mut path = Vec::with_capacity(42);
    for part in [text.get(..2), text.get(2..4)].into_iter().flatten() {
        path.extend_from_slice(part.as_bytes());
        path.push(b'/');
    }
    path.extend_from_slice(text.as_bytes());
    path
}

/// The text of a directory's handle: `../../pp/qq/<parent>/<name>`.
pub(in crate::scan) fn handle_text(parent: Gfid, name: &[u8]) -> Vec<u8> {
    [b"../../", handle_of(parent).as_slice(), b"/", name].concat()
}

/// Reads the text of a directory's handle without asking what the handle is.
///
/// `EINVAL` means that it is no symlink.
pub(in crate::scan) fn read_handle(brick: &BrickRoot, gfid: Gfid) -> Result<Vec<u8>, Errno> {
    let text = readlinkat(brick.handles(), handle_of(gfid), Vec::with_capacity(320))?;
    Ok(text.into_bytes())
}

/// Looks at the handles of a batch, in the order given.
///
/// What they are is asked first; then their xattrs are read in the order of their inodes, which
/// lie side by side on the disk and in its cache.
pub(super) fn look_at_all(brick: &BrickRoot, gfids: &[Gfid]) -> Vec<Look> {
    let handles = in_parallel(gfids, |&gfid| Handle::at(brick, gfid));
    let mut order: Vec<(usize, _)> = gfids.iter().copied().zip(&handles).enumerate().collect();
    order.sort_unstable_by_key(|(_, (_, handle))| handle.as_ref().map_or(0, |handle| handle.inode));
    let mut looks = in_parallel(&order, |(index, (gfid, handle))| match handle {
        Ok(handle) => (*index, look(brick, *gfid, handle)),
        Err(Errno::NOENT | Errno::NOTDIR) => (*index, Look::Missing),
        Err(error) => (*index, Look::Unreadable(*error)),
    });
    looks.sort_unstable_by_key(|(index, _)| *index);
    looks.into_iter().map(|(_, look)| look).collect()
}

/// What a handle is, as far as its inode tells.
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
    fn at(brick: &BrickRoot, gfid: Gfid) -> Result<Self, Errno> {
        let stat = statat(brick.handles(), handle_of(gfid), AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            inode: stat.st_ino,
            links: stat.st_nlink,
            pointer: stat.st_size == 0 && stat.st_mode & 0o7777 == 0o1000,
        })
    }
}

fn look(brick: &BrickRoot, gfid: Gfid, handle: &Handle) -> Look {
    match handle.kind {
        FileType::Directory => {
            Look::Foreign(None, "a directory stands where its handle belongs".to_owned())
        }
        // With a single link it cannot also stand in the namespace, so it is no user's symlink
        // unless all its names are gone; the answer's own gfid is read before it counts.
        FileType::Symlink if handle.links == 1 => look_at_text(brick, gfid),
        _ => look_at_inode(brick, gfid, handle),
    }
}

fn look_at_inode(brick: &BrickRoot, gfid: Gfid, handle: &Handle) -> Look {
    let path = brick.handle_path(&handle_of(gfid));
    let kind = kind_of(handle.kind);
    match gfid_at(&path) {
        Ok(Some(own)) if own == gfid => object(&path, handle),
        // A backup by hard links gives directory handles a second link.
        Ok(None) if kind == ObjectKind::Symlink => look_at_text(brick, gfid),
        Ok(Some(other)) => Look::Foreign(Some(kind), format!("its handle belongs to gfid {other}")),
        Ok(None) => {
            let says = "the object at its handle carries no trusted.gfid".to_owned();
            Look::Foreign(Some(kind), says)
        }
        Err(Errno::NOENT) => Look::Missing,
        Err(error) => Look::Unreadable(error),
    }
}

fn look_at_text(brick: &BrickRoot, gfid: Gfid) -> Look {
    match read_handle(brick, gfid) {
        Ok(text) => {
            Claim::of_handle(&text).map_or_else(|| Look::Text(Name::from(text)), Look::Directory)
        }
        Err(Errno::NOENT) => Look::Missing,
        Err(error) => Look::Unreadable(error),
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

fn object(path: &[u8], handle: &Handle) -> Look {
    match read_object(path, handle) {
        Ok(object) => Look::Object(object),
        Err(Errno::NOENT) => Look::Missing,
        Err(error) => Look::Unreadable(error),
    }
}

fn read_object(path: &[u8], handle: &Handle) -> Result<Object, Errno> {
    let names = handle.links.saturating_sub(1);
    let kind = kind_of(handle.kind);
    let (claims, parents) = (Vec::new(), Vec::new());
    let mut object = Object { kind, inode: handle.inode, names, linkto: None, claims, parents };
    if kind == ObjectKind::File && handle.pointer {
        object.linkto = read_value(path, b"trusted.glusterfs.dht.linkto", |value| {
            Some(Name::from(value.strip_suffix(b"\0").unwrap_or(value)))
        })?;
    }
    if names > 0 {
        read_keys(path, |keys| read_claims(path, keys, &mut object))??;
    }
    Ok(object)
}

/// Reads what the xattrs say of an object's names.
fn read_claims(path: &[u8], keys: &[u8], object: &mut Object) -> Result<(), Errno> {
    let keys = || keys.split(|&byte| byte == 0);
    for key in keys().filter(|key| key.starts_with(b"trusted.gfid2path.")) {
        object.claims.extend(read_value(path, key, Claim::of_entry)?);
    }
    if (object.claims.len() as u64) < object.names {
        let parents = keys().filter_map(|key| key.strip_prefix(b"trusted.pgfid."));
        object.parents.extend(parents.filter_map(Gfid::from_text));
    }
    Ok(())
}

/// Hands over the names of all xattrs, each ended by NUL; the kernel's limit is 64 KiB.
pub(in crate::scan) fn read_keys<R>(
    path: &[u8],
    take: impl FnOnce(&[u8]) -> R,
) -> Result<R, Errno> {
    let mut few = [0; 1024];
    match llistxattr(path, &mut few) {
        Ok(length) => Ok(take(few.get(..length).unwrap_or_default())),
        Err(Errno::RANGE) => {
            let mut all = vec![0; 1 << 16];
            let length = llistxattr(path, all.as_mut_slice())?;
            Ok(take(all.get(..length).unwrap_or_default()))
        }
        Err(Errno::OPNOTSUPP) => Ok(take(&[])),
        Err(error) => Err(error),
    }
}

/// Reads a value of at most a parent's gfid and a name; nothing where there is none such.
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
