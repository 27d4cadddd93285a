//! What a brick holds of one gfid, as far as two volumes can be compared by it.

use serde::{Deserialize, Serialize};

use super::exact_name;
use crate::domain::{Gfid, Name, Time};

/// What kind of object it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum ItemKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A user's symlink.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character or block device.
    Device,
}

impl ItemKind {
    /// One word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File => "file",
            Self::Symlink => "symlink",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::Device => "device",
        }
    }
}

/// One name of an object: its directory and the name there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ParentName {
    /// The directory.
    pub parent: Gfid,
    /// The name in it.
    #[serde(with = "exact_name")]
    pub name: Name,
}

/// A time with all the digits a brick has: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// Seconds since 1970.
    pub sec: i64,
    /// Nanoseconds within the second.
    pub nsec: u32,
}

impl Stamp {
    /// The moment, to the microsecond.
    #[must_use]
    pub fn time(self) -> Time {
        Time::from_micros(self.sec.saturating_mul(1_000_000) + i64::from(self.nsec / 1000))
    }
}

/// Whether a file's bytes on this brick are the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Share {
    /// They are.
    Whole,
    /// A fragment of a disperse volume; the size is the whole file's (`trusted.ec.size`).
    Fragment,
    /// DHT's pointer to another brick: no data, no file of its own.
    Pointer,
}

/// One object on one brick.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Its gfid.
    pub gfid: Gfid,
    /// What it is.
    pub kind: ItemKind,
    /// Whether its bytes here are all of it.
    pub share: Share,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// User and group.
    pub owner: (u32, u32),
    /// Bytes, as a client sees them; of a sharded file its first shard.
    pub size: u64,
    /// The whole size of a sharded file (`trusted.glusterfs.shard.file-size`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub sharded: Option<u64>,
    /// When its content changed last, as a client sees it (`trusted.glusterfs.mdata` where there
    /// is one: then the inode's own time is not what clients see).
    pub mtime: Stamp,
    /// When its inode changed last on this brick: tells two looks apart.
    pub ctime: Stamp,
    /// A device's number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub device: u64,
    /// How many names it has; 1 for a directory.
    pub links: u64,
    /// A digest of each of its names, sorted: what the keys of `trusted.gfid2path.*` end in, the
    /// xxh64 of `PARENT/NAME` (`posix-gfid-path.c`), and the same of a directory's handle. It tells
    /// names apart without reading them.
    pub names: Vec<u64>,
    /// Its names themselves, sorted; of anything but a directory only where asked for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub places: Vec<ParentName>,
    /// Where a symlink leads.
    #[serde(default, skip_serializing_if = "is_default", with = "exact_name::option")]
    pub target: Option<Name>,
    /// Digest of `user.*` xattrs and ACLs, names and values; 0 where there are none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub xattrs: u64,
    /// Digest of the content, where it was asked for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub content: Option<u128>,
}

/// Whether it need not be sent.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Item {
    /// Whether all its names are known.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.names.len() as u64 == self.links
    }
}

/// What was read of a part of a brick.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// The objects, in the order of their gfids.
    pub items: Vec<Item>,
    /// Objects that could not be read.
    pub unread: u64,
    /// The first reason why.
    pub why: Option<String>,
    /// Handles behind which nothing stands in the namespace: for an audit of the brick to judge.
    pub nameless: u64,
}

impl Part {
    /// Adds what was read after it.
    pub(super) fn add(&mut self, next: Self) {
        self.items.extend(next.items);
        self.unread += next.unread;
        self.nameless += next.nameless;
        if self.why.is_none() {
            self.why = next.why;
        }
    }
}

/// A range of gfids by their first two bytes, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct GfidRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

impl GfidRange {
    /// Every gfid.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// The range in so many parts of about the same size, or fewer.
    #[must_use]
    pub fn pieces(self, count: u32) -> Vec<Self> {
        let (first, size) = (u32::from(self.first), u32::from(self.last - self.first) + 1);
        let edge = |n: u32| first + n * size / count.max(1);
        let piece = |n| {
            let (first, last) = (edge(n), edge(n + 1).checked_sub(1)?);
            let piece = Self { first: u16::try_from(first).ok()?, last: u16::try_from(last).ok()? };
            (first <= last).then_some(piece)
        };
        (0..count).filter_map(piece).collect()
    }

    /// The part with this number, counted from 0, of so many equal ones.
    #[must_use]
    pub fn part(number: u16, of: u16) -> Option<Self> {
        (number < of).then(|| Self::ALL.pieces(of.into()).get(usize::from(number)).copied())?
    }

    /// Whether a gfid lies in it.
    #[must_use]
    pub fn holds(self, gfid: Gfid) -> bool {
        let [first, second, ..] = *gfid.as_bytes();
        (self.first..=self.last).contains(&u16::from_be_bytes([first, second]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once() {
        for of in [1, 2, 3, 7, 256, 1000] {
            let parts: Vec<_> = (0..of).map(|n| GfidRange::part(n, of).unwrap()).collect();
            assert_eq!((parts[0].first, parts[parts.len() - 1].last), (0, u16::MAX));
            assert!(parts.windows(2).all(|two| two[0].last + 1 == two[1].first));
        }
        assert_eq!(GfidRange::part(2, 2), None);
        let odd = GfidRange { first: 0x12fe, last: 0x1301 };
        let sizes =
            |count| odd.pieces(count).iter().map(|s| s.last - s.first + 1).collect::<Vec<_>>();
        assert_eq!((sizes(2), sizes(3), sizes(9)), (vec![2, 2], vec![1, 1, 2], vec![1; 4]));
        assert!(odd.holds("12ff0000-0000-0000-0000-000000000000".parse().unwrap()));
        assert!(!odd.holds("13020000-0000-0000-0000-000000000000".parse().unwrap()));
    }
}
