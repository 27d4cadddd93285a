//! What a step does: it sets one object, or works through a list.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::action::Action;
use super::bulk::Bulk;
use super::manifest::Manifest;
use super::object::Object;

/// What a step does.
///
/// In JSON both have the form of an [`Action`]: a list is an object of the kind `bulk`, which is
/// brought into the state `as-listed`, or `spent` if it cannot be undone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// One object is brought into a state.
    Set(Action),
    /// Very many objects, listed in a file.
    Bulk {
        /// What is done with each.
        bulk: Bulk,
        /// The list.
        manifest: Manifest,
    },
}

impl Work {
    /// The one change, if it is one.
    #[must_use]
    pub fn action(&self) -> Option<&Action> {
        if let Self::Set(action) = self { Some(action) } else { None }
    }

    /// The list, if it works through one.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        if let Self::Bulk { manifest, .. } = self { Some(manifest) } else { None }
    }

    /// Whether the earlier state can be restored.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        match self {
            Self::Set(action) => action.is_reversible(),
            Self::Bulk { bulk, .. } => *bulk == Bulk::Changes,
        }
    }

    /// Whether a step only waits: then there is nothing to undo.
    #[must_use]
    pub fn only_waits(&self) -> bool {
        self.action().is_some_and(|action| action.object.is_awaited())
    }

    /// Whether doing it could change the state of this object.
    #[must_use]
    pub fn may_change(&self, object: &Object) -> bool {
        match self {
            Self::Set(action) => object.changes_with(&action.object),
            Self::Bulk { .. } => true,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListFields {
    object: ListObject,
    shall_be: ListState,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum ListObject {
    Bulk { bulk: Bulk, manifest: Manifest },
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
enum ListState {
    AsListed,
    Spent,
}

impl ListState {
    fn after(bulk: &Bulk) -> Self {
        match bulk {
            Bulk::Changes => Self::AsListed,
            Bulk::TriggerSync { .. } => Self::Spent,
        }
    }
}

impl Serialize for Work {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(action) => action.serialize(serializer),
            Self::Bulk { bulk, manifest } => {
                let (bulk, manifest) = (bulk.clone(), manifest.clone());
                let shall_be = ListState::after(&bulk);
                let object = ListObject::Bulk { bulk, manifest };
                ListFields { object, shall_be }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Work {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Read in two steps, so that an error names the wrong field of the right kind.
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.pointer("/object/kind").is_none_or(|kind| kind != "bulk") {
            return serde_json::from_value(value).map(Self::Set).map_err(D::Error::custom);
        }
        let fields: ListFields = serde_json::from_value(value).map_err(D::Error::custom)?;
        let ListObject::Bulk { bulk, manifest } = fields.object;
        if fields.shall_be != ListState::after(&bulk) {
            return Err(D::Error::custom(format!("wrong `shall_be` for {bulk}")));
        }
        Ok(Self::Bulk { bulk, manifest })
    }
}
