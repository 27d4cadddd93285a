//! Volumes and bricks as glusterd describes them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use uuid::Uuid;

/// A volume: what it is made of and how it is set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Its id, the bytes of `trusted.glusterfs.volume-id` on every brick.
    pub id: Uuid,
    /// Whether it is started.
    pub started: bool,
    /// How many bricks hold the same files: replicas with their arbiters, or a disperse set; 1 where
    /// each file is on one brick.
    pub set_size: usize,
    /// How many bricks of a disperse set may be lost; 0 in a volume that is not dispersed.
    pub redundancy: usize,
    /// The bricks in the order of the volume: neighbours by `set_size` make one set.
    pub bricks: Vec<Brick>,
    /// The options that were set, by a person or by GlusterFS; the others have their defaults.
    pub options: BTreeMap<String, String>,
}

/// A brick of a volume.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Brick {
    /// The node's name, as in `gluster volume info`.
    pub node: String,
    /// Its root directory on that node.
    pub dir: PathBuf,
    /// The id of the node's glusterd.
    pub host: Uuid,
    /// Whether it holds names only, no data.
    pub arbiter: bool,
}

impl Volume {
    /// The bricks set by set; a set's bricks hold the same files.
    pub fn sets(&self) -> impl Iterator<Item = &[Brick]> {
        self.bricks.chunks(self.set_size.max(1))
    }

    /// Whether files are split into fragments, so that no brick holds a whole one.
    #[must_use]
    pub fn is_dispersed(&self) -> bool {
        self.redundancy > 0
    }

    /// The value, if the option was set explicitly.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.get(key).map(String::as_str)
    }

    /// Whether an option is set and on, in any of the words GlusterFS takes for it.
    #[must_use]
    pub fn is_on(&self, key: &str) -> bool {
        let on = ["on", "yes", "true", "enable", "1"];
        self.option(key).is_some_and(|value| on.contains(&value.to_ascii_lowercase().as_str()))
    }

    /// Whether the volume id read from a brick's root is this volume's.
    #[must_use]
    pub fn is_of(&self, id: [u8; 16]) -> bool {
        *self.id.as_bytes() == id
    }
}

impl Brick {
    /// `NODE:DIR`, as the CLI writes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}:{}", self.node, self.dir.display())
    }
}
