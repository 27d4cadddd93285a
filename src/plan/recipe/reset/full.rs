//! `full`: a new history of changelogs, and everything crawled again.
//!
//! From 4.0 on glusterd refuses to switch changelogs off while a session exists, so the session is
//! deleted and made anew, and with it every other session of the volume. None is deleted with
//! `reset-sync-time`, and settings are taken off one by one before: so each thing that changes is
//! a step of its own, and can be taken back.

use std::collections::BTreeMap;

use super::{Builder, on, resync};
use crate::domain::{BrickState, OtherSession};
use crate::plan::{Guard, Identity, NodePath, Object, State, Step};

/// What gsyncd notes down for itself among the settings.
const OWN_NOTES: [&str; 1] = ["stime-xattr-prefix"];

/// A session that stands still while there are no changelogs.
struct SavedSession {
    primary: String,
    secondary: String,
    set: BTreeMap<String, String>,
}

pub(super) fn steps(draft: &Builder<'_>) -> Vec<Step> {
    let anew = !draft.found.release.keeps_session_without_changelog();
    let running = draft.found.others.iter().filter(|other| !other.session.is_stopped());
    let running: Vec<_> = running.map(|other| SavedSession::other(draft, other)).collect();
    let all = if anew { SavedSession::all(draft) } else { Vec::new() };
    let mut steps = draft.halt();
    steps.extend(running.iter().flat_map(|held| draft.halt_of(&held.secondary)));
    steps.extend(all.iter().flat_map(|held| held.deleted(draft)));
    steps.push(draft.on_own(changelog(draft), State::text("off")));
    steps.extend(draft.found.bricks().filter_map(|(node, brick)| aside(draft, node, brick)));
    steps.extend(resync::void(draft));
    steps.push(draft.on_own(changelog(draft), State::text("on")));
    steps.extend(all.iter().flat_map(|held| held.created(draft)));
    steps.extend(resync::unmark(draft));
    steps.extend(draft.emptied());
    steps.extend(running.iter().map(|held| draft.on_own(held.session(), State::Started)));
    steps.extend(draft.go());
    steps
}

impl SavedSession {
    fn other(draft: &Builder<'_>, other: &OtherSession) -> Self {
        let secondary = other.session.secondary.to_string();
        Self { primary: draft.primary(), secondary, set: other.set.clone() }
    }

    /// The session that is reset, then the others.
    fn all(draft: &Builder<'_>) -> Vec<Self> {
        let (primary, secondary) = (draft.primary(), draft.secondary());
        let own = Self { primary, secondary, set: draft.found.set() };
        let others = draft.found.others.iter().map(|other| Self::other(draft, other));
        std::iter::once(own).chain(others).collect()
    }

    fn deleted(&self, draft: &Builder<'_>) -> Vec<Step> {
        let settings = self.settings().map(|(object, _)| draft.on_own(object, State::Absent));
        settings.chain([draft.on_own(self.record(), State::Absent)]).collect()
    }

    fn created(&self, draft: &Builder<'_>) -> Vec<Step> {
        let settings = self.settings().map(|(object, text)| draft.on_own(object, text));
        std::iter::once(draft.on_own(self.record(), State::InPlace)).chain(settings).collect()
    }

    fn session(&self) -> Object {
        let (primary, secondary) = (self.primary.clone(), self.secondary.clone());
        Object::Session { primary, secondary }
    }

    fn record(&self) -> Object {
        let (primary, secondary) = (self.primary.clone(), self.secondary.clone());
        Object::SessionRecord { primary, secondary }
    }

    /// What was set for it, with its texts.
    fn settings(&self) -> impl Iterator<Item = (Object, State)> {
        let set = self.set.iter().filter(|(key, _)| !OWN_NOTES.contains(&key.as_str()));
        set.map(|(key, text)| {
            let (primary, secondary) = (self.primary.clone(), self.secondary.clone());
            let key = key.clone();
            (Object::SessionConfig { primary, secondary, key }, State::text(text))
        })
    }
}

fn changelog(draft: &Builder<'_>) -> Object {
    Object::VolumeOption { volume: draft.primary(), option: "changelog.changelog".to_owned() }
}

/// The brick's changelogs are moved aside on their own file system, while none is written.
fn aside(draft: &Builder<'_>, node: &str, brick: &BrickState) -> Option<Step> {
    let (inode, born) = brick.changelogs?;
    let (primary, secondary) = (draft.primary(), draft.secondary());
    let root = NodePath::from(brick.dir.as_path());
    let guards = vec![
        Guard::SessionStopped { primary, secondary },
        Guard::Unchanged { object: changelog(draft), was: State::text("off") },
        draft.same_brick(brick, &root),
    ];
    let at = brick.dir.join(".glusterfs/changelogs");
    let kept = format!(".glusterfs/changelogs.before-{}", draft.token());
    let (at, aside) = (NodePath::from(at), NodePath::from(brick.dir.join(kept)));
    let object = Object::Movable { at, aside, identity: Identity { inode, born } };
    Some(on(node, guards, object, State::Aside))
}
