//! The plan of trigger-sync: what gsyncd is asked to send again, and the session around it.

use uuid::Uuid;

use crate::plan::{
    Action, Because, Bulk, FollowUp, Guard, Manifest, NodePath, Object, Pace, Plan, State, Step,
    StepId, Work,
};

/// What gsyncd is asked to send again, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TriggerSync {
    /// The node that has the mount: this one.
    pub node: String,
    /// The mount point.
    pub mount: NodePath,
    /// The primary volume.
    pub volume: String,
    /// Its id, if glusterd answered.
    pub id: Option<Uuid>,
    /// The session's other side, `[USER@]HOST::VOLUME`, if known.
    pub secondary: Option<String>,
    /// Whether the session is stopped before and started again after.
    pub stop: bool,
    /// What is sent again, in pre-order.
    pub manifest: Manifest,
    /// How fast it is done.
    pub pace: Pace,
}

impl TriggerSync {
    /// The plan; it has no steps if nothing is listed.
    #[must_use]
    pub fn plan(self) -> Plan {
        let Self { node, mount, volume, id, secondary, stop, manifest, pace } = self;
        let count = manifest.count;
        let title = format!("send {count} directories and files of {volume} again");
        let name = match &secondary {
            Some(secondary) => format!("{volume} {secondary}"),
            None => volume.clone(),
        };
        let mut steps = Vec::new();
        if count > 0 {
            let mut guards = vec![Guard::Mounted { at: mount.clone(), volume: volume.clone() }];
            guards.extend(id.map(|id| Guard::SameVolume { volume: volume.clone(), id }));
            let session = secondary
                .clone()
                .filter(|_| stop)
                .map(|secondary| Object::Session { primary: volume.clone(), secondary });
            let trigger = Work::Bulk { bulk: Bulk::TriggerSync { mount, pace }, manifest };
            let around = |object: &Option<Object>, state: State| {
                object.clone().map(|object| {
                    (
                        Because::NeededBy { step: StepId(2) },
                        Vec::new(),
                        Work::Set(Action { object, wanted: state }),
                    )
                })
            };
            let before = around(&session, State::Stopped);
            let after = around(&session, State::Started);
            let trigger = (Because::Asked, guards, trigger);
            for (because, guards, does) in before.into_iter().chain([trigger]).chain(after) {
                let (id, node) = (StepId(0), node.clone());
                steps.push(Step { id, because, node, guards, does });
            }
        }
        let afterwards = secondary.map(|secondary| FollowUp {
            says: "sending does not prove arrival".to_owned(),
            primary: volume,
            secondary,
            compare: false,
        });
        Plan { afterwards, ..Plan::new(title, name, steps) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(stop: bool, count: u64) -> TriggerSync {
        TriggerSync {
            node: "m1".to_owned(),
            mount: NodePath::from("/mnt/gv0"),
            volume: "gv0".to_owned(),
            id: Some(Uuid::from_u128(7)),
            secondary: Some("s1::gv0dr".to_owned()),
            stop,
            manifest: Manifest { file: "list".to_owned(), count, digest: "0".repeat(16) },
            pace: Pace::default(),
        }
    }

    #[test]
    fn the_session_is_stopped_around_it_where_that_is_wished() {
        let states = |plan: &Plan| -> Vec<Option<State>> {
            let actions = plan.steps.iter().map(|step| step.does.action());
            actions.map(|action| action.map(|it| it.wanted.clone())).collect()
        };
        let plan = wish(true, 3).plan();
        assert_eq!(states(&plan), [Some(State::Stopped), None, Some(State::Started)]);
        assert_eq!(plan.session, "gv0 s1::gv0dr");
        assert_eq!(states(&wish(false, 3).plan()), [None]);
    }

    #[test]
    fn nothing_listed_is_nothing_planned() {
        assert!(wish(true, 0).plan().steps.is_empty());
    }

    #[test]
    fn it_is_bound_to_the_mount_and_the_volume() {
        let plan = wish(false, 1).plan();
        assert_eq!(
            plan.steps[0].guards,
            [
                Guard::Mounted { at: NodePath::from("/mnt/gv0"), volume: "gv0".to_owned() },
                Guard::SameVolume { volume: "gv0".to_owned(), id: Uuid::from_u128(7) },
            ]
        );
    }
}
