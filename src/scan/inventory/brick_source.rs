//! One brick to be read: of this node, or of a peer through the georepair there.

use std::collections::BTreeSet;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use rustix::io::Errno;

use super::error::InventoryError;
use super::item::{GfidRange, Part};
use super::pending::{PendingGfids, named_past};
use super::read::{ReadOptions, read_item, read_slice};
use super::topology::range;
use super::wire;
use super::wire::{About, End, Line, Question};
use crate::domain::{Gfid, Mark, Name};
use crate::scan::brick::{BrickError, BrickRoot};
use crate::scan::changelog::marks_of;
use crate::scan::cluster::{Agent, ClusterError, Host, Tools};
use crate::scan::meter::Meter;
use crate::scan::resolve::{Query, Resolver};

/// A brick to be read.
#[derive(Debug)]
pub(super) enum Source {
    /// Reached by a path.
    Here(Box<BrickRoot>),
    /// Through the georepair on its node.
    There(Box<Peer>),
}

/// A brick on another node.
#[derive(Debug)]
pub(super) struct Peer {
    node: String,
    dir: Name,
    about: About,
    agent: Mutex<Agent>,
}

impl Source {
    /// Asks for a brick of a peer.
    pub(super) fn of_peer(tools: &Tools, host: &Host, dir: &Path) -> Result<Self, ClusterError> {
        let words = ["inventory".as_ref(), "--brick".as_ref(), dir.as_os_str()];
        let mut agent = Agent::start(tools, host, &words)?;
        let node = host.to_string();
        let about = match read_line(&mut agent, &node)? {
            Line::About(about) => about,
            Line::End(End { error: Some(error), .. }) => return Err(refused(&node, error)),
            _ => return Err(refused(&node, "it does not say what the brick is".to_owned())),
        };
        let dir = Name::from(dir.as_os_str().as_encoded_bytes());
        Ok(Self::There(Box::new(Peer { node, dir, about, agent: Mutex::new(agent) })))
    }

    /// The brick as it is shown.
    pub(super) fn name(&self) -> Name {
        match self {
            Self::Here(brick) => (**brick.name()).clone(),
            Self::There(peer) => {
                Name::from([peer.node.as_bytes(), b":", peer.dir.as_bytes()].concat())
            }
        }
    }

    pub(super) fn volume(&self) -> Option<[u8; 16]> {
        match self {
            Self::Here(brick) => Some(brick.volume()),
            Self::There(peer) => {
                Gfid::from_text(peer.about.volume.as_bytes()).map(|id| *id.as_bytes())
            }
        }
    }

    pub(super) fn range(&self) -> Option<(u32, u32)> {
        match self {
            Self::Here(brick) => range(brick),
            Self::There(peer) => peer.about.range,
        }
    }

    /// How many inodes its file system holds.
    pub(super) fn inodes(&self) -> Option<u64> {
        match self {
            Self::Here(brick) => brick.inodes(),
            Self::There(peer) => peer.about.inodes,
        }
    }

    /// The gfids of GlusterFS's own directories that only this volume has.
    pub(super) fn own(&self) -> Result<Vec<Gfid>, InventoryError> {
        match self {
            Self::Here(brick) => {
                super::volume::anonymous(brick).map_err(|error| unreadable(brick, error).into())
            }
            Self::There(peer) => Ok(wire::gfids(&peer.about.own).collect()),
        }
    }

    pub(super) fn slice(
        &self,
        slice: GfidRange,
        wish: ReadOptions,
        meter: &Meter,
    ) -> Result<Part, InventoryError> {
        match self {
            Self::Here(brick) => {
                Ok(read_slice(brick, slice, wish, meter).map_err(|e| unreadable(brick, e))?)
            }
            Self::There(peer) => {
                let part = peer.ask(&Question::slice(slice, wish))?.0;
                meter.entries.fetch_add(part.items.len() as u64, Ordering::Relaxed);
                Ok(part)
            }
        }
    }

    pub(super) fn look(&self, gfids: &[Gfid], wish: ReadOptions) -> Result<Part, InventoryError> {
        match self {
            Self::Here(brick) => Ok(look(brick, gfids, wish)),
            Self::There(peer) => {
                let gfids = wire::texts(gfids.iter().copied());
                Ok(peer.ask(&Question::Look { gfids, content: wish.content })?.0)
            }
        }
    }

    /// The paths of gfids, in the order asked.
    pub(super) fn paths(&self, gfids: &[Gfid]) -> Result<Vec<Vec<Name>>, InventoryError> {
        match self {
            Self::Here(brick) => Ok(paths(brick, gfids)?),
            Self::There(peer) => {
                let gfids = wire::texts(gfids.iter().copied());
                let end = peer.ask(&Question::Paths { gfids })?.1;
                let names =
                    |hex: &Vec<String>| hex.iter().filter_map(|it| wire::name(it)).collect();
                Ok(end.paths.iter().map(names).collect())
            }
        }
    }

    /// How far a session has come here; nothing where it left no mark.
    pub(super) fn mark(&self, session: &str) -> Result<Option<Mark>, InventoryError> {
        match self {
            Self::Here(brick) => Ok(mark(brick.path(), session)),
            Self::There(peer) => {
                let end = peer.ask(&Question::Mark { session: session.to_owned() })?.1;
                Ok(end.mark.map(|(sec, usec)| Mark { sec, usec }))
            }
        }
    }

    /// Adds those of the gfids that changelogs past the mark name.
    pub(super) fn named(
        &self,
        mark: Mark,
        asked: &BTreeSet<Gfid>,
        named: &mut PendingGfids,
    ) -> Result<(), InventoryError> {
        match self {
            Self::Here(brick) => {
                if let Err(error) = named_past(brick.path(), mark, asked, named) {
                    named.notes.push(error.to_string());
                }
            }
            Self::There(peer) => {
                let end = peer.ask(&Question::named(mark, asked.iter().copied()))?.1;
                named.gfids.extend(wire::gfids(&end.gfids));
                named.notes.extend(end.notes);
            }
        }
        Ok(())
    }

    pub(super) fn still_there(&self) -> Result<(), InventoryError> {
        match self {
            Self::Here(brick) => Ok(brick.still_there()?),
            Self::There(peer) => Ok(peer.ask(&Question::StillThere).map(drop)?),
        }
    }
}

impl Peer {
    fn ask(&self, question: &Question) -> Result<(Part, End), ClusterError> {
        let broken = |source| ClusterError::Broken { node: self.node.clone(), source };
        let silent = || broken(std::io::ErrorKind::BrokenPipe.into());
        let mut agent = self.agent.lock().map_err(|_| silent())?;
        let mut text = serde_json::to_vec(question).map_err(|error| broken(error.into()))?;
        text.push(b'\n');
        let input = agent.input().ok_or_else(silent)?;
        input.write_all(&text).and_then(|()| input.flush()).map_err(broken)?;
        let mut part = Part::default();
        loop {
            match read_line(&mut agent, &self.node)? {
                Line::Item(line) => part.items.push(line.item().ok_or_else(silent)?),
                Line::End(End { error: Some(error), .. }) => {
                    return Err(refused(&self.node, error));
                }
                Line::End(end) => {
                    (part.unread, part.nameless) = (end.unread, end.nameless);
                    part.why.clone_from(&end.why);
                    return Ok((part, end));
                }
                Line::About(_) => return Err(silent()),
            }
        }
    }
}

fn read_line(agent: &mut Agent, node: &str) -> Result<Line, ClusterError> {
    let mut line = Vec::new();
    let broken = |source| ClusterError::Broken { node: node.to_owned(), source };
    agent.output().read_until(b'\n', &mut line).map_err(broken)?;
    if line.is_empty() {
        return Err(broken(std::io::ErrorKind::UnexpectedEof.into()));
    }
    serde_json::from_slice(&line).map_err(|error| broken(error.into()))
}

fn refused(node: &str, error: String) -> ClusterError {
    ClusterError::Broken { node: node.to_owned(), source: std::io::Error::other(error) }
}

/// Answers questions about a brick of this node until there are no more.
///
/// # Errors
/// What reading questions or writing answers says.
pub fn answer(
    dir: &Path,
    questions: impl std::io::BufRead,
    mut out: impl std::io::Write,
) -> std::io::Result<()> {
    let mut say = |line: &Line| -> std::io::Result<()> {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
        if !matches!(line, Line::Item(_)) {
            out.flush()?;
        }
        Ok(())
    };
    let failed = |error: String| Line::End(End { error: Some(error), ..End::default() });
    let brick = match BrickRoot::open(dir).map_err(|error| error.to_string()).and_then(|brick| {
        let own = super::volume::anonymous(&brick).map_err(|error| error.to_string())?;
        say(&Line::About(About {
            volume: Gfid::from_bytes(brick.volume()).to_string(),
            range: range(&brick),
            own: wire::texts(own.into_iter()),
            inodes: brick.inodes(),
        }))
        .map_err(|error| error.to_string())?;
        Ok(brick)
    }) {
        Ok(brick) => brick,
        Err(error) => return say(&failed(error)),
    };
    for line in questions.lines() {
        let (part, end) = match serde_json::from_str(&line?) {
            Ok(question) => reply(&brick, &question),
            Err(error) => {
                (Part::default(), End { error: Some(error.to_string()), ..End::default() })
            }
        };
        for item in &part.items {
            say(&Line::Item(Box::new(wire::ItemLine::of(item))))?;
        }
        say(&Line::End(End {
            unread: part.unread,
            why: part.why,
            nameless: part.nameless,
            ..end
        }))?;
    }
    Ok(())
}

fn reply(brick: &BrickRoot, question: &Question) -> (Part, End) {
    let (mut part, mut end) = (Part::default(), End::default());
    match question {
        Question::Slice { first, last, content } => {
            let slice = GfidRange { first: *first, last: *last };
            match read_widely(brick, slice, ReadOptions { content: *content, places: false }) {
                Ok(read) => part = read,
                Err(error) => end.error = Some(error.to_string()),
            }
        }
        Question::Look { gfids, content } => {
            let gfids: Vec<_> = wire::gfids(gfids).collect();
            part = look(brick, &gfids, ReadOptions { content: *content, places: true });
        }
        Question::Paths { gfids } => {
            let gfids: Vec<_> = wire::gfids(gfids).collect();
            let hex = |names: &Vec<Name>| names.iter().map(|it| wire::hex(it.as_bytes())).collect();
            match paths(brick, &gfids) {
                Ok(paths) => end.paths = paths.iter().map(hex).collect(),
                Err(error) => end.error = Some(error.to_string()),
            }
        }
        Question::Mark { session } => {
            end.mark = mark(brick.path(), session).map(|mark| (mark.sec, mark.usec));
        }
        Question::Named { sec, usec, gfids } => {
            let (asked, mut named) = (wire::gfids(gfids).collect(), PendingGfids::default());
            let mark = Mark { sec: *sec, usec: *usec };
            if let Err(error) = named_past(brick.path(), mark, &asked, &mut named) {
                named.notes.push(error.to_string());
            }
            end.gfids = wire::texts(named.gfids.into_iter());
            end.notes = named.notes;
        }
        Question::StillThere => {
            end.error = brick.still_there().err().map(|error| error.to_string());
        }
    }
    (part, end)
}

/// Reads a slice with all threads: whoever asked waits for it.
fn read_widely(brick: &BrickRoot, slice: GfidRange, wish: ReadOptions) -> Result<Part, Errno> {
    let meter = Meter::default();
    let parts: Result<Vec<_>, _> = slice
        .pieces(16)
        .into_par_iter()
        .map(|piece| read_slice(brick, piece, wish, &meter))
        .collect();
    let mut all = Part::default();
    for part in parts? {
        all.items.extend(part.items);
        all.unread += part.unread;
        all.nameless += part.nameless;
        all.why = all.why.or(part.why);
    }
    Ok(all)
}

fn look(brick: &BrickRoot, gfids: &[Gfid], wish: ReadOptions) -> Part {
    let seen: Vec<_> = gfids.par_iter().map(|&gfid| read_item(brick, gfid, wish)).collect();
    let mut part = Part::default();
    for seen in seen {
        part.take(seen);
    }
    part
}

fn paths(brick: &BrickRoot, gfids: &[Gfid]) -> Result<Vec<Vec<Name>>, BrickError> {
    let meter = Meter::default();
    let resolver = Resolver::new(std::slice::from_ref(brick), &meter);
    let answers = resolver.answer(gfids.iter().copied().map(Query::Gfid).collect())?;
    let paths = answers.iter().map(|answer| {
        let links = answer.owner().map(|sight| sight.links.iter());
        links.into_iter().flatten().map(|link| link.path.clone()).collect()
    });
    Ok(paths.collect())
}

fn mark(brick: &Path, session: &str) -> Option<Mark> {
    let marks = marks_of(brick).ok()?;
    marks.into_iter().find(|marks| marks.session == session).map(|marks| marks.stime)
}

pub(super) fn unreadable(brick: &BrickRoot, source: Errno) -> BrickError {
    BrickError::Unreadable { path: (**brick.name()).clone(), source }
}
