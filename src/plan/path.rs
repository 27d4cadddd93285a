//! A path on a node, exact in JSON whatever its bytes.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::Name;

/// An absolute path on a node, or relative to a mount if the object says so.
///
/// In JSON the two fields `path`, lossy, and `path_bytes`, hex if the path is not UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(into = "Fields", try_from = "Fields")]
pub struct NodePath(Name);

/// Distinguishes a file or directory from another one that later has its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The inode's number.
    pub inode: u64,
    /// Its birth time, nanoseconds since 1970; `None` if its file system has none. Inode numbers
    /// are reused soon, both together are not.
    pub born: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Fields {
    path: String,
    path_bytes: Option<String>,
}

impl NodePath {
    /// The path for the operating system.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(self.0.as_os_str())
    }

    /// The path for people.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0
    }
}

impl From<&Path> for NodePath {
    fn from(path: &Path) -> Self {
        Self(Name::from(path.as_os_str().as_encoded_bytes()))
    }
}

impl From<PathBuf> for NodePath {
    fn from(path: PathBuf) -> Self {
        Self::from(path.as_path())
    }
}

impl From<&str> for NodePath {
    fn from(path: &str) -> Self {
        Self(Name::from(path))
    }
}

impl From<Name> for NodePath {
    fn from(name: Name) -> Self {
        Self(name)
    }
}

impl AsRef<Path> for NodePath {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<NodePath> for Fields {
    fn from(place: NodePath) -> Self {
        Self { path: place.0.lossy().into_owned(), path_bytes: place.0.exact() }
    }
}

impl TryFrom<Fields> for NodePath {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let bytes = match &fields.path_bytes {
            Some(hex) => super::state::bytes_of_hex(hex)?,
            None => fields.path.into_bytes(),
        };
        if bytes.contains(&0) {
            return Err("a path cannot hold a NUL byte".to_owned());
        }
        Ok(Self(Name::from(bytes)))
    }
}
