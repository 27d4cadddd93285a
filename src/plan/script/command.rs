//! An action as a quoted shell command, and an object's state as a question to the shell.

use std::fmt::Write as _;

use super::quote::quoted;
use crate::plan::{Action, Bulk, Guard, Hex, NodePath, Object, State, Work};

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

impl Work {
    /// The command that does it, for bash; every value in it is quoted.
    #[must_use]
    pub fn shell(&self) -> String {
        match self {
            Self::Set(action) => action.shell(),
            Self::Bulk { bulk: Bulk::Changes, manifest } => {
                format!("bash ./{}", word(&manifest.list_name()))
            }
            Self::Bulk { bulk: Bulk::TriggerSync { mount, .. }, manifest } => {
                let list = word(&manifest.list_name());
                let set = "xargs -0 -r -n 64 setfattr -h -n glusterfs.geo-rep.trigger-sync -v 1 --";
                format!("(exec < ./{list} && cd -- {} && {set})", path(mount))
            }
        }
    }
}

impl Action {
    /// The command that does it, for bash; every value in it is quoted.
    #[must_use]
    pub fn shell(&self) -> String {
        let Self { object, wanted } = self;
        match (object, wanted) {
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
            (Object::Canary { primary, secondary, token, files, .. }, _) => {
                let words = [primary, secondary, token].map(|text| word(text)).join(" ");
                format!("canary {words} {files}")
            }
            (Object::DirectoryMarks { at, name }, _) => {
                format!("unmark_directories {} {}", path(at), word(name))
            }
            (Object::BrickProcess { volume, brick }, State::Stopped) => {
                format!("stop_brick {} {}", word(volume), word(brick))
            }
            (Object::BrickProcess { volume, brick }, _) => {
                format!("start_brick {} {}", word(volume), word(brick))
            }
            (Object::HistoryIndex { at, .. }, State::Absent) => format!("rm -rf -- {}", path(at)),
            (Object::HistoryIndex { brick, at }, _) => {
                format!("make_index {} {}", path(brick), path(at))
            }
            (Object::Unhealed { volume }, _) => format!("wait_healed {}", word(volume)),
            (Object::Leftovers { secondary, keep }, _) => {
                format!("empty {} {}", word(secondary), word(keep.as_deref().unwrap_or_default()))
            }
            _ => gluster(object, wanted),
        }
    }
}

fn renamed(from: &NodePath, to: &NodePath) -> String {
    let parent = to.path().parent().unwrap_or(std::path::Path::new("/"));
    let parent = quoted(parent.as_os_str().as_encoded_bytes());
    format!("mkdir -p -- {parent} && exchange {} {}", path(from), path(to))
}

/// What glusterd is told.
fn gluster(object: &Object, to: &State) -> String {
    let padded;
    let words: Vec<&str> = match (object, to) {
        (Object::VolumeOption { volume, option }, State::Text { text }) => {
            vec!["volume", "set", volume, option, text]
        }
        (Object::VolumeOption { volume, option }, _) => vec!["volume", "reset", volume, option],
        (Object::Session { primary, secondary }, to) => {
            let verb = match to {
                State::Started => "start",
                State::Paused => "pause",
                State::Absent => "delete",
                _ => "stop",
            };
            vec!["volume", "geo-replication", primary, secondary, verb]
        }
        (Object::SessionRecord { primary, secondary }, State::Absent) => {
            vec!["volume", "geo-replication", primary, secondary, "delete"]
        }
        (Object::SessionRecord { primary, secondary }, _) => {
            let create = ["create", "push-pem", "force"];
            let begin = ["volume", "geo-replication", primary, secondary];
            [&begin[..], &create].concat()
        }
        (Object::SessionConfig { primary, secondary, key }, State::Text { text }) => {
            // The CLI takes any word that begins so for an option of its own; gsyncd cuts the blank.
            padded = if text.starts_with("--") { format!(" {text}") } else { text.clone() };
            vec!["volume", "geo-replication", primary, secondary, "config", key, &padded]
        }
        (Object::SessionConfig { primary, secondary, key }, _) => {
            let begin = ["volume", "geo-replication", primary, secondary, "config"].map(word);
            return format!(
                "gluster --mode=script {} {}",
                begin.join(" "),
                word(&format!("!{key}"))
            );
        }
        _ => return "false".to_owned(),
    };
    let words: Vec<_> = words.into_iter().map(word).collect();
    format!("gluster --mode=script {}", words.join(" "))
}

/// A command that succeeds where the object is in the state; nothing where no shell can tell.
pub(super) fn is(object: &Object, state: &State) -> Option<String> {
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
        (Object::BrickProcess { volume, brick }, state @ (State::Started | State::Stopped)) => {
            let pid = format!("$(pid_of_brick {} {})", word(volume), word(brick));
            let test = if *state == State::Started { "-n" } else { "-z" };
            format!("test {test} \"{pid}\"")
        }
        (Object::HistoryIndex { at, .. }, State::InPlace) => format!("test -d {}", path(at)),
        (Object::HistoryIndex { at, .. }, State::Absent) => format!("! test -e {}", path(at)),
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

/// A command that succeeds where the guard holds; nothing where no shell can tell.
pub(super) fn holds(guard: &Guard) -> Option<String> {
    match guard {
        Guard::SessionStopped { primary, secondary } => {
            let who = format!("{} {}", word(primary), word(secondary));
            Some(format!("test \"$(session_of {who})\" != started && wait_gone {who}"))
        }
        Guard::Unchanged { object, was } => is(object, was),
        Guard::SameVolume { volume, id } => Some(format!(
            "gluster --mode=script volume info {} | grep -qx 'Volume ID: {id}'",
            word(volume)
        )),
        Guard::SameBrick { at, volume, identity } => {
            let id = State::value(volume.as_bytes());
            let name = "trusted.glusterfs.volume-id".to_owned();
            let xattr = is(&Object::Xattr { at: at.clone(), name }, &id)?;
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
