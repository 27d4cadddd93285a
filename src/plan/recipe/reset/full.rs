//! `full`: a new history of changelogs, and everything crawled again.
//!
//! From 4.0 on glusterd refuses to switch changelogs off while a session exists, so the session is
//! deleted and made anew. It is not deleted with `reset-sync-time`, and its settings are taken off
//! one by one before: so each thing that changes is a step of its own, and can be taken back.

use super::{Draft, on, resync};
use crate::domain::BrickSight;
use crate::plan::{Guard, Identity, Object, Place, State, Step};

/// What gsyncd notes down for itself among the settings.
const OWN_NOTES: [&str; 1] = ["stime-xattr-prefix"];

pub(super) fn steps(draft: &Draft<'_>) -> Vec<Step> {
    let anew = !draft.found.release.keeps_session_without_changelog();
    let mut steps = draft.halt();
    if anew {
        steps.extend(settings(draft).map(|(object, _)| draft.on_own(object, State::Absent)));
        steps.push(draft.on_own(record(draft), State::Absent));
    }
    steps.push(draft.on_own(changelog(draft), State::text("off")));
    steps.extend(draft.found.bricks().filter_map(|(node, brick)| aside(draft, node, brick)));
    steps.extend(resync::void(draft));
    steps.push(draft.on_own(changelog(draft), State::text("on")));
    if anew {
        steps.push(draft.on_own(record(draft), State::InPlace));
        steps.extend(settings(draft).map(|(object, text)| draft.on_own(object, text)));
    }
    steps.extend(resync::unmark(draft));
    steps.extend(draft.emptied());
    steps.extend(draft.go());
    steps
}

fn record(draft: &Draft<'_>) -> Object {
    Object::SessionRecord { primary: draft.primary(), secondary: draft.secondary() }
}

fn changelog(draft: &Draft<'_>) -> Object {
    Object::VolumeOption { volume: draft.primary(), option: "changelog.changelog".to_owned() }
}

/// What was set for the session, with its texts.
fn settings(draft: &Draft<'_>) -> impl Iterator<Item = (Object, State)> {
    let (primary, secondary) = (draft.primary(), draft.secondary());
    let set = draft.found.set().into_iter();
    set.filter(|(key, _)| !OWN_NOTES.contains(&key.as_str())).map(move |(key, text)| {
        let (primary, secondary) = (primary.clone(), secondary.clone());
        (Object::SessionConfig { primary, secondary, key }, State::text(&text))
    })
}

/// The brick's changelogs are moved aside on their own file system, while none is written.
fn aside(draft: &Draft<'_>, node: &str, brick: &BrickSight) -> Option<Step> {
    let (inode, born) = brick.changelogs?;
    let (primary, secondary) = (draft.primary(), draft.secondary());
    let root = Place::from(brick.dir.as_path());
    let guards = vec![
        Guard::SessionStopped { primary, secondary },
        Guard::Unchanged { object: changelog(draft), was: State::text("off") },
        draft.same_brick(brick, &root),
    ];
    let at = brick.dir.join(".glusterfs/changelogs");
    let kept = format!(".glusterfs/changelogs.before-{}", draft.token());
    let (at, aside) = (Place::from(at), Place::from(brick.dir.join(kept)));
    let object = Object::Movable { at, aside, identity: Identity { inode, born } };
    Some(on(node, guards, object, State::Aside))
}
