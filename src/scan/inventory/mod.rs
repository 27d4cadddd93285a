//! What a volume holds, in the order of gfids, read from the handles of its bricks.
//!
//! `.glusterfs/xx/yy` is a radix sort by gfid already: a volume is read slice by slice with memory
//! for one slice, and two volumes of whatever topology are compared slice by slice.

mod bricks;
mod collapse;
mod content;
mod deep;
mod error;
mod item;
mod named;
mod read;
mod source;
mod topology;
mod wire;

pub use bricks::{Holding, Inventory};
pub use collapse::{Disagreement, Object};
pub use error::InventoryError;
pub use item::{Item, ItemKind, Part, Place, Share, Slice, Stamp};
pub use named::Named;
pub use read::Wish;
pub use source::answer;
