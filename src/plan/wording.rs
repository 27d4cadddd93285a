//! What a step does, in a sentence.

use super::{Action, Bulk, Object, State, Work};

impl Work {
    /// What it does, for people: "set … to …".
    #[must_use]
    pub fn says(&self) -> String {
        match self {
            Self::Set(action) => action.says(),
            Self::Bulk { bulk: Bulk::Changes, manifest } => {
                format!("apply {} listed changes", manifest.count)
            }
            Self::Bulk { bulk: Bulk::TriggerSync { mount, .. }, manifest } => {
                format!("ask gsyncd through {mount} to send {} objects again", manifest.count)
            }
        }
    }
}

impl Action {
    /// What it does, for people: "set … to …".
    #[must_use]
    pub fn says(&self) -> String {
        let Self { object, wanted } = self;
        match (object, wanted) {
            (Object::Xattr { at, name }, State::Absent) => format!("remove xattr {name} of {at}"),
            (Object::Xattr { at, name }, to) => format!("set xattr {name} of {at} to {to}"),
            (Object::File { at }, State::Absent) => format!("remove file {at}"),
            (Object::File { at }, to) => format!("write file {at}: {to}"),
            (Object::Movable { at, aside, .. }, State::Aside) => {
                format!("move {at} aside, to {aside}")
            }
            (Object::Movable { at, aside, .. }, _) => format!("move {aside} back to {at}"),
            (Object::Kept { at, .. }, _) => format!("delete {at} and everything below it"),
            (Object::VolumeOption { volume, option }, State::Absent) => {
                format!("reset option {option} of volume {volume}")
            }
            (Object::VolumeOption { volume, option }, to) => {
                format!("set option {option} of volume {volume} to {to}")
            }
            (
                Object::Session { .. }
                | Object::SessionRecord { .. }
                | Object::SessionConfig { .. },
                to,
            ) => of_session(object, to),
            (Object::Workers { primary, secondary }, _) => {
                format!("wait until the gsyncd processes of session {primary} {secondary} have exited")
            }
            (Object::Canary { .. }, _) => {
                "wait for the workers, then verify that a change is replicated; restart if it is not"
                    .to_owned()
            }
            (Object::DirectoryMarks { at, name }, _) => {
                format!("remove xattr {name} of every directory below {at}")
            }
            (Object::BrickProcess { brick, .. }, State::Stopped) => {
                format!("stop the process of brick {brick}")
            }
            (Object::BrickProcess { brick, .. }, _) => {
                format!("start the process of brick {brick}")
            }
            (Object::HistoryIndex { at, .. }, State::Absent) => format!("remove changelog index {at}"),
            (Object::HistoryIndex { brick, at }, _) => {
                format!("rebuild the changelog index of {brick} as {at}")
            }
            (Object::Unhealed { volume }, _) => {
                format!("wait until {volume} has no pending heals")
            }
            (Object::Leftovers { secondary, keep: Some(name) }, _) => format!(
                "empty {secondary}: copy everything into its {name}, compare, delete the rest"
            ),
            (Object::Leftovers { secondary, keep: None }, _) => {
                format!("empty {secondary}: delete everything")
            }
        }
    }
}

/// What is done with a session, its record or a setting of it.
fn of_session(object: &Object, to: &State) -> String {
    match (object, to) {
        (Object::Session { primary, secondary }, to) => {
            let verb = match to {
                State::Started => "start",
                State::Stopped => "stop",
                State::Paused => "pause",
                State::Absent => "delete",
                _ => "change",
            };
            format!("{verb} session {primary} {secondary}")
        }
        (Object::SessionRecord { primary, secondary }, State::Absent) => {
            format!("delete session {primary} {secondary} with its settings; marks stay")
        }
        (Object::SessionRecord { primary, secondary }, _) => {
            format!("create session {primary} {secondary}: push-pem force")
        }
        (Object::SessionConfig { primary, secondary, key }, State::Absent) => {
            format!("reset setting {key} of session {primary} {secondary}")
        }
        (Object::SessionConfig { primary, secondary, key }, to) => {
            format!("set {key} of session {primary} {secondary} to {to}")
        }
        _ => format!("set {object} to {to}"),
    }
}
