//! Both sides of one object, put next to each other.

use crate::domain::{Gfid, Name};
use crate::scan::inventory::{Item, Object};

/// Both sides of one object, with its paths on each.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The object.
    pub gfid: Gfid,
    /// The primary's.
    pub primary: Option<&'a Object>,
    /// The secondary's.
    pub secondary: Option<&'a Object>,
    /// Its paths on the primary.
    pub primary_paths: &'a [Name],
    /// Its paths on the secondary.
    pub secondary_paths: &'a [Name],
}

impl<'a> Sides<'a> {
    /// A copy of the primary's.
    pub(super) fn here(&self) -> Option<&'a Item> {
        self.primary.and_then(Object::item)
    }

    /// A copy of the secondary's.
    pub(super) fn there(&self) -> Option<&'a Item> {
        self.secondary.and_then(Object::item)
    }

    /// One word for what it is, on the primary if it is there.
    pub(super) fn kind(&self) -> &'static str {
        self.here().or(self.there()).map_or("object", |item| item.kind.word())
    }

    /// Whether the primary's file has data and the secondary's has none.
    pub(super) fn is_empty_on_secondary(&self) -> bool {
        self.here().zip(self.there()).is_some_and(|(here, there)| here.size > 0 && there.size == 0)
    }
}
