//! What the two ends of `georepair agent inventory` say to each other: a JSON object a line.

use serde::{Deserialize, Serialize};

use super::item::{GfidRange, Item, ItemKind, ParentName, Share, Stamp};
use super::read::ReadOptions;
use crate::domain::{Gfid, Mark, Name};

/// A question; the answer is items, if any, and an [`End`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Question {
    /// What is there in a slice?
    Slice { first: u16, last: u16, content: Option<u64> },
    /// What is there of these gfids?
    Look { gfids: Vec<String>, content: Option<u64> },
    /// Which paths have they?
    Paths { gfids: Vec<String> },
    /// How far has this session come?
    Mark { session: String },
    /// Which of them do changelogs past this mark name?
    Named { sec: u32, usec: u32, gfids: Vec<String> },
    /// Does the brick still stand?
    StillThere,
}

/// What a brick says of itself, after the greeting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) volume: String,
    pub(super) range: Option<(u32, u32)>,
    pub(super) own: Vec<String>,
    pub(super) inodes: Option<u64>,
}

/// One line of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    /// The first of all.
    About(About),
    /// An object.
    Item(Box<ItemLine>),
    /// The last line of an answer.
    End(End),
}

/// The end of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct End {
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) unread: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) why: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) nameless: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) paths: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) mark: Option<(u32, u32)>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) gfids: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) notes: Vec<String>,
    /// Why the question could not be answered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) error: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An [`Item`], with names in hex: they may hold any byte.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct ItemLine {
    g: String,
    k: u8,
    s: u8,
    m: u32,
    o: (u32, u32),
    z: u64,
    w: Option<u64>,
    t: (i64, u32),
    c: (i64, u32),
    d: u64,
    l: u64,
    n: Vec<u64>,
    p: Vec<(String, String)>,
    a: Option<String>,
    x: u64,
    h: Option<String>,
}

const KINDS: [ItemKind; 6] = [
    ItemKind::Directory,
    ItemKind::File,
    ItemKind::Symlink,
    ItemKind::Fifo,
    ItemKind::Socket,
    ItemKind::Device,
];
const SHARES: [Share; 3] = [Share::Whole, Share::Fragment, Share::Pointer];

impl Question {
    pub(super) fn slice(slice: GfidRange, wish: ReadOptions) -> Self {
        Self::Slice { first: slice.first, last: slice.last, content: wish.content }
    }

    pub(super) fn named(mark: Mark, gfids: impl Iterator<Item = Gfid>) -> Self {
        Self::Named { sec: mark.sec, usec: mark.usec, gfids: texts(gfids) }
    }
}

pub(super) fn texts(gfids: impl Iterator<Item = Gfid>) -> Vec<String> {
    gfids.map(|gfid| gfid.to_string()).collect()
}

/// The gfids of a list; what is none is left out.
pub(super) fn gfids(texts: &[String]) -> impl Iterator<Item = Gfid> {
    texts.iter().filter_map(|text| Gfid::from_text(text.as_bytes()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn name(hex: &str) -> Option<Name> {
    let digits = hex.as_bytes().chunks(2).map(|two| {
        let two = std::str::from_utf8(two).ok().filter(|two| two.len() == 2)?;
        u8::from_str_radix(two, 16).ok()
    });
    digits.collect::<Option<Vec<u8>>>().map(Name::from)
}

impl ItemLine {
    pub(super) fn of(item: &Item) -> Self {
        let at = |found: Option<usize>| u8::try_from(found.unwrap_or_default()).unwrap_or_default();
        let place = |it: &ParentName| (it.parent.to_string(), hex(it.name.as_bytes()));
        Self {
            g: item.gfid.to_string(),
            k: at(KINDS.iter().position(|kind| *kind == item.kind)),
            s: at(SHARES.iter().position(|share| *share == item.share)),
            m: item.mode,
            o: item.owner,
            z: item.size,
            w: item.sharded,
            t: (item.mtime.sec, item.mtime.nsec),
            c: (item.ctime.sec, item.ctime.nsec),
            d: item.device,
            l: item.links,
            n: item.names.clone(),
            p: item.places.iter().map(place).collect(),
            a: item.target.as_ref().map(|target| hex(target.as_bytes())),
            x: item.xattrs,
            h: item.content.map(|content| format!("{content:032x}")),
        }
    }

    /// The item, or nothing where the line makes no sense.
    pub(super) fn item(self) -> Option<Item> {
        let stamp = |(sec, nsec)| Stamp { sec, nsec };
        let place = |(parent, text): (String, String)| {
            Some(ParentName { parent: Gfid::from_text(parent.as_bytes())?, name: name(&text)? })
        };
        let target = match self.a {
            Some(text) => Some(name(&text)?),
            None => None,
        };
        let content = match self.h {
            Some(text) => Some(u128::from_str_radix(&text, 16).ok()?),
            None => None,
        };
        Some(Item {
            gfid: Gfid::from_text(self.g.as_bytes())?,
            kind: *KINDS.get(usize::from(self.k))?,
            share: *SHARES.get(usize::from(self.s))?,
            mode: self.m,
            owner: self.o,
            size: self.z,
            sharded: self.w,
            mtime: stamp(self.t),
            ctime: stamp(self.c),
            device: self.d,
            links: self.l,
            names: self.n,
            places: self.p.into_iter().map(place).collect::<Option<_>>()?,
            target,
            xattrs: self.x,
            content,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_item_arrives_as_it_is(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            numbers in any::<(u32, u64, i64, Option<u64>, u128)>(),
            kind in 0..6_usize,
            share in 0..3_usize,
        ) {
            let gfid = Gfid::from_bytes(numbers.4.to_be_bytes());
            let item = Item {
                gfid,
                kind: KINDS[kind],
                share: SHARES[share],
                mode: numbers.0,
                owner: (numbers.0, 7),
                size: numbers.1,
                sharded: numbers.3,
                mtime: Stamp { sec: numbers.2, nsec: 5 },
                ctime: Stamp { sec: 1, nsec: numbers.0 },
                device: 3,
                links: 4,
                names: vec![numbers.1, 7],
                places: vec![ParentName { parent: gfid, name: Name::from(&bytes) }],
                target: (kind == 2).then(|| Name::from(&bytes)),
                xattrs: numbers.1,
                content: Some(numbers.4),
            };
            let text = serde_json::to_string(&Line::Item(Box::new(ItemLine::of(&item)))).unwrap();
            let Line::Item(line) = serde_json::from_str(&text).unwrap() else { panic!() };
            prop_assert_eq!(line.item(), Some(item));
        }
    }
}
