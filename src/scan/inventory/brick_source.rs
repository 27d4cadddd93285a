//! One brick of a volume, read on this node or through the agent of its node.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use rustix::io::Errno;

use super::error::InventoryError;
use super::item::{GfidRange, Part};
use super::own::anonymous_inodes;
use super::pending::{PendingGfids, find_pending};
use super::read::{ReadOptions, read_item, read_slice};
use super::topology::hash_range;
use super::wire::{About, Answer, Question};
use crate::domain::{Gfid, Mark, Name, in_one_line};
use crate::scan::brick::{BrickError, BrickRoot};
use crate::scan::changelog::marks_of;
use crate::scan::cluster;
use crate::scan::cluster::{Agent, ClusterError, Host, Tools};
use crate::scan::meter::Meter;
use crate::scan::resolve::{Query, Resolver};

/// How many gfids are looked up in changelogs at once: 40 MB in one line. More would be read
/// about once for each million.
const LOOKED_UP_TOGETHER: usize = 1 << 20;

/// A brick to be read.
#[derive(Debug)]
pub(super) struct Source {
    /// As it is shown.
    pub(super) name: Name,
    /// What it said about itself when it was opened.
    pub(super) about: About,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Local(Box<BrickRoot>),
    Remote(Box<Mutex<Agent<Question, Answer>>>),
}

impl Source {
    /// A brick of this node.
    pub(super) fn local(brick: BrickRoot) -> Result<Self, BrickError> {
        let name = (**brick.name()).clone();
        let about = about(&brick)?;
        Ok(Self { name, about, access: Access::Local(Box::new(brick)) })
    }

    /// A brick of a peer.
    pub(super) fn remote(tools: &Tools, host: &Host, dir: &Path) -> Result<Self, ClusterError> {
        let verb = ["inventory".as_ref(), "--brick".as_ref(), dir.as_os_str()];
        let mut agent = Agent::start(tools, host, &verb)?;
        let Answer::About(about) = agent.call(&Question::About)? else {
            return Err(agent.unexpected());
        };
        let dir = dir.as_os_str().as_encoded_bytes();
        let name = Name::from([host.to_string().as_bytes(), b":", dir].concat());
        Ok(Self { name, about, access: Access::Remote(Box::new(Mutex::new(agent))) })
    }

    /// The objects of a range, in the order of their gfids.
    pub(super) fn slice(
        &self,
        slice: GfidRange,
        wish: ReadOptions,
        meter: &Meter,
    ) -> Result<Part, InventoryError> {
        match &self.access {
            Access::Local(brick) => {
                Ok(read_slice(brick, slice, wish, meter).map_err(|e| unreadable(brick, e))?)
            }
            Access::Remote(_) => match self.ask(Question::Slice(slice, wish))? {
                Answer::Part(part) => {
                    meter.entries.fetch_add(part.items.len() as u64, Ordering::Relaxed);
                    Ok(part)
                }
                _ => Err(self.unexpected()),
            },
        }
    }

    /// Those of the gfids that it holds, with their names.
    pub(super) fn look(&self, gfids: &[Gfid], wish: ReadOptions) -> Result<Part, InventoryError> {
        match self.ask(Question::Look(gfids.to_vec(), wish))? {
            Answer::Part(part) => Ok(part),
            _ => Err(self.unexpected()),
        }
    }

    /// The paths of gfids, in the order of the question.
    pub(super) fn paths(&self, gfids: &[Gfid]) -> Result<Vec<Vec<Name>>, InventoryError> {
        match self.ask(Question::Paths(gfids.to_vec()))? {
            Answer::Paths(paths) => Ok(paths),
            _ => Err(self.unexpected()),
        }
    }

    /// How far a session is here; `None` if it left no mark.
    pub(super) fn mark(&self, session: &str) -> Result<Option<Mark>, InventoryError> {
        match self.ask(Question::Mark(session.to_owned()))? {
            Answer::Mark(mark) => Ok(mark),
            _ => Err(self.unexpected()),
        }
    }

    /// Adds those of the gfids that changelogs after the mark name.
    pub(super) fn add_pending(
        &self,
        mark: Mark,
        gfids: &BTreeSet<Gfid>,
        pending: &mut PendingGfids,
    ) -> Result<(), InventoryError> {
        if let Access::Local(brick) = &self.access {
            find_pending(brick.path(), mark, gfids, pending);
            return Ok(());
        }
        let gfids: Vec<Gfid> = gfids.iter().copied().collect();
        for together in gfids.chunks(LOOKED_UP_TOGETHER) {
            match self.ask(Question::Pending(mark, together.to_vec()))? {
                Answer::Pending(found) => {
                    pending.gfids.extend(found.gfids);
                    pending.notes.extend(found.notes);
                }
                _ => return Err(self.unexpected()),
            }
        }
        Ok(())
    }

    /// Fails if the brick is not mounted any more: it would read like an empty one.
    pub(super) fn still_there(&self) -> Result<(), InventoryError> {
        self.ask(Question::StillThere).map(drop)
    }

    fn ask(&self, question: Question) -> Result<Answer, InventoryError> {
        let agent = match &self.access {
            Access::Local(brick) => return Ok(answer(brick, question)?),
            Access::Remote(agent) => agent,
        };
        let broken = || ClusterError::Broken {
            node: self.name.to_string(),
            source: io::ErrorKind::BrokenPipe.into(),
        };
        let mut agent = agent.lock().map_err(|_| broken())?;
        let mut begin = None;
        let last = agent.call_each(&question, |part| {
            begin = Some(match begin.take() {
                Some(begin) => Answer::join(begin, part),
                None => part,
            });
        })?;
        Ok(match begin {
            Some(begin) => begin.join(last),
            None => last,
        })
    }

    fn unexpected(&self) -> InventoryError {
        let why = "it answers another request".to_owned();
        ClusterError::Garbled { node: self.name.to_string(), why }.into()
    }
}

/// Answers questions about a brick of this node until the input ends.
///
/// # Errors
/// As [`cluster::serve`].
pub fn serve(dir: &Path, input: impl io::BufRead, output: impl io::Write) -> io::Result<()> {
    let brick = BrickRoot::open(dir).map_err(|error| in_one_line(&error));
    cluster::serve(input, output, |question, lines| {
        let brick = brick.as_ref().map_err(Clone::clone)?;
        let answer = answer(brick, question).map_err(|error| in_one_line(&error))?;
        Ok(answer.split(lines))
    })
}

fn answer(brick: &BrickRoot, question: Question) -> Result<Answer, BrickError> {
    Ok(match question {
        Question::About => Answer::About(about(brick)?),
        Question::Slice(slice, wish) => {
            Answer::Part(read_in_parallel(brick, slice, wish).map_err(|e| unreadable(brick, e))?)
        }
        Question::Look(gfids, wish) => Answer::Part(read_items(brick, &gfids, wish)),
        Question::Paths(gfids) => Answer::Paths(paths_of(brick, gfids)?),
        Question::Mark(session) => Answer::Mark(mark_of(brick.path(), &session)),
        Question::Pending(mark, gfids) => {
            let mut pending = PendingGfids::default();
            find_pending(brick.path(), mark, &gfids.into_iter().collect(), &mut pending);
            Answer::Pending(pending)
        }
        Question::StillThere => {
            brick.check_present()?;
            Answer::StillThere
        }
    })
}

fn about(brick: &BrickRoot) -> Result<About, BrickError> {
    Ok(About {
        volume: brick.volume(),
        range: hash_range(brick),
        own: anonymous_inodes(brick).map_err(|error| unreadable(brick, error))?,
        inodes: brick.inodes(),
    })
}

/// Reads a slice with all threads: the caller waits for it.
fn read_in_parallel(brick: &BrickRoot, slice: GfidRange, wish: ReadOptions) -> Result<Part, Errno> {
    let meter = Meter::default();
    let pieces = slice.pieces(16).into_par_iter();
    let parts: Result<Vec<_>, _> =
        pieces.map(|piece| read_slice(brick, piece, wish, &meter)).collect();
    let mut all = Part::default();
    parts?.into_iter().for_each(|part| all.add(part));
    Ok(all)
}

fn read_items(brick: &BrickRoot, gfids: &[Gfid], wish: ReadOptions) -> Part {
    let read: Vec<_> = gfids.par_iter().map(|&gfid| read_item(brick, gfid, wish)).collect();
    let mut part = Part::default();
    for item in read {
        part.take(item);
    }
    part
}

fn paths_of(brick: &BrickRoot, gfids: Vec<Gfid>) -> Result<Vec<Vec<Name>>, BrickError> {
    let meter = Meter::default();
    let resolver = Resolver::new(std::slice::from_ref(brick), &meter);
    let answers = resolver.answer(gfids.into_iter().map(Query::Gfid).collect())?;
    let paths = answers.iter().map(|answer| {
        let links = answer.owner().map(|sight| sight.links.iter());
        links.into_iter().flatten().map(|link| link.path.clone()).collect()
    });
    Ok(paths.collect())
}

fn mark_of(brick: &Path, session: &str) -> Option<Mark> {
    let marks = marks_of(brick).ok()?;
    marks.into_iter().find(|marks| marks.session == session).map(|marks| marks.stime)
}

fn unreadable(brick: &BrickRoot, source: Errno) -> BrickError {
    BrickError::Unreadable { path: (**brick.name()).clone(), source }
}
