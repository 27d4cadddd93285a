//! What a volume holds, in the order of gfids, read from the handles of its bricks.
//!
//! `.glusterfs/xx/yy` is a radix sort by gfid already: a volume is read slice by slice with memory
//! for one slice, and two volumes of whatever topology are compared slice by slice.

mod brick_source;
mod content;
mod deep_path;
mod error;
mod exact_name;
mod item;
mod own;
mod pending;
mod read;
mod replicas;
mod topology;
mod volume;
mod wire;

pub use brick_source::serve;
pub use error::InventoryError;
pub use item::{GfidRange, Item, ItemKind, ParentName, Part, Share, Stamp};
pub use pending::PendingGfids;
pub use read::ReadOptions;
pub use replicas::{Disagreement, Object};
pub use volume::{Inventoried, Inventory};
