//! What is asked about a gfid, and what each brick answers.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::{EntryId, Gfid, Name};

/// One question, as people paste it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// A gfid in any notation.
    Gfid(Gfid),
    /// A path below a brick's root.
    Path(Name),
    /// `.gfid/<parent>/<name>`, as logs name an entry.
    Entry(EntryId),
    /// Neither; the text as it was given.
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

/// How a question ended on a brick.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// At least one path is known and was verified.
    Resolved,
    /// The object or its handle is there, but no way leads to it from the root.
    Orphan,
    /// The handles of its ancestors form a ring.
    Cycle,
    /// Its handle names a place where nothing stands.
    Dangling,
    /// What stands in its place is another object.
    Foreign,
    /// There is no handle.
    Missing,
    /// The question, or the handle's text, has no known form.
    Malformed,
}

/// What showed the paths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// It is the root.
    Root,
    /// A directory's handle and those of its ancestors.
    Handle,
    /// The `trusted.gfid2path.*` xattrs.
    Gfid2path,
    /// Reading directories and comparing inode numbers: one parent that `trusted.pgfid.*`
    /// names, or the whole namespace.
    Scan,
}

/// One name of an object.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Link {
    /// Its path below the brick root.
    pub path: Name,
    /// The gfid of the directory it stands in, where that is known.
    pub parent: Option<Gfid>,
}

/// A directory on the way from an object to the root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ancestor {
    /// Its gfid, where it carries one.
    pub gfid: Option<Gfid>,
    /// Its own name; the root's is `.`.
    pub name: Name,
}

/// Why a recorded name does not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stale {
    /// Nothing stands there.
    NoSuchName,
    /// Another object stands there.
    OtherObject,
    /// The directory itself cannot be found from the root.
    LostParent,
    /// It could not be looked at.
    Unreadable,
}

/// A name that a `trusted.gfid2path.*` xattr records and that is not, or no longer, true.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaleLink {
    /// The directory it names.
    pub parent: Gfid,
    /// The name in it.
    pub name: Name,
    /// What is wrong with it.
    pub found: Stale,
}

/// What one brick knows of one gfid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrickAnswer {
    /// The brick.
    pub brick: Arc<Name>,
    /// What the object is, where that could be told.
    pub kind: Option<ObjectKind>,
    /// How it ended; nothing where the brick could not be seen well enough to say.
    pub status: Option<Status>,
    /// The verified names, by path.
    pub links: Vec<Link>,
    /// The way from the first name's directory to the root: nearest first, root last.
    pub ancestors: Arc<[Ancestor]>,
    /// What showed the paths.
    pub via: Option<Via>,
    /// Recorded names that are not true.
    pub stale: Vec<StaleLink>,
    /// Where the data is, if this is only DHT's pointer to it.
    pub linkto: Option<Name>,
    /// How many names its link count promises beyond those found.
    pub unseen: u64,
    /// What is to be said about it, for people.
    pub says: Option<String>,
    /// The inode whose names only a scan can tell.
    pub(super) leftover: Option<u64>,
    /// Whether reading failed, so that nothing can be said.
    pub(super) blind: bool,
}

/// What all bricks know of one question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The question.
    pub asked: Query,
    /// The gfid it is about, where there is one.
    pub gfid: Option<Gfid>,
    /// What each brick says, in the order the bricks were given; empty for malformed questions.
    pub sights: Vec<BrickAnswer>,
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
            leftover: None,
            blind: false,
        }
    }

    pub(super) fn of(mut self, kind: Option<ObjectKind>) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn saying(mut self, says: impl Into<String>) -> Self {
        self.says = Some(says.into());
        self
    }

    pub(super) fn blind(brick: &Arc<Name>, what: &str, why: impl std::fmt::Display) -> Self {
        let sight = Self::new(brick, None).saying(format!("cannot read {what}: {why}"));
        Self { blind: true, ..sight }
    }

    /// How much this sight deserves to speak for the volume: data before pointer before trouble.
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
    /// The sight that speaks for the volume: the brick that owns the data, where one does.
    #[must_use]
    pub fn owner(&self) -> Option<&BrickAnswer> {
        let best = self.sights.iter().map(BrickAnswer::weight).max()?;
        self.sights.iter().find(|sight| sight.weight() == best)
    }

    /// The status over all bricks; nothing where no brick could be seen well enough.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.owner().map_or(Some(Status::Malformed), |sight| sight.status)
    }

    /// Whether some brick has names that only a scan of the namespace can tell.
    #[must_use]
    pub fn needs_scan(&self) -> bool {
        self.sights.iter().any(|sight| sight.leftover.is_some())
    }

    /// Whether nothing can be said because reading failed.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.status() != Some(Status::Resolved) && self.sights.iter().any(|sight| sight.blind)
    }

    /// Whether the bricks contradict each other: other paths, another kind, or a directory that
    /// some brick lacks. A file on only some bricks is ordinary in a distributed volume.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        let Some(owner) = self.owner() else { return false };
        self.sights.iter().any(|sight| match sight.status {
            Some(Status::Missing) => owner.kind == Some(ObjectKind::Directory),
            None => false,
            Some(status) if Some(status) != owner.status => true,
            Some(_) if sight.kind != owner.kind => true,
            Some(_) if sight.linkto.is_some() && owner.linkto.is_none() => {
                sight.links.iter().any(|link| !owner.links.iter().any(|own| own.path == link.path))
            }
            Some(_) => sight.links != owner.links,
        })
    }
}
