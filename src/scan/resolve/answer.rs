//! Queries about gfids, and what each brick answers.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::{EntryId, Gfid, Name, twin};

/// One query, in any form people paste it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// A gfid in any notation.
    Gfid(Gfid),
    /// A path below a brick's root.
    Path(Name),
    /// `.gfid/<parent>/<name>`, as logs name an entry.
    Entry(EntryId),
    /// None of these; the text as given.
    Malformed(Name),
}

/// What kind of object a gfid is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A user's own symlink.
    Symlink,
    /// A fifo, socket or device.
    Special,
}

/// The outcome of a query on a brick.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// At least one path is known and was verified.
    Resolved,
    /// The object or its handle exists, but it cannot be reached from the root.
    Orphan,
    /// The handles of its ancestors form a ring.
    Cycle,
    /// Its handle points to a place where nothing is.
    Dangling,
    /// Another object is in its place.
    Foreign,
    /// There is no handle.
    Missing,
    /// The query, or the text of the handle, has no known form.
    Malformed,
}

/// How the paths were found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// It is the root.
    Root,
    /// A directory's handle and those of its ancestors.
    Handle,
    /// The `trusted.gfid2path.*` xattrs.
    Gfid2path,
    /// Reading directories and comparing inode numbers: those that `trusted.pgfid.*` names, or
    /// the whole namespace.
    Scan,
}

/// One name of an object.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Link {
    /// Its path below the brick root.
    pub path: Name,
    /// The gfid of its directory, if known.
    pub parent: Option<Gfid>,
}

/// A directory between an object and the root.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Ancestor {
    /// Its gfid, if it has one.
    pub gfid: Option<Gfid>,
    /// Its own name; the root's is `.`.
    #[serde(flatten, serialize_with = "twin::name")]
    pub name: Name,
}

/// Why a recorded name is not valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stale {
    /// Nothing is there.
    NoSuchName,
    /// Another object is there.
    OtherObject,
    /// The directory itself cannot be reached from the root.
    LostParent,
    /// It could not be read.
    Unreadable,
}

/// A name that a `trusted.gfid2path.*` xattr records but the object does not have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StaleLink {
    /// The directory recorded.
    pub parent: Gfid,
    /// The name in it.
    #[serde(flatten, serialize_with = "twin::name")]
    pub name: Name,
    /// What is wrong with it.
    pub found: Stale,
}

/// What one brick knows of one gfid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrickAnswer {
    /// The brick.
    pub brick: Arc<Name>,
    /// What the object is, if known.
    pub kind: Option<ObjectKind>,
    /// The outcome; `None` if too much of the brick was unreadable to judge.
    pub status: Option<Status>,
    /// The verified names, by path.
    pub links: Vec<Link>,
    /// From the first name's directory up to the root.
    pub ancestors: Arc<[Ancestor]>,
    /// How the paths were found.
    pub via: Option<Via>,
    /// Recorded names that are not valid.
    pub stale: Vec<StaleLink>,
    /// Where the data is, if this is only DHT's pointer to it.
    pub linkto: Option<Name>,
    /// How many more names its link count implies than were found.
    pub unseen: u64,
    /// An explanation, for people.
    pub says: Option<String>,
    /// The inode whose missing names only a scan can find.
    pub(super) scan_for: Option<u64>,
    /// Whether reading failed, so that the outcome is unknown.
    pub(super) unreadable: bool,
}

/// What all bricks answer to one query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The query.
    pub query: Query,
    /// The gfid it is about, if known.
    pub gfid: Option<Gfid>,
    /// Each brick's answer, in the order the bricks were given; empty for malformed queries.
    pub bricks: Vec<BrickAnswer>,
}

impl BrickAnswer {
    pub(super) fn new(brick: &Arc<Name>, status: Option<Status>) -> Self {
        Self {
            brick: Arc::clone(brick),
            kind: None,
            status,
            links: Vec::new(),
            ancestors: Arc::default(),
            via: None,
            stale: Vec::new(),
            linkto: None,
            unseen: 0,
            says: None,
            scan_for: None,
            unreadable: false,
        }
    }

    pub(super) fn of_kind(mut self, kind: Option<ObjectKind>) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn saying(mut self, says: impl Into<String>) -> Self {
        self.says = Some(says.into());
        self
    }

    pub(super) fn unreadable(brick: &Arc<Name>, what: &str, why: impl std::fmt::Display) -> Self {
        let answer = Self::new(brick, None).saying(format!("cannot read {what}: {why}"));
        Self { unreadable: true, ..answer }
    }

    /// Rank for [`Answer::owner`]: the data, then DHT's pointer to it, then a fault.
    fn weight(&self) -> u8 {
        match self.status {
            Some(Status::Resolved) if self.linkto.is_none() => 4,
            Some(Status::Resolved) => 3,
            Some(Status::Missing | Status::Malformed) => 0,
            Some(_) => 2,
            None => 1,
        }
    }
}

impl Answer {
    /// The answer that counts for the volume: that of the brick with the data, if there is one.
    #[must_use]
    pub fn owner(&self) -> Option<&BrickAnswer> {
        let best = self.bricks.iter().map(BrickAnswer::weight).max()?;
        self.bricks.iter().find(|answer| answer.weight() == best)
    }

    /// The status over all bricks; `None` if no brick could be read well enough.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.owner().map_or(Some(Status::Malformed), |answer| answer.status)
    }

    /// Whether some brick has names that only a scan of the namespace can find.
    #[must_use]
    pub fn needs_scan(&self) -> bool {
        self.bricks.iter().any(|answer| answer.scan_for.is_some())
    }

    /// Whether the outcome is unknown because reading failed.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.status() != Some(Status::Resolved)
            && self.bricks.iter().any(|answer| answer.unreadable)
    }

    /// Whether the bricks disagree: different paths, a different kind, or a directory that some
    /// brick lacks. A file on only some bricks is normal in a distributed volume.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        let Some(owner) = self.owner() else { return false };
        self.bricks.iter().any(|answer| match answer.status {
            Some(Status::Missing) => owner.kind == Some(ObjectKind::Directory),
            None => false,
            Some(status) if Some(status) != owner.status => true,
            Some(_) if answer.kind != owner.kind => true,
            Some(_) if answer.linkto.is_some() && owner.linkto.is_none() => {
                answer.links.iter().any(|link| !owner.links.iter().any(|own| own.path == link.path))
            }
            Some(_) => answer.links != owner.links,
        })
    }
}
