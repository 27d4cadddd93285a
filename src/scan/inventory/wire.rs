//! The requests and answers of `georepair agent inventory`.

use serde::{Deserialize, Serialize};

use super::exact_name;
use super::item::{GfidRange, Part};
use super::pending::PendingGfids;
use super::read::ReadOptions;
use crate::domain::{Gfid, Mark, Name};

/// How many objects a line has.
const LINE: usize = 64;

/// A question about a brick.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Question {
    /// What does the brick say about itself?
    About,
    /// Which objects are in this range?
    Slice(GfidRange, ReadOptions),
    /// Which of these are there, with their names?
    Look(Vec<Gfid>, ReadOptions),
    /// Which paths do these have?
    Paths(Vec<Gfid>),
    /// How far is this session?
    Mark(String),
    /// Which of these do changelogs after the mark name?
    Pending(Mark, Vec<Gfid>),
    /// Is the brick still mounted?
    StillThere,
}

/// The answer to a [`Question`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    About(About),
    /// To [`Question::Slice`] and [`Question::Look`].
    Part(Part),
    /// In the order of the question.
    Paths(#[serde(with = "exact_name::lists")] Vec<Vec<Name>>),
    Mark(Option<Mark>),
    Pending(PendingGfids),
    /// It is.
    StillThere,
}

/// What a brick says about itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct About {
    /// The volume's id.
    pub(super) volume: [u8; 16],
    /// The range of hashes of its root, for DHT.
    pub(super) range: Option<(u32, u32)>,
    /// `GlusterFS`'s own directories that only this volume has.
    pub(super) own: Vec<Gfid>,
    /// How many inodes its file system has in use.
    pub(super) inodes: Option<u64>,
}

impl Answer {
    /// Moves all of a long answer but its last line to `lines`.
    pub(super) fn split(self, lines: &mut Vec<Self>) -> Self {
        match self {
            Self::Part(mut part) => {
                let mut rest = std::mem::take(&mut part.items).into_iter();
                while rest.len() > LINE {
                    let items = rest.by_ref().take(LINE).collect();
                    lines.push(Self::Part(Part { items, ..Part::default() }));
                }
                part.items.extend(rest);
                Self::Part(part)
            }
            Self::Paths(all) => {
                let mut rest = all.into_iter();
                while rest.len() > LINE {
                    lines.push(Self::Paths(rest.by_ref().take(LINE).collect()));
                }
                Self::Paths(rest.collect())
            }
            short => short,
        }
    }

    /// Puts a split answer together again.
    pub(super) fn join(self, next: Self) -> Self {
        match (self, next) {
            (Self::Part(mut part), Self::Part(next)) => {
                part.add(next);
                Self::Part(part)
            }
            (Self::Paths(mut paths), Self::Paths(next)) => {
                paths.extend(next);
                Self::Paths(paths)
            }
            (_, next) => next,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::inventory::item::{Item, ItemKind, ParentName, Share, Stamp};

    fn arrived(answer: &Answer) -> Answer {
        let mut lines = Vec::new();
        let last = answer.clone().split(&mut lines);
        lines.push(last);
        let lines = lines
            .iter()
            .map(|line| serde_json::from_slice(&serde_json::to_vec(line).unwrap()).unwrap());
        lines.reduce(Answer::join).unwrap()
    }

    proptest! {
        #[test]
        fn objects_arrive_as_they_are(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            numbers in any::<(u32, u64, i64, Option<u64>, u128)>(),
            count in 0..3 * LINE,
        ) {
            let gfid = Gfid::from_bytes(numbers.4.to_be_bytes());
            let item = Item {
                gfid,
                kind: [ItemKind::Symlink, ItemKind::File][count % 2],
                share: [Share::Whole, Share::Fragment, Share::Pointer][count % 3],
                mode: numbers.0,
                owner: (numbers.0, 7),
                size: numbers.1,
                sharded: numbers.3,
                mtime: Stamp { sec: numbers.2, nsec: 5 },
                ctime: Stamp { sec: 1, nsec: numbers.0 },
                device: numbers.1,
                links: 4,
                names: vec![numbers.1, 7],
                places: vec![ParentName { parent: gfid, name: Name::from(&bytes) }],
                target: (count % 2 == 0).then(|| Name::from(&bytes)),
                xattrs: numbers.1,
                content: Some(numbers.4),
            };
            let part = Part { items: vec![item; count], unread: 1, nameless: 2, ..Part::default() };
            let answer = Answer::Part(part);
            prop_assert_eq!(arrived(&answer), answer);
            let answer = Answer::Paths(vec![vec![Name::from(&bytes), Name::from("x")]; count]);
            prop_assert_eq!(arrived(&answer), answer);
        }
    }
}
