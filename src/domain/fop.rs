//! File operations by their number, as changelogs write them.

use std::fmt;

use serde::{Serialize, Serializer};

/// A file operation's number (`glusterfs_fop_t` in glusterfs `rpc/xdr/src/glusterfs-fops.x`).
///
/// Displays and serialises as `GlusterFS` names it, without the prefix: `RENAME`, `SETATTR`; a
/// number that no release knows as `FOP_n`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fop(pub u32);

/// Names by number; the numbers are part of the wire protocol and never change.
const NAMES: [&str; 59] = [
    "NULL",
    "STAT",
    "READLINK",
    "MKNOD",
    "MKDIR",
    "UNLINK",
    "RMDIR",
    "SYMLINK",
    "RENAME",
    "LINK",
    "TRUNCATE",
    "OPEN",
    "READ",
    "WRITE",
    "STATFS",
    "FLUSH",
    "FSYNC",
    "SETXATTR",
    "GETXATTR",
    "REMOVEXATTR",
    "OPENDIR",
    "FSYNCDIR",
    "ACCESS",
    "CREATE",
    "FTRUNCATE",
    "FSTAT",
    "LK",
    "LOOKUP",
    "READDIR",
    "INODELK",
    "FINODELK",
    "ENTRYLK",
    "FENTRYLK",
    "XATTROP",
    "FXATTROP",
    "FGETXATTR",
    "FSETXATTR",
    "RCHECKSUM",
    "SETATTR",
    "FSETATTR",
    "READDIRP",
    "FORGET",
    "RELEASE",
    "RELEASEDIR",
    "GETSPEC",
    "FREMOVEXATTR",
    "FALLOCATE",
    "DISCARD",
    "ZEROFILL",
    "IPC",
    "SEEK",
    "LEASE",
    "COMPOUND",
    "GETACTIVELK",
    "SETACTIVELK",
    "PUT",
    "ICREATE",
    "NAMELINK",
    "COPY_FILE_RANGE",
];

impl Fop {
    /// A device, fifo or socket was created; self-heal creates regular files this way as well.
    pub const MKNOD: Self = Self(3);
    /// A directory was created.
    pub const MKDIR: Self = Self(4);
    /// A name of a file was removed.
    pub const UNLINK: Self = Self(5);
    /// A directory was removed.
    pub const RMDIR: Self = Self(6);
    /// A symbolic link was created.
    pub const SYMLINK: Self = Self(7);
    /// A name was changed, or put over another.
    pub const RENAME: Self = Self(8);
    /// A further name was given to a file.
    pub const LINK: Self = Self(9);
    /// A file was created.
    pub const CREATE: Self = Self(23);
    /// Owner, mode or times were set.
    pub const SETATTR: Self = Self(38);

    /// The operation of this name, in any case: `rename`, `RENAME`.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let at = NAMES.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name))?;
        u32::try_from(at).ok().map(Self)
    }

    /// Its name where some release knows the number.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES.get(usize::try_from(self.0).ok()?).copied()
    }
}

impl fmt::Display for Fop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("FOP_{}", self.0)),
        }
    }
}

impl Serialize for Fop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.name() {
            Some(name) => serializer.serialize_str(name),
            None => serializer.collect_str(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        for (fop, name) in [
            (Fop::MKNOD, "MKNOD"),
            (Fop::MKDIR, "MKDIR"),
            (Fop::UNLINK, "UNLINK"),
            (Fop::RMDIR, "RMDIR"),
            (Fop::SYMLINK, "SYMLINK"),
            (Fop::RENAME, "RENAME"),
            (Fop::LINK, "LINK"),
            (Fop::CREATE, "CREATE"),
            (Fop::SETATTR, "SETATTR"),
            (Fop(36), "FSETXATTR"),
            (Fop(45), "FREMOVEXATTR"),
            (Fop(58), "COPY_FILE_RANGE"),
        ] {
            assert_eq!(fop.to_string(), name);
            assert_eq!(Fop::from_name(name.to_lowercase().as_bytes()), Some(fop));
        }
        assert_eq!(Fop(99).to_string(), "FOP_99");
        assert_eq!(Fop::from_name(b"FOP_99"), None);
    }
}
