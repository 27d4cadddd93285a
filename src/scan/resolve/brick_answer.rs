//! Builds one brick's answer from its handle, ancestry and names.

use std::sync::Arc;

use rustix::io::Errno;

use super::ancestry::{Ancestry, DirState};
use super::answer::{BrickAnswer, Link, ObjectKind, StaleLink, Status, Via};
use super::candidate::Candidate;
use super::from_path::{Located, Places};
use super::full_scan::Hit;
use super::handle::{Claim, HandleState, handle_of};
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, gfid_at};

/// The answer of a brick that does not have the path.
pub(super) fn path_missing(brick: &BrickRoot) -> BrickAnswer {
    BrickAnswer::new(brick.name(), Some(Status::Missing)).saying("no such path on the brick")
}

/// What a brick answers about a gfid.
pub(super) fn brick_answer(
    brick: &BrickRoot,
    ancestry: &Ancestry,
    gfid: Gfid,
    handle: &HandleState,
    candidate: Option<&Candidate<'_>>,
) -> BrickAnswer {
    let answer = |status| BrickAnswer::new(brick.name(), Some(status));
    match handle {
        _ if gfid == Gfid::ROOT => {
            let links = vec![Link { path: Name::from("."), parent: None }];
            let answer = answer(Status::Resolved).of_kind(Some(ObjectKind::Directory));
            BrickAnswer { links, via: Some(Via::Root), ..answer }
        }
        HandleState::Missing => answer(Status::Missing).saying("no handle on the brick"),
        HandleState::Unreadable(error) => {
            BrickAnswer::unreadable(brick.name(), "its handle", error)
        }
        HandleState::Foreign(kind, says) => answer(Status::Foreign).of_kind(*kind).saying(says),
        HandleState::Directory(claim) => directory_answer(brick, ancestry, gfid, claim),
        HandleState::Text(text) => nameless_symlink(brick, gfid).unwrap_or_else(|| {
            let says = format!("its handle points to {text}, which is not a directory handle");
            answer(Status::Malformed).saying(says)
        }),
        HandleState::Object(_) => candidate.map_or_else(
            || answer(Status::Missing),
            |candidate| object_answer(brick, ancestry, candidate),
        ),
    }
}

fn directory_answer(
    brick: &BrickRoot,
    ancestry: &Ancestry,
    gfid: Gfid,
    claim: &Claim,
) -> BrickAnswer {
    let state = ancestry.state(gfid);
    if state == DirState::Proven {
        let links = vec![Link { path: ancestry.path(claim), parent: Some(claim.parent) }];
        let ancestors = ancestry.ancestors_of(claim.parent);
        let answer = BrickAnswer::new(brick.name(), Some(Status::Resolved));
        let answer = answer.of_kind(Some(ObjectKind::Directory));
        return BrickAnswer { links, ancestors, via: Some(Via::Handle), ..answer };
    }
    if let Some(answer) = nameless_symlink(brick, gfid) {
        return answer;
    }
    let name = Name::from(&claim.name);
    let place = || ancestry.path(claim);
    let (status, says) = match state {
        DirState::Dangling => (
            Status::Dangling,
            format!("its handle points to {}, but no directory is there", place()),
        ),
        DirState::Foreign(Some(other)) => {
            (Status::Foreign, format!("its handle points to {}, which has gfid {other}", place()))
        }
        DirState::Foreign(None) => {
            (Status::Foreign, format!("its handle points to {}, which has no gfid", place()))
        }
        DirState::Cycle => {
            (Status::Cycle, format!("its handle names it {name}, in a ring of handles"))
        }
        DirState::Orphan(lost) => {
            let how = how_lost(ancestry.state(lost));
            (Status::Orphan, format!("its handle names it {name} below {lost}, {how}"))
        }
        DirState::Unreadable(error) => {
            let answer = BrickAnswer::unreadable(brick.name(), "the directories above it", error);
            return answer.of_kind(Some(ObjectKind::Directory));
        }
        DirState::Proven | DirState::NoHandle | DirState::NotDirectory | DirState::Unknown => {
            (Status::Orphan, "it cannot be reached from the root".to_owned())
        }
    };
    BrickAnswer::new(brick.name(), Some(status)).of_kind(Some(ObjectKind::Directory)).saying(says)
}

fn how_lost(state: DirState) -> &'static str {
    match state {
        DirState::NoHandle => "which has no handle",
        DirState::NotDirectory => "whose handle is not a directory's",
        DirState::Dangling => "whose handle is dangling",
        DirState::Foreign(_) => "whose place is taken by another object",
        _ => "which cannot be found",
    }
}

/// A user's symlink that has lost its names: the text of its handle is the user's, not a claim.
fn nameless_symlink(brick: &BrickRoot, gfid: Gfid) -> Option<BrickAnswer> {
    let own = gfid_at(&brick.handle_path(&handle_of(gfid))).ok().flatten()?;
    let says = "only the handle of a symlink is left; it has no name on the brick";
    let (status, says) = if own == gfid {
        (Status::Orphan, says.to_owned())
    } else {
        (Status::Foreign, format!("its handle belongs to gfid {own}"))
    };
    Some(
        BrickAnswer::new(brick.name(), Some(status))
            .of_kind(Some(ObjectKind::Symlink))
            .saying(says),
    )
}

fn object_answer(brick: &BrickRoot, ancestry: &Ancestry, candidate: &Candidate<'_>) -> BrickAnswer {
    let object = candidate.object;
    if let Some(error) = candidate.error {
        return BrickAnswer::unreadable(brick.name(), "its xattrs", error)
            .of_kind(Some(object.kind));
    }
    let mut answer = BrickAnswer::new(brick.name(), None).of_kind(Some(object.kind));
    answer.linkto.clone_from(&object.linkto);
    let (mut live, mut listed) = (Vec::new(), false);
    for (claim, stale) in &candidate.claims {
        match *stale {
            None => live.push(claim),
            Some(found) => {
                let name = Name::from(&claim.name);
                answer.stale.push(StaleLink { parent: claim.parent, name, found });
            }
        }
    }
    for claim in &candidate.found {
        if !live.contains(&claim) {
            live.push(claim);
            listed |= !object.records(claim);
        }
    }
    let link = |claim: &&Claim| Link { path: ancestry.path(claim), parent: Some(claim.parent) };
    answer.links = live.iter().map(link).collect();
    answer.links.sort();
    answer.links.dedup();
    if let Some(parent) = answer.links.first().and_then(|link| link.parent) {
        answer.ancestors = ancestry.ancestors_of(parent);
        answer.via = Some(if listed { Via::Scan } else { Via::Gfid2path });
        answer.status = Some(Status::Resolved);
    }
    answer.unseen = object.names.saturating_sub(answer.links.len() as u64);
    if object.names == 0 {
        answer.status = Some(Status::Orphan);
        answer.says = Some("only its handle is left; it has no name on the brick".to_owned());
    } else if answer.unseen > 0 {
        answer.scan_for = Some(object.inode);
        answer.says = Some(unfound_names(
            answer.unseen,
            "that no xattr records; a scan of the brick would find them",
        ));
    }
    answer
}

fn unfound_names(count: u64, why: &str) -> String {
    let names = if count == 1 { "name" } else { "names" };
    format!("it has {count} more {names} {why}")
}

/// Adds the names that a scan found.
pub(super) fn add_scanned_names(answer: &mut BrickAnswer, hits: &[Hit], unread: u64) {
    let promised = answer.links.len() as u64 + answer.unseen;
    let before = answer.links.len();
    for hit in hits {
        if !answer.links.iter().any(|known| known.path == hit.link.path) {
            answer.links.push(hit.link.clone());
        }
    }
    answer.links.sort();
    if answer.links.len() > before {
        answer.via = Some(Via::Scan);
    }
    let first = answer.links.first().map(|link| &link.path);
    if let Some(hit) = hits.iter().find(|hit| Some(&hit.link.path) == first) {
        answer.ancestors = Arc::clone(&hit.ancestors);
    }
    answer.unseen = promised.saturating_sub(answer.links.len() as u64);
    answer.says = match (answer.unseen, unread) {
        (0, _) => None,
        (left, 0) => Some(unfound_names(left, "that no directory of the brick contains")),
        (left, _) => Some(unfound_names(
            left,
            &format!("that may be in the {unread} directories that were unreadable"),
        )),
    };
    answer.unreadable = answer.unseen > 0 && unread > 0;
    answer.status = match (answer.links.is_empty(), answer.unreadable) {
        (false, _) => Some(Status::Resolved),
        (true, true) => None,
        (true, false) => Some(Status::Orphan),
    };
}

/// Adds to each brick's answer about a gfid what was found at the queried path.
pub(super) fn merge_places(
    answers: Vec<BrickAnswer>,
    gfid: Option<Gfid>,
    places: Places,
) -> Vec<BrickAnswer> {
    if places.is_empty() {
        return answers;
    }
    let merge = |(answer, place)| match place {
        Ok(place) => merge_place(answer, gfid, place),
        Err(Errno::INVAL) => {
            let answer: BrickAnswer = BrickAnswer { status: Some(Status::Malformed), ..answer };
            answer.saying("a path with .. could lead out of the brick")
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => answer,
        Err(error) => BrickAnswer::unreadable(&answer.brick, "the path", error),
    };
    answers.into_iter().zip(places).map(merge).collect()
}

fn merge_place(mut answer: BrickAnswer, gfid: Option<Gfid>, place: Located) -> BrickAnswer {
    if place.gfid == gfid && gfid.is_some() {
        let parent = place.ancestors.first().and_then(|above| above.gfid);
        let link = Link { path: place.path, parent };
        if !answer.links.iter().any(|known| known.path == link.path) {
            let says = format!("{} has this gfid, but its handle does not point there", link.path);
            if answer.scan_for.is_none() {
                answer.says = Some(says);
            }
            answer.links.insert(0, link);
        }
        return BrickAnswer { ancestors: place.ancestors, kind: Some(place.kind), ..answer };
    }
    let (status, says) = match place.gfid {
        Some(other) => (Status::Foreign, format!("on this brick the path has gfid {other}")),
        None => (Status::Missing, "the object there has no trusted.gfid".to_owned()),
    };
    let links = vec![Link { path: place.path, parent: None }];
    let answer =
        BrickAnswer::new(&answer.brick, Some(status)).of_kind(Some(place.kind)).saying(says);
    BrickAnswer { links, ancestors: place.ancestors, ..answer }
}
