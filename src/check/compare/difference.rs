//! What can differ between the two sides of an object: one row for each comparison.
//!
//! geo-replication does not preserve everything: on 10.3 no times of anything but files, no default
//! ACL of a directory. What it does not preserve is not compared.

use std::collections::BTreeSet;

use super::sides::Sides;
use crate::domain::Code;
use crate::scan::inventory::{Item, ItemKind, Object, Share};

/// How a comparison is made.
enum Test {
    /// Of the objects, one of which may be missing.
    Objects(fn(Option<&Object>, Option<&Object>) -> bool),
    /// Of two copies; all but their type only if they have the same.
    Copies(fn(&Item, &Item) -> bool),
}
use Test::{Copies, Objects};

/// Makes the enum, and for each variant what its row says: a variant without a row cannot exist.
macro_rules! differences {
    ($($(#[$doc:meta])* $name:ident, $code:ident, $scope:literal, $test:expr, $says:expr;)*) => {
        /// How the two sides of an object differ.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Difference { $($(#[$doc])* $name),* }

        impl Difference {
            /// All of them, in the order in which they are reported.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code of its findings.
            #[must_use]
            pub fn code(self) -> Code {
                match self { $(Self::$name => Code::$code),* }
            }

            /// What is compared, in a few words; empty if another row says it, or an option.
            #[must_use]
            pub fn scope(self) -> &'static str {
                match self { $(Self::$name => $scope),* }
            }

            /// One sentence about it.
            pub(super) fn says(self, sides: &Sides<'_>) -> String {
                let says: fn(&Sides<'_>) -> String = match self { $(Self::$name => $says),* };
                says(sides)
            }

            fn test(self) -> Test {
                match self { $(Self::$name => $test),* }
            }
        }
    };
}

differences! {
    /// The secondary does not have it.
    OnlyOnPrimary, OnlyOnPrimary, "existence",
        Objects(|here, there| here.is_some() && there.is_none()),
        |sides| format!("the {} is missing on the secondary", sides.kind());
    /// The primary does not have it.
    OnlyOnSecondary, OnlyOnSecondary, "",
        Objects(|here, there| here.is_none() && there.is_some()),
        |sides| format!("the {} exists only on the secondary", sides.kind());
    /// Its type, such as a directory here and a file there.
    Type, TypeDiffers, "type",
        Copies(|one, other| one.kind != other.kind),
        type_words;
    /// Its name or directory.
    Place, PlaceDiffers, "names",
        Copies(|one, other| changed_names(one, other) == Some(Names::Moved)),
        |_| "different path on the secondary: a rename was not replicated".to_owned();
    /// One of its names is missing on a side.
    LinkMissing, LinkMissing, "",
        Copies(|one, other| changed_names(one, other) == Some(Names::Fewer)),
        |sides| {
            let links = |item: Option<&Item>| item.map_or(0, |item| item.links);
            let (here, there) = (links(sides.here()), links(sides.there()));
            format!("hard links: {here} on the primary, {there} on the secondary")
        };
    /// The size of a file.
    Size, SizeDiffers, "size",
        Copies(|one, other| one.kind == ItemKind::File && !is_same_size(one, other)),
        size_words;
    /// When the content of a file changed last.
    Mtime, MtimeDiffers, "mtime of files",
        Copies(|one, other| {
            one.kind == ItemKind::File && is_same_size(one, other) && !is_same_time(one, other)
        }),
        |_| "same size, different mtime: the content may differ too".to_owned();
    /// Mode, owner, ACL, user xattrs, or a device's number.
    Metadata, MetadataDiffers, "mode, owner, ACL, user xattrs",
        Copies(|one, other| match one.kind {
            // A symlink's mode means nothing.
            ItemKind::Symlink => one.owner != other.owner,
            _ => {
                (one.mode, one.owner, one.xattrs, one.device)
                    != (other.mode, other.owner, other.xattrs, other.device)
            }
        }),
        metadata_words;
    /// The target of a symlink.
    Target, TargetDiffers, "symlink targets",
        Copies(|one, other| one.kind == ItemKind::Symlink && one.target != other.target),
        |_| "the symlink has another target on the secondary".to_owned();
    /// Content of the same size.
    Content, ContentDiffers, "",
        Copies(|one, other| {
            one.content != other.content
                && one.content.is_some()
                && other.content.is_some()
                && one.size == other.size
                && [one.share, other.share] == [Share::Whole; 2]
                && one.kind == ItemKind::File
        }),
        |_| "same size, different content".to_owned();
    /// The primary's own copies disagree.
    PrimaryCopies, CopiesDiffer, "",
        Objects(|here, _| here.is_some_and(|object| object.disagreement.is_some())),
        |sides| copies_words("primary", sides.primary);
    /// The secondary's own copies disagree.
    SecondaryCopies, CopiesDiffer, "",
        Objects(|_, there| there.is_some_and(|object| object.disagreement.is_some())),
        |sides| copies_words("secondary", sides.secondary);
}

/// All differences of one object, in two bytes: there may be millions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Differences(u16);

const _: () = assert!(Difference::ALL.len() <= u16::BITS as usize, "one bit for each");

impl Differences {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn contains(self, difference: Difference) -> bool {
        self.0 & (1 << difference as u16) != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Difference> {
        Difference::ALL.iter().copied().filter(move |it| self.contains(*it))
    }

    fn add(&mut self, difference: Difference) {
        self.0 |= 1 << difference as u16;
    }
}

/// Compares the two sides of one gfid.
#[must_use]
pub fn compare(primary: Option<&Object>, secondary: Option<&Object>) -> Differences {
    let mut found = match (primary, secondary) {
        (Some(here), Some(there)) => compare_copies(here, there),
        _ => Differences::default(),
    };
    for difference in Difference::ALL {
        if let Objects(differ) = difference.test()
            && differ(primary, secondary)
        {
            found.add(*difference);
        }
    }
    found
}

/// If replicas disagree, the closest pair is compared: the disagreement is a finding of its own.
fn compare_copies(primary: &Object, secondary: &Object) -> Differences {
    let pairs = primary
        .copies
        .iter()
        .flat_map(|one| secondary.copies.iter().map(move |other| compare_items(one, other)));
    pairs.min_by_key(|found| found.0.count_ones()).unwrap_or_default()
}

pub(super) fn compare_items(one: &Item, other: &Item) -> Differences {
    let mut found = Differences::default();
    if is_equal(one, other) {
        return found;
    }
    if one.kind != other.kind {
        // What else differs follows from that.
        found.add(Difference::Type);
        return found;
    }
    for difference in Difference::ALL {
        if let Copies(differ) = difference.test()
            && differ(one, other)
        {
            found.add(*difference);
        }
    }
    found
}

/// Whether all that any row compares is equal, as it is for nearly all objects: one pass over the
/// fields is faster than the rows. A field that is not named here does not compile.
fn is_equal(one: &Item, other: &Item) -> bool {
    let Item {
        gfid: _,
        share: _,
        ctime: _,
        places: _,
        kind,
        mode,
        owner,
        size,
        sharded,
        mtime,
        device,
        links,
        names,
        target,
        xattrs,
        content,
    } = one;
    (*kind, *mode, *owner, *size) == (other.kind, other.mode, other.owner, other.size)
        && (*sharded, *mtime, *device) == (other.sharded, other.mtime, other.device)
        && (*links, *xattrs, *content) == (other.links, other.xattrs, other.content)
        && *names == other.names
        && *target == other.target
}

/// How the names of an object changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Both sides have some that the other has not.
    Moved,
    /// One side has all of the other's, and more.
    Fewer,
}

fn changed_names(one: &Item, other: &Item) -> Option<Names> {
    if !one.is_named() || !other.is_named() {
        return (one.links != other.links).then_some(Names::Fewer);
    }
    if one.names == other.names {
        return None;
    }
    let (here, there): (BTreeSet<_>, BTreeSet<_>) =
        (one.names.iter().collect(), other.names.iter().collect());
    match (here.is_subset(&there), there.is_subset(&here)) {
        (true, true) => None,
        (false, false) => Some(Names::Moved),
        _ => Some(Names::Fewer),
    }
}

fn is_same_size(one: &Item, other: &Item) -> bool {
    (one.size, one.sharded) == (other.size, other.sharded)
}

/// gsyncd sets some times by a python float, which is off by less than a microsecond.
fn is_same_time(one: &Item, other: &Item) -> bool {
    let nanos =
        |item: &Item| i128::from(item.mtime.sec) * 1_000_000_000 + i128::from(item.mtime.nsec);
    (nanos(one) - nanos(other)).abs() < 1000
}

fn type_words(sides: &Sides<'_>) -> String {
    let word = |item: Option<&Item>| item.map_or("nothing", |item| item.kind.word());
    format!("{} on the primary, {} on the secondary", word(sides.here()), word(sides.there()))
}

fn size_words(sides: &Sides<'_>) -> String {
    let size = |item: Option<&Item>| item.map_or(0, |item| item.sharded.unwrap_or(item.size));
    let (here, there) = (size(sides.here()), size(sides.there()));
    if sides.is_empty_on_secondary() {
        return format!(
            "empty on the secondary, {here} bytes on the primary: its data was not replicated"
        );
    }
    format!("{here} bytes on the primary, {there} on the secondary")
}

fn metadata_words(sides: &Sides<'_>) -> String {
    let Some((here, there)) = sides.here().zip(sides.there()) else { return String::new() };
    let parts = [
        ("mode", here.mode != there.mode && here.kind != ItemKind::Symlink),
        ("owner", here.owner != there.owner),
        ("ACL or user xattrs", here.xattrs != there.xattrs),
        ("device number", here.device != there.device),
    ];
    let parts: Vec<_> = parts.iter().filter(|part| part.1).map(|part| part.0).collect();
    format!("different {} on the secondary", parts.join(" and "))
}

fn copies_words(side: &str, object: Option<&Object>) -> String {
    let found = object.and_then(|object| object.disagreement.as_ref());
    let what = found.map_or("", |found| found.what);
    let bricks = match found.map_or(0, |found| found.bricks.len()) {
        1 => "1 brick differs".to_owned(),
        count => format!("{count} bricks differ"),
    };
    format!(
        "the {side}'s replicas disagree in {what}: {bricks} from the newest copy; heal the volume \
         first"
    )
}
