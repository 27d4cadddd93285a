//! What a brick answers, put together from what was seen.

use std::sync::Arc;

use rustix::io::Errno;

use super::ancestry::{Ancestry, Fate};
use super::answer::{BrickAnswer, Link, ObjectKind, StaleLink, Status, Via};
use super::candidate::Candidate;
use super::from_path::{Located, Places};
use super::full_scan::Hit;
use super::handle::{Claim, HandleState, handle_of};
use crate::domain::{Gfid, Name};
use crate::scan::brick::{BrickRoot, gfid_at};

/// A brick that knows nothing of a question.
pub(super) fn nothing(brick: &BrickRoot) -> BrickAnswer {
    BrickAnswer::new(brick.name(), Some(Status::Missing)).saying("no such path on the brick")
}

/// What a brick says of a gfid.
pub(super) fn sight_of(
    brick: &BrickRoot,
    tree: &Ancestry,
    gfid: Gfid,
    look: &HandleState,
    case: Option<&Candidate<'_>>,
) -> BrickAnswer {
    let answer = |status| BrickAnswer::new(brick.name(), Some(status));
    match look {
        _ if gfid == Gfid::ROOT => {
            let links = vec![Link { path: Name::from("."), parent: None }];
            let sight = answer(Status::Resolved).of(Some(ObjectKind::Directory));
            BrickAnswer { links, via: Some(Via::Root), ..sight }
        }
        HandleState::Missing => answer(Status::Missing).saying("no handle on the brick"),
        HandleState::Unreadable(error) => BrickAnswer::blind(brick.name(), "its handle", error),
        HandleState::Foreign(kind, says) => answer(Status::Foreign).of(*kind).saying(says),
        HandleState::Directory(claim) => directory(brick, tree, gfid, claim),
        HandleState::Text(text) => nameless_symlink(brick, gfid).unwrap_or_else(|| {
            let says = format!("its handle points to {text}, which no directory's handle does");
            answer(Status::Malformed).saying(says)
        }),
        HandleState::Object(_) => {
            case.map_or_else(|| answer(Status::Missing), |case| of_case(brick, tree, case))
        }
    }
}

fn directory(brick: &BrickRoot, tree: &Ancestry, gfid: Gfid, claim: &Claim) -> BrickAnswer {
    let fate = tree.fate(gfid);
    if fate == Fate::Proven {
        let links = vec![Link { path: tree.path(claim), parent: Some(claim.parent) }];
        let ancestors = tree.way_up(claim.parent);
        let sight = BrickAnswer::new(brick.name(), Some(Status::Resolved));
        let sight = sight.of(Some(ObjectKind::Directory));
        return BrickAnswer { links, ancestors, via: Some(Via::Handle), ..sight };
    }
    if let Some(sight) = nameless_symlink(brick, gfid) {
        return sight;
    }
    let name = Name::from(&claim.name);
    let place = || tree.path(claim);
    let (status, says) = match fate {
        Fate::Dangling => {
            (Status::Dangling, format!("its handle says {}, but no directory is there", place()))
        }
        Fate::Foreign(Some(other)) => {
            (Status::Foreign, format!("its handle says {}, but that has gfid {other}", place()))
        }
        Fate::Foreign(None) => {
            (Status::Foreign, format!("its handle says {}, but that carries no gfid", place()))
        }
        Fate::Cycle => (Status::Cycle, format!("it is {name} in a ring of handles")),
        Fate::Orphan(lost) => {
            let how = how_lost(tree.fate(lost));
            (Status::Orphan, format!("it is {name} below {lost}, {how}"))
        }
        Fate::Unreadable(error) => {
            let sight = BrickAnswer::blind(brick.name(), "the directories above it", error);
            return sight.of(Some(ObjectKind::Directory));
        }
        Fate::Proven | Fate::NoHandle | Fate::NotDirectory | Fate::Unknown => {
            (Status::Orphan, "no way leads from the root to it".to_owned())
        }
    };
    BrickAnswer::new(brick.name(), Some(status)).of(Some(ObjectKind::Directory)).saying(says)
}

fn how_lost(fate: Fate) -> &'static str {
    match fate {
        Fate::NoHandle => "which has no handle",
        Fate::NotDirectory => "whose handle is no directory's",
        Fate::Dangling => "whose handle is dangling",
        Fate::Foreign(_) => "whose place another object has",
        _ => "which cannot be found",
    }
}

/// A user's symlink that has lost its names: its handle's text is the user's, so it says nothing.
fn nameless_symlink(brick: &BrickRoot, gfid: Gfid) -> Option<BrickAnswer> {
    let own = gfid_at(&brick.handle_path(&handle_of(gfid))).ok().flatten()?;
    let says = "only the handle of a symlink is left: it has no name on the brick";
    let (status, says) = if own == gfid {
        (Status::Orphan, says.to_owned())
    } else {
        (Status::Foreign, format!("its handle belongs to gfid {own}"))
    };
    Some(BrickAnswer::new(brick.name(), Some(status)).of(Some(ObjectKind::Symlink)).saying(says))
}

fn of_case(brick: &BrickRoot, tree: &Ancestry, case: &Candidate<'_>) -> BrickAnswer {
    let object = case.object;
    if let Some(error) = case.error {
        return BrickAnswer::blind(brick.name(), "its xattrs", error).of(Some(object.kind));
    }
    let mut sight = BrickAnswer::new(brick.name(), None).of(Some(object.kind));
    sight.linkto.clone_from(&object.linkto);
    let (mut live, mut listed) = (Vec::new(), false);
    for (claim, stale) in &case.claims {
        match *stale {
            None => live.push(claim),
            Some(found) => {
                let name = Name::from(&claim.name);
                sight.stale.push(StaleLink { parent: claim.parent, name, found });
            }
        }
    }
    for claim in &case.found {
        if !live.contains(&claim) {
            live.push(claim);
            listed |= !object.records(claim);
        }
    }
    let link = |claim: &&Claim| Link { path: tree.path(claim), parent: Some(claim.parent) };
    sight.links = live.iter().map(link).collect();
    sight.links.sort();
    sight.links.dedup();
    if let Some(parent) = sight.links.first().and_then(|link| link.parent) {
        sight.ancestors = tree.way_up(parent);
        sight.via = Some(if listed { Via::Scan } else { Via::Gfid2path });
        sight.status = Some(Status::Resolved);
    }
    sight.unseen = object.names.saturating_sub(sight.links.len() as u64);
    if object.names == 0 {
        sight.status = Some(Status::Orphan);
        sight.says = Some("only its handle is left: it has no name on the brick".to_owned());
    } else if sight.unseen > 0 {
        sight.leftover = Some(object.inode);
        sight.says = Some(unseen(sight.unseen, "no xattr tells; a scan of the brick would"));
    }
    sight
}

fn unseen(count: u64, why: &str) -> String {
    let names = if count == 1 { "name" } else { "names" };
    format!("it has {count} more {names} that {why}")
}

/// Adds what a scan found to a leftover's sight.
pub(super) fn with_hits(sight: &mut BrickAnswer, hits: &[Hit], unread: u64) {
    let promised = sight.links.len() as u64 + sight.unseen;
    let before = sight.links.len();
    for hit in hits {
        if !sight.links.iter().any(|known| known.path == hit.link.path) {
            sight.links.push(hit.link.clone());
        }
    }
    sight.links.sort();
    if sight.links.len() > before {
        sight.via = Some(Via::Scan);
    }
    let first = sight.links.first().map(|link| &link.path);
    if let Some(hit) = hits.iter().find(|hit| Some(&hit.link.path) == first) {
        sight.ancestors = Arc::clone(&hit.ancestors);
    }
    sight.unseen = promised.saturating_sub(sight.links.len() as u64);
    sight.says = match (sight.unseen, unread) {
        (0, _) => None,
        (left, 0) => Some(unseen(left, "no directory of the brick shows")),
        (left, _) => {
            Some(unseen(left, &format!("may be in the {unread} directories that were unreadable")))
        }
    };
    sight.blind = sight.unseen > 0 && unread > 0;
    sight.status = match (sight.links.is_empty(), sight.blind) {
        (false, _) => Some(Status::Resolved),
        (true, true) => None,
        (true, false) => Some(Status::Orphan),
    };
}

/// Puts what stands at a path beside what is known of its gfid, brick by brick.
pub(super) fn at_places(
    sights: Vec<BrickAnswer>,
    gfid: Option<Gfid>,
    places: Places,
) -> Vec<BrickAnswer> {
    if places.is_empty() {
        return sights;
    }
    let at_place = |(sight, place)| match place {
        Ok(place) => at_place(sight, gfid, place),
        Err(Errno::INVAL) => {
            let sight: BrickAnswer = BrickAnswer { status: Some(Status::Malformed), ..sight };
            sight.saying("a path with .. in it leads out of the brick")
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => sight,
        Err(error) => BrickAnswer::blind(&sight.brick, "the path", error),
    };
    sights.into_iter().zip(places).map(at_place).collect()
}

fn at_place(mut sight: BrickAnswer, gfid: Option<Gfid>, place: Located) -> BrickAnswer {
    if place.gfid == gfid && gfid.is_some() {
        let parent = place.ancestors.first().and_then(|above| above.gfid);
        let link = Link { path: place.path, parent };
        if !sight.links.iter().any(|known| known.path == link.path) {
            let says =
                format!("{} carries this gfid, but its handle does not lead there", link.path);
            if sight.leftover.is_none() {
                sight.says = Some(says);
            }
            sight.links.insert(0, link);
        }
        return BrickAnswer { ancestors: place.ancestors, kind: Some(place.kind), ..sight };
    }
    let (status, says) = match place.gfid {
        Some(other) => (Status::Foreign, format!("here the path has gfid {other}")),
        None => (Status::Missing, "the object there carries no trusted.gfid".to_owned()),
    };
    let links = vec![Link { path: place.path, parent: None }];
    let sight = BrickAnswer::new(&sight.brick, Some(status)).of(Some(place.kind)).saying(says);
    BrickAnswer { links, ancestors: place.ancestors, ..sight }
}
