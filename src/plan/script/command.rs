//! A step as a quoted shell command; states and guards as shell tests.

use std::fmt::Write as _;

use super::quote::quoted;
use crate::plan::{
    Action, Because, Bulk, Change, Guard, Hex, NodePath, Object, State, Step, StepId, Work,
};

fn path(at: &NodePath) -> String {
    quoted(at.name().as_bytes())
}

fn word(text: &str) -> String {
    quoted(text.as_bytes())
}

/// Bytes as `printf` writes them.
fn octal(hex: &Hex) -> String {
    hex.0.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:03o}");
        text
    })
}

impl Step {
    /// The command that does it, for bash; every value in it is quoted.
    #[must_use]
    pub fn shell(&self) -> String {
        plain_command(self).unwrap_or_else(|| agent_command(self))
    }
}

/// The call of georepair that executes a step.
fn agent_command(step: &Step) -> String {
    format!("georepair agent do {}", word(&step.to_json()))
}

/// What does a step, if that is plain shell and so are the tests of its guards.
pub(super) fn plain_command(step: &Step) -> Option<String> {
    match &step.does {
        Work::Bulk { bulk: Bulk::Changes, manifest } => {
            Some(format!("bash ./{}", word(&manifest.list_name())))
        }
        Work::Bulk { bulk: Bulk::TriggerSync { mount, .. }, manifest } => {
            let list = word(&manifest.list_name());
            let set = "xargs -0 -r -n 64 setfattr -h -n glusterfs.geo-rep.trigger-sync -v 1 --";
            Some(format!("(exec < ./{list} && cd -- {} && {set})", path(mount)))
        }
        Work::Set(action) => {
            let plain_guards = step.guards.iter().all(|guard| guard_test(guard).is_some());
            plain_action(action).filter(|_| plain_guards)
        }
    }
}

/// A change of a list: without the functions that a script has.
pub(super) fn listed_command(change: &Change) -> String {
    let action = change.action();
    let plain = plain_action(&action).filter(|_| !matches!(action.object, Object::Movable { .. }));
    plain.unwrap_or_else(|| {
        let (id, because, node) = (StepId(0), Because::Asked, String::new());
        let does = Work::Set(action);
        agent_command(&Step { id, because, node, guards: Vec::new(), does })
    })
}

fn plain_action(action: &Action) -> Option<String> {
    Some(match (&action.object, &action.wanted) {
        (Object::Xattr { at, name }, State::Value { hex }) => {
            format!("setfattr -h -n {} -v {hex} -- {}", word(name), path(at))
        }
        (Object::Xattr { at, name }, _) => {
            format!("setfattr -h -x {} -- {}", word(name), path(at))
        }
        (Object::File { at }, State::Content { hex, mode, uid, gid }) => {
            let new = quoted(&[at.name().as_bytes(), b".georepair-new"].concat());
            let text = octal(hex);
            format!(
                "{{ ! test -e {0} || cp -a -- {0} {new}; }} && printf '{text}' > {new} && \
                 chown {uid}:{gid} -- {new} && chmod {mode:04o} -- {new} && mv -fT -- {new} {0}",
                path(at)
            )
        }
        (Object::File { at }, _) => format!("rm -f -- {}", path(at)),
        (Object::Movable { at, aside, .. }, State::Aside) => renamed(at, aside),
        (Object::Movable { at, aside, .. }, _) => renamed(aside, at),
        (Object::Kept { at, .. }, _) => format!("rm -rf -- {}", path(at)),
        (Object::Workers { primary, secondary }, _) => {
            format!("wait_gone {} {}", word(primary), word(secondary))
        }
        (object, wanted) => return gluster_command(object, wanted),
    })
}

fn renamed(from: &NodePath, to: &NodePath) -> String {
    let parent = to.path().parent().unwrap_or(std::path::Path::new("/"));
    let parent = quoted(parent.as_os_str().as_encoded_bytes());
    format!("mkdir -p -- {parent} && exchange {} {}", path(from), path(to))
}

fn gluster_command(object: &Object, wanted: &State) -> Option<String> {
    let last;
    let words: Vec<&str> = match (object, wanted) {
        (Object::VolumeOption { volume, option }, State::Text { text }) => {
            vec!["set", volume, option, text]
        }
        (Object::VolumeOption { volume, option }, _) => vec!["reset", volume, option],
        (Object::Session { primary, secondary }, wanted) => {
            let verb = match wanted {
                State::Started => "start",
                State::Paused => "pause",
                State::Absent => "delete",
                _ => "stop",
            };
            vec!["geo-replication", primary, secondary, verb]
        }
        (Object::SessionRecord { primary, secondary }, State::Absent) => {
            vec!["geo-replication", primary, secondary, "delete"]
        }
        (Object::SessionRecord { primary, secondary }, _) => {
            vec!["geo-replication", primary, secondary, "create", "push-pem", "force"]
        }
        (Object::SessionConfig { primary, secondary, key }, State::Text { text }) => {
            // The CLI takes any word with two dashes for its own option; gsyncd strips the blank.
            last = if text.starts_with("--") { format!(" {text}") } else { text.clone() };
            vec!["geo-replication", primary, secondary, "config", key, &last]
        }
        (Object::SessionConfig { primary, secondary, key }, _) => {
            last = format!("!{key}");
            vec!["geo-replication", primary, secondary, "config", &last]
        }
        _ => return None,
    };
    let words: Vec<_> = words.into_iter().map(word).collect();
    Some(format!("gluster --mode=script volume {}", words.join(" ")))
}

/// A test whether the object is in the state; `None` if plain shell cannot tell.
pub(super) fn state_test(object: &Object, state: &State) -> Option<String> {
    Some(match (object, state) {
        (Object::Xattr { at, name }, state) => {
            let value = word(&state.to_string());
            format!("test \"$(xattr_of {} {})\" = {value}", path(at), word(name))
        }
        (Object::File { at }, State::Content { hex, mode, uid, gid }) => {
            format!("file_is {} '{mode:o} {uid} {gid}' '{}'", path(at), octal(hex))
        }
        (Object::File { at }, _) => format!("! test -e {0} -o -L {0}", path(at)),
        (Object::Movable { at, identity, .. } | Object::Kept { at, identity }, State::InPlace) => {
            format!("test \"$(inode_of {})\" = {}", path(at), identity.inode)
        }
        (Object::Movable { aside, identity, .. }, State::Aside) => {
            format!("test \"$(inode_of {})\" = {}", path(aside), identity.inode)
        }
        (Object::Kept { at, identity }, State::Spent) => {
            format!("test \"$(inode_of {})\" != {}", path(at), identity.inode)
        }
        (Object::VolumeOption { volume, option }, state) => {
            format!("test \"$(option_of {} {})\" = {}", word(volume), word(option), text_of(state)?)
        }
        (Object::SessionConfig { primary, secondary, key }, State::Text { text }) => format!(
            "test \"$(setting_of {} {} {})\" = {}",
            word(primary),
            word(secondary),
            word(&key.replace('-', "_")),
            word(text)
        ),
        (
            Object::Session { primary, secondary },
            State::Started | State::Stopped | State::Absent,
        ) => {
            format!("test \"$(session_of {} {})\" = {state}", word(primary), word(secondary))
        }
        (Object::SessionRecord { primary, secondary }, state) => {
            let equal = if *state == State::Absent { "=" } else { "!=" };
            let session = format!("session_of {} {}", word(primary), word(secondary));
            format!("test \"$({session})\" {equal} absent")
        }
        (Object::Workers { primary, secondary }, State::Absent) => {
            format!("test -z \"$(gsyncd_of {} {})\"", word(primary), word(secondary))
        }
        _ => return None,
    })
}

fn text_of(state: &State) -> Option<String> {
    match state {
        State::Text { text } => Some(word(text)),
        State::Absent => Some("''".to_owned()),
        _ => None,
    }
}

/// A test whether the guard holds; `None` if plain shell cannot tell.
pub(super) fn guard_test(guard: &Guard) -> Option<String> {
    match guard {
        Guard::SessionStopped { primary, secondary } => {
            let who = format!("{} {}", word(primary), word(secondary));
            Some(format!("test \"$(session_of {who})\" != started && wait_gone {who}"))
        }
        Guard::Unchanged { object, was } => state_test(object, was),
        Guard::SameVolume { volume, id } => Some(format!(
            "gluster --mode=script volume info {} | grep -qx 'Volume ID: {id}'",
            word(volume)
        )),
        Guard::SameBrick { at, volume, identity } => {
            let id = State::value(volume.as_bytes());
            let name = "trusted.glusterfs.volume-id".to_owned();
            let xattr = state_test(&Object::Xattr { at: at.clone(), name }, &id)?;
            Some(format!("{xattr} && test \"$(inode_of {})\" = {}", path(at), identity.inode))
        }
        Guard::Mounted { at, volume } => {
            let source = "findmnt -n -t fuse.glusterfs -o SOURCE --mountpoint";
            let ends = format!("{source} {} | grep -qE ':/?'{}'$'", path(at), word(volume));
            Some(ends)
        }
        Guard::FreeSpace { at, bytes } => {
            let free = format!("df --output=avail -B1 -- {} | tail -n1", path(at));
            Some(format!("test \"$({free})\" -ge {bytes}"))
        }
    }
}
