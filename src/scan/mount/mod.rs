//! A volume's mount: proven to be one, and to pass on what is set through it.

mod error;
mod tree;

pub use tree::{SelectedPath, Selection, TreeCounts, TreeEntry, TreeError, collect};

use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, XattrFlags, lgetxattr, open, setxattr};
use rustix::io::Errno;
use uuid::Uuid;

pub use error::MountError;

use super::brick::{below, open_in, open_path_in};
use crate::domain::{Gfid, Name};
use crate::format::mountinfo;
use crate::format::mountinfo::mount_of_fdinfo;
use crate::format::volfile::{Volfile, volfile};

/// The virtual xattr that makes a brick's changelog record an object again (glusterfs
/// `changelog.c`, `GF_XATTR_TRIGGER_SYNC`).
pub const TRIGGER_SYNC: &str = "glusterfs.geo-rep.trigger-sync";

/// Where the graph of a mount can be read (glusterfs `xlators/meta`).
const GRAPH: &[u8] = b".meta/graphs/active";

/// The mount point of a volume, held open.
///
/// Everything below is reached from the held descriptor and never through a symlink or another
/// mount.
#[derive(Debug)]
pub struct MountRoot {
    path: PathBuf,
    root: OwnedFd,
    volume: String,
    server: Option<String>,
    graph: Volfile,
}

impl MountRoot {
    /// Opens a mount by its mount point.
    ///
    /// # Errors
    /// [`MountError`] if there is nothing, if it is a brick or another file system, and if it is
    /// below a mount point.
    pub fn open(path: &Path) -> Result<Self, MountError> {
        let shown = Name::from(path.as_os_str().as_encoded_bytes());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(path, flags, Mode::empty()).map_err(|source| match source {
            Errno::NOTCONN | Errno::IO | Errno::STALE => {
                MountError::Dead { path: shown.clone(), source }
            }
            source => MountError::Absent { path: shown.clone(), source },
        })?;
        let found = mount_of(&root, path, &shown)?;
        let (server, volume) = volume_of(&found.source);
        let graph = graph_of(&root);
        let Some(volume) = volume else {
            return Err(MountError::NoVolume {
                path: shown,
                source_text: Name::from(found.source),
            });
        };
        let path = PathBuf::from(Name::from(found.point).as_os_str());
        Ok(Self { path, root, volume, server, graph })
    }

    /// Makes sure that what is set through the mount reaches the bricks: an invalid value, which
    /// changes nothing, has to be refused.
    ///
    /// A mount with gsyncd's client pid swallows it with success (`fuse_ignore_xattr_set`).
    ///
    /// # Errors
    /// [`MountError`] with the way out.
    pub fn prove_it_passes_on(&self) -> Result<(), MountError> {
        let path = self.name();
        let probe =
            setxattr(below(self.root.as_fd(), b"."), TRIGGER_SYNC, b"2", XattrFlags::empty());
        match probe {
            Err(Errno::OPNOTSUPP) => Ok(()),
            Ok(()) => Err(MountError::GsyncdPid { path }),
            Err(Errno::ROFS) => Err(MountError::ReadOnly { path }),
            Err(Errno::PERM | Errno::ACCESS) => Err(MountError::NotRoot),
            Err(source) => Err(MountError::Dead { path, source }),
        }
    }

    /// The mount point, as the kernel names it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The mount point, for display.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::from(self.path.as_os_str().as_encoded_bytes())
    }

    /// The volume's name.
    #[must_use]
    pub fn volume(&self) -> &str {
        &self.volume
    }

    /// The volume's id, if the mount's graph has it.
    #[must_use]
    pub fn volume_id(&self) -> Option<Uuid> {
        self.graph.volume
    }

    /// The node that the mount got its graph from.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The volume's bricks, `HOST:DIR`.
    #[must_use]
    pub fn bricks(&self) -> &[String] {
        &self.graph.bricks
    }

    /// Opens a directory below the mount for reading; `.` is the mount itself.
    ///
    /// # Errors
    /// Any error of the system; `ELOOP`, `ENOTDIR` and `EXDEV` if something on the way is not a
    /// directory of this mount.
    pub fn folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        open_in(self.root.as_fd(), path, false)
    }

    /// Opens a directory below the mount only to reach what is in it: no permission to read is
    /// needed, and nothing is opened on the bricks.
    ///
    /// # Errors
    /// As [`MountRoot::folder`].
    pub fn way_to(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        open_path_in(self.root.as_fd(), path)
    }
}

/// The gfid of `name` in an open directory of a mount, not followed; the directory's own if `.`.
///
/// The client answers from what it looked up (glusterfs `fuse-bridge.c`, `glusterfs.gfid`).
///
/// # Errors
/// Any error of the system; `None` if the file system has no gfids.
pub fn gfid_through(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Gfid>, Errno> {
    let mut bytes = [0; 16];
    match lgetxattr(below(dir, name), "glusterfs.gfid", &mut bytes) {
        Ok(16) => Ok(Some(Gfid::from_bytes(bytes))),
        Ok(_) | Err(Errno::NODATA | Errno::RANGE | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The path of `name` in an open directory, for calls on xattrs, which take no descriptor.
#[must_use]
pub fn name_in(dir: BorrowedFd<'_>, name: &[u8]) -> Vec<u8> {
    below(dir, name)
}

/// The mount that an open directory is the point of.
fn mount_of(
    root: &OwnedFd,
    path: &Path,
    shown: &Name,
) -> Result<mountinfo::Mount<'static>, MountError> {
    let unseen = |error: std::io::Error| MountError::Absent {
        path: shown.clone(),
        source: Errno::from_io_error(&error).unwrap_or(Errno::IO),
    };
    let about = fs::read(format!("/proc/self/fdinfo/{}", root.as_raw_fd())).map_err(unseen)?;
    let table = fs::read("/proc/self/mountinfo").map_err(unseen)?;
    let id = mount_of_fdinfo(&about);
    let found = mountinfo::mounts(&table).find(|mount| Some(mount.id) == id);
    let Some(found) = found else {
        return Err(MountError::NotGluster {
            path: shown.clone(),
            kind: Name::from("an unknown file system"),
        });
    };
    if &*found.kind != b"fuse.glusterfs" {
        if lies_on_a_brick(path) {
            return Err(MountError::Brick { path: shown.clone() });
        }
        return Err(MountError::NotGluster { path: shown.clone(), kind: Name::from(&found.kind) });
    }
    let real = fs::read_link(format!("/proc/self/fd/{}", root.as_raw_fd())).map_err(unseen)?;
    if real.as_os_str().as_encoded_bytes() != &*found.point {
        return Err(MountError::Inside { path: shown.clone(), point: Name::from(&found.point) });
    }
    Ok(mountinfo::Mount {
        id: found.id,
        point: found.point.into_owned().into(),
        kind: found.kind.into_owned().into(),
        source: found.source.into_owned().into(),
    })
}

fn lies_on_a_brick(path: &Path) -> bool {
    let Ok(full) = path.canonicalize() else { return false };
    full.ancestors().any(|dir| dir.join(".glusterfs").is_dir())
}

/// Server and volume of a source: `m1:/gv0`, `m1:gv0`, `m1,m2:/gv0/folder`, `[::1]:/gv0`.
fn volume_of(source: &[u8]) -> (Option<String>, Option<String>) {
    let source = String::from_utf8_lossy(source);
    let Some((servers, volume)) = source.rsplit_once(':') else { return (None, None) };
    let server = servers.split(',').next().filter(|server| !server.is_empty());
    let volume = volume.trim_start_matches('/').split('/').next();
    (server.map(str::to_owned), volume.filter(|name| !name.is_empty()).map(str::to_owned))
}

/// The mount's graph; empty if it has no `.meta`.
fn graph_of(root: &OwnedFd) -> Volfile {
    use std::io::Read as _;
    let text = open_in(root.as_fd(), GRAPH, false).ok().and_then(|folder| {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, "volfile", flags, Mode::empty()).ok()?;
        let mut text = Vec::new();
        fs::File::from(file).take(1 << 24).read_to_end(&mut text).ok()?;
        Some(text)
    });
    text.map(|text| volfile(&text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_tell_server_and_volume() {
        for (source, server, volume) in [
            ("m1:/gv0", Some("m1"), Some("gv0")),
            ("m1:gv0", Some("m1"), Some("gv0")),
            ("m1,m2:/gv0/below/it", Some("m1"), Some("gv0")),
            ("[fe80::1]:/gv0", Some("[fe80::1]"), Some("gv0")),
            ("/etc/gv0.vol", None, None),
            (":/", None, None),
        ] {
            let found = volume_of(source.as_bytes());
            assert_eq!((found.0.as_deref(), found.1.as_deref()), (server, volume), "{source}");
        }
    }

    #[test]
    fn other_file_systems_and_bricks_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let plain = MountRoot::open(dir.path());
        assert!(matches!(plain, Err(MountError::NotGluster { .. })), "{plain:?}");
        fs::create_dir_all(dir.path().join(".glusterfs")).unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        for brick in ["", "a/b"] {
            let refused = MountRoot::open(&dir.path().join(brick));
            assert!(matches!(refused, Err(MountError::Brick { .. })), "{refused:?}");
        }
        let none = MountRoot::open(&dir.path().join("none"));
        assert!(matches!(none, Err(MountError::Absent { .. })), "{none:?}");
    }
}
