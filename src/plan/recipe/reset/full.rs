//! `full`: a new changelog history, and everything crawled again.
//!
//! From 4.0 on glusterd refuses to switch changelogs off while a session exists, so the session is
//! deleted and recreated, and with it every other session of the volume. None is deleted with
//! `reset-sync-time`, and settings are removed one by one before, so that each change is a step of
//! its own and can be undone.

use std::collections::BTreeMap;

use super::{Builder, on};
use crate::domain::{BrickState, OtherSession};
use crate::plan::{Guard, Identity, NodePath, Object, State, Step};

/// Settings that gsyncd writes by itself: it writes them again.
const GSYNCDS_OWN: [&str; 1] = ["stime-xattr-prefix"];

/// A session that is stopped, maybe deleted and recreated, while there are no changelogs.
struct SavedSession {
    primary: String,
    secondary: String,
    set: BTreeMap<String, String>,
}

pub(super) fn steps(builder: &Builder<'_>) -> Vec<Step> {
    let recreate = !builder.found.release.keeps_session_without_changelog();
    let running = builder.found.others.iter().filter(|other| !other.session.is_stopped());
    let running: Vec<_> = running.map(|other| SavedSession::other(builder, other)).collect();
    let all = if recreate { SavedSession::all(builder) } else { Vec::new() };
    let mut steps = builder.stop();
    steps.extend(running.iter().flat_map(|saved| builder.stop_session(&saved.secondary)));
    steps.extend(all.iter().flat_map(|saved| saved.deleted(builder)));
    steps.push(builder.on_local_node(changelog(builder), State::text("off")));
    steps.extend(
        builder
            .found
            .bricks()
            .filter_map(|(node, brick)| move_changelogs_aside(builder, node, brick)),
    );
    steps.extend(builder.zero_marks());
    steps.push(builder.on_local_node(changelog(builder), State::text("on")));
    steps.extend(all.iter().flat_map(|saved| saved.created(builder)));
    steps.extend(builder.remove_dir_marks());
    steps.extend(builder.empty_secondary());
    steps
        .extend(running.iter().map(|saved| builder.on_local_node(saved.session(), State::Started)));
    steps.extend(builder.start_and_verify());
    steps
}

impl SavedSession {
    fn other(builder: &Builder<'_>, other: &OtherSession) -> Self {
        let secondary = other.session.secondary.to_string();
        Self { primary: builder.primary(), secondary, set: other.set.clone() }
    }

    /// The session being reset, then the others.
    fn all(builder: &Builder<'_>) -> Vec<Self> {
        let (primary, secondary) = (builder.primary(), builder.secondary());
        let this = Self { primary, secondary, set: builder.found.set() };
        let others = builder.found.others.iter().map(|other| Self::other(builder, other));
        std::iter::once(this).chain(others).collect()
    }

    fn deleted(&self, builder: &Builder<'_>) -> Vec<Step> {
        let settings =
            self.settings().map(|(object, _)| builder.on_local_node(object, State::Absent));
        settings.chain([builder.on_local_node(self.record(), State::Absent)]).collect()
    }

    fn created(&self, builder: &Builder<'_>) -> Vec<Step> {
        let settings = self.settings().map(|(object, text)| builder.on_local_node(object, text));
        std::iter::once(builder.on_local_node(self.record(), State::InPlace))
            .chain(settings)
            .collect()
    }

    fn session(&self) -> Object {
        let (primary, secondary) = (self.primary.clone(), self.secondary.clone());
        Object::Session { primary, secondary }
    }

    fn record(&self) -> Object {
        let (primary, secondary) = (self.primary.clone(), self.secondary.clone());
        Object::SessionRecord { primary, secondary }
    }

    /// Its explicit settings, with their values.
    fn settings(&self) -> impl Iterator<Item = (Object, State)> {
        let set = self.set.iter().filter(|(key, _)| !GSYNCDS_OWN.contains(&key.as_str()));
        set.map(|(key, text)| {
            let (primary, secondary) = (self.primary.clone(), self.secondary.clone());
            let key = key.clone();
            (Object::SessionConfig { primary, secondary, key }, State::text(text))
        })
    }
}

fn changelog(builder: &Builder<'_>) -> Object {
    Object::VolumeOption { volume: builder.primary(), option: "changelog.changelog".to_owned() }
}

/// Moves the brick's changelogs aside, on the same file system, while none is written.
fn move_changelogs_aside(builder: &Builder<'_>, node: &str, brick: &BrickState) -> Option<Step> {
    let (inode, born) = brick.changelogs?;
    let (primary, secondary) = (builder.primary(), builder.secondary());
    let root = NodePath::from(brick.dir.as_path());
    let guards = vec![
        Guard::SessionStopped { primary, secondary },
        Guard::Unchanged { object: changelog(builder), was: State::text("off") },
        builder.same_brick(brick, &root),
    ];
    let at = brick.dir.join(".glusterfs/changelogs");
    let kept = format!(".glusterfs/changelogs.before-{}", builder.token());
    let (at, aside) = (NodePath::from(at), NodePath::from(brick.dir.join(kept)));
    let object = Object::Movable { at, aside, identity: Identity { inode, born } };
    Some(on(node, guards, object, State::Aside))
}
