//! Plans of a reset: the steps that the levels share, and which level takes which.

mod full;
mod history;
mod resync;
mod retry;
mod rewind;

use crate::domain::{
    BrickState, LevelKind, Mark, QUARANTINE, ResetOptions, SecondaryData, SessionState,
};
use crate::plan::{
    Action, Because, FollowUp, Guard, Identity, NodePath, Object, Plan, State, Step, StepId, Work,
};

/// Canaries per replica set: with eight, a set gets none once in 3,000 times.
const CANARIES: u32 = 8;
/// The default of `changelog.rollover-time`, in seconds.
const ROLLOVER: u32 = 15;

/// The plan of a reset. It checks nothing: [`crate::check::reset::preflight`] does.
#[must_use]
pub fn reset(found: &SessionState, options: &ResetOptions) -> Plan {
    let builder = Builder { found, options };
    let steps = match options.level {
        LevelKind::Retry => retry::steps(&builder),
        LevelKind::Rewind => rewind::steps(&builder),
        LevelKind::History => history::steps(&builder),
        LevelKind::Resync => resync::steps(&builder),
        LevelKind::Full => full::steps(&builder),
    };
    let since = options.since.map_or_else(String::new, |since| format!(" to {since}"));
    let (level, does) = (options.level, options.level.row().does);
    let plan = Plan::new(format!("reset {level}{since}: {does}"), found.name(), steps);
    Plan { afterwards: Some(builder.follow_up()), ..plan }
}

/// Builds the steps.
struct Builder<'a> {
    found: &'a SessionState,
    options: &'a ResetOptions,
}

impl Builder<'_> {
    /// A step on the local node.
    fn on_local_node(&self, object: Object, wanted: State) -> Step {
        on(&self.found.local_node, Vec::new(), object, wanted)
    }

    fn session(&self) -> Object {
        let (primary, secondary) = (self.primary(), self.secondary());
        Object::Session { primary, secondary }
    }

    fn primary(&self) -> String {
        self.found.primary.name.clone()
    }

    fn secondary(&self) -> String {
        self.found.secondary.to_string()
    }

    /// Stops the session and waits until all of its processes are gone, on every node.
    fn stop(&self) -> Vec<Step> {
        self.stop_session(&self.secondary())
    }

    /// Stops the primary's session with this secondary.
    fn stop_session(&self, secondary: &str) -> Vec<Step> {
        let (volume, id) = (self.primary(), self.found.primary.id);
        let (primary, other) = (self.primary(), secondary.to_owned());
        let mut stop =
            self.on_local_node(Object::Session { primary, secondary: other }, State::Stopped);
        stop.guards.push(Guard::SameVolume { volume, id });
        let gone = self.found.nodes.iter().map(|node| {
            let (primary, secondary) = (self.primary(), secondary.to_owned());
            let workers = Object::Workers { primary, secondary };
            on(&node.name, Vec::new(), workers, State::Absent)
        });
        std::iter::once(stop).chain(gone).collect()
    }

    /// Starts the session and verifies that a change made after that arrives.
    fn start_and_verify(&self) -> Vec<Step> {
        let canary = Object::Canary {
            primary: self.primary(),
            secondary: self.secondary(),
            token: self.token(),
            files: self.sets().saturating_mul(CANARIES),
            rollover: self.rollover(),
        };
        vec![
            self.on_local_node(self.session(), State::Started),
            self.on_local_node(canary, State::Arrived),
        ]
    }

    /// Empties the secondary, if requested. It comes last before the start, because it cannot be
    /// undone.
    fn empty_secondary(&self) -> Option<Step> {
        let keep = match self.options.secondary_data {
            SecondaryData::Keep => return None,
            SecondaryData::Quarantine => Some(format!("{QUARANTINE}{}", self.token())),
            SecondaryData::Purge => None,
        };
        let (primary, secondary) = (self.primary(), self.secondary());
        let guards = vec![Guard::SessionStopped { primary, secondary }];
        let object = Object::Leftovers { secondary: self.secondary(), keep };
        Some(on(&self.found.local_node, guards, object, State::Spent))
    }

    /// Only a comparison shows whether both sides are equal: no step compares them, and a crawl
    /// misses deletes and renames.
    fn follow_up(&self) -> FollowUp {
        let crawls = self.options.level.resends_everything();
        let compare = crawls && self.options.compare;
        let says = if compare {
            "a crawl does not see deletes and renames"
        } else {
            "no step compares both sides"
        };
        let (primary, secondary) = (self.primary(), self.secondary());
        FollowUp { says: says.to_owned(), primary, secondary, compare }
    }

    fn sets(&self) -> u32 {
        u32::try_from(self.found.primary.sets().count()).unwrap_or(u32::MAX)
    }

    /// Seconds between two rollovers of a changelog.
    fn rollover(&self) -> u32 {
        let set = self.found.primary.option("changelog.rollover-time");
        set.and_then(|text| text.parse().ok()).unwrap_or(ROLLOVER)
    }

    /// Part of the names of what this reset leaves behind: its time, to the second.
    fn token(&self) -> String {
        let text = self.options.now.to_string();
        text.chars().take(19).filter(char::is_ascii_alphanumeric).collect()
    }

    /// The chosen bricks, with their nodes.
    fn bricks(&self) -> impl Iterator<Item = (&str, &BrickState)> {
        let wanted = &self.options.bricks;
        self.found.bricks().filter(|(_, it)| wanted.is_empty() || wanted.contains(&it.dir))
    }

    /// Sets or removes a mark of the root, provided that the session is stopped and the brick is
    /// still the same.
    fn mark(&self, node: &str, brick: &BrickState, name: &str, wanted: State) -> Step {
        let (primary, secondary) = (self.primary(), self.secondary());
        let at = NodePath::from(brick.dir.as_path());
        let guards =
            vec![Guard::SessionStopped { primary, secondary }, self.same_brick(brick, &at)];
        on(node, guards, Object::Xattr { at, name: name.to_owned() }, wanted)
    }

    /// Makes the next crawl look at everything. On every brick, also those of Passive workers and
    /// arbiters: any of them may be the next to become Active, and would continue from its own mark.
    fn zero_marks(&self) -> Vec<Step> {
        let Some(names) = self.found.mark_names() else { return Vec::new() };
        let all = self.found.release.zero_is_everything();
        let start = if all { State::value(&Mark::ZERO.to_bytes()) } else { State::Absent };
        let marks = self.found.bricks().flat_map(|(node, brick)| {
            [
                self.mark(node, brick, &names.stime, start.clone()),
                self.mark(node, brick, &names.entry_stime, State::Absent),
            ]
        });
        marks.collect()
    }

    /// Before 3.7.14 and 3.8.2 no mark of the root makes the crawl disregard those of the
    /// directories. There they are removed, which only makes later crawls look at more.
    fn remove_dir_marks(&self) -> Vec<Step> {
        let Some(names) = self.found.mark_names() else { return Vec::new() };
        if self.found.release.zero_is_everything() {
            return Vec::new();
        }
        let steps = self.found.bricks().map(|(node, brick)| {
            let (primary, secondary) = (self.primary(), self.secondary());
            let at = NodePath::from(brick.dir.as_path());
            let guards =
                vec![Guard::SessionStopped { primary, secondary }, self.same_brick(brick, &at)];
            let object = Object::DirectoryMarks { at, name: names.stime.clone() };
            on(node, guards, object, State::Spent)
        });
        steps.collect()
    }

    fn same_brick(&self, brick: &BrickState, at: &NodePath) -> Guard {
        let (inode, born) = brick.identity;
        let identity = Identity { inode, born };
        Guard::SameBrick { at: at.clone(), volume: self.found.primary.id, identity }
    }
}

fn on(node: &str, guards: Vec<Guard>, object: Object, wanted: State) -> Step {
    let does = Work::Set(Action { object, wanted });
    let (id, node) = (StepId(0), node.to_owned());
    Step { id, because: Because::Asked, node, guards, does }
}

#[cfg(test)]
pub(crate) mod tests;
