//! A reset as a plan: what all levels share, and which steps each of them has.

mod full;
mod history;
mod resync;
mod retry;
mod rewind;

use crate::domain::{
    BrickState, Level, Mark, MarkNames, QUARANTINE, ResetOptions, SecondaryData, SessionState,
};
use crate::plan::{
    Action, Because, FollowUp, Guard, Identity, NodePath, Object, Plan, State, Step, StepId, Work,
};

/// How many canaries fly for each replica set: with eight, some set has none once in 3,000 times.
const CANARIES: u32 = 8;
/// What `changelog.rollover-time` is where nobody set it.
const ROLLOVER: u32 = 15;

/// The steps of a reset. Nothing in them is checked here: [`crate::check::reset::preflight`] does that.
#[must_use]
pub fn reset(found: &SessionState, wish: &ResetOptions) -> Plan {
    let draft = Builder { found, wish };
    let (title, steps) = match wish.level {
        Level::Retry => ("stop, start, and see a change arrive".to_owned(), retry::steps(&draft)),
        Level::Rewind { to } => {
            (format!("send everything since {to} again"), rewind::steps(&draft, to))
        }
        Level::History => ("make the index of changelogs anew".to_owned(), history::steps(&draft)),
        Level::Resync => ("crawl and send everything again".to_owned(), resync::steps(&draft)),
        Level::Full => {
            ("begin a new history, and send everything again".to_owned(), full::steps(&draft))
        }
    };
    let plan = Plan::new(format!("reset {}: {title}", wish.level), found.name(), steps);
    Plan { afterwards: Some(draft.afterwards()), ..plan }
}

/// What the steps are made from.
struct Builder<'a> {
    found: &'a SessionState,
    wish: &'a ResetOptions,
}

impl Builder<'_> {
    /// A step on the node whose glusterd is asked.
    fn on_own(&self, object: Object, wanted: State) -> Step {
        on(&self.found.own, Vec::new(), object, wanted)
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

    /// The session stops, and on every node all of its processes are gone.
    fn halt(&self) -> Vec<Step> {
        self.halt_of(&self.secondary())
    }

    /// The session of the primary with this secondary stops.
    fn halt_of(&self, secondary: &str) -> Vec<Step> {
        let (volume, id) = (self.primary(), self.found.primary.id);
        let (primary, other) = (self.primary(), secondary.to_owned());
        let mut stop = self.on_own(Object::Session { primary, secondary: other }, State::Stopped);
        stop.guards.push(Guard::SameVolume { volume, id });
        let gone = self.found.nodes.iter().map(|node| {
            let (primary, secondary) = (self.primary(), secondary.to_owned());
            let workers = Object::Workers { primary, secondary };
            on(&node.name, Vec::new(), workers, State::Absent)
        });
        std::iter::once(stop).chain(gone).collect()
    }

    /// The session starts, and a change made after that arrives.
    fn go(&self) -> Vec<Step> {
        let canary = Object::Canary {
            primary: self.primary(),
            secondary: self.secondary(),
            token: self.token(),
            files: self.sets().saturating_mul(CANARIES),
            rollover: self.rollover(),
        };
        vec![self.on_own(self.session(), State::Started), self.on_own(canary, State::Arrived)]
    }

    /// The secondary is emptied, where that was asked for: last before the start, for it is what
    /// cannot be taken back.
    fn emptied(&self) -> Option<Step> {
        let keep = match self.wish.leftovers {
            SecondaryData::Keep => return None,
            SecondaryData::Quarantine => Some(format!("{QUARANTINE}{}", self.token())),
            SecondaryData::Purge => None,
        };
        let (primary, secondary) = (self.primary(), self.secondary());
        let guards = vec![Guard::SessionStopped { primary, secondary }];
        let object = Object::Leftovers { secondary: self.secondary(), keep };
        Some(on(&self.found.own, guards, object, State::Spent))
    }

    /// Only a comparison shows whether both sides are equal; a crawl is known to leave things out.
    fn afterwards(&self) -> FollowUp {
        let crawls = matches!(self.wish.level, Level::Resync | Level::Full);
        let compare = crawls && self.wish.compare;
        let says = if compare {
            "a crawl sees no deletes and no renames"
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

    /// Names what this reset leaves behind: its time, to the second.
    fn token(&self) -> String {
        let text = self.wish.now.to_string();
        text.chars().take(19).filter(char::is_ascii_alphanumeric).collect()
    }

    /// The bricks that were asked for, with their nodes.
    fn bricks(&self) -> impl Iterator<Item = (&str, &BrickState)> {
        let wanted = &self.wish.bricks;
        self.found.bricks().filter(|(_, it)| wanted.is_empty() || wanted.contains(&it.dir))
    }

    /// The root's mark of this name shall be so, while the session stands still and the brick is
    /// still the same one.
    fn mark(&self, node: &str, brick: &BrickState, name: &str, wanted: State) -> Step {
        let (primary, secondary) = (self.primary(), self.secondary());
        let at = NodePath::from(brick.dir.as_path());
        let guards =
            vec![Guard::SessionStopped { primary, secondary }, self.same_brick(brick, &at)];
        on(node, guards, Object::Xattr { at, name: name.to_owned() }, wanted)
    }

    /// The marks of all directories below the root are gone.
    fn unmarked(&self, node: &str, brick: &BrickState, name: &str) -> Step {
        let (primary, secondary) = (self.primary(), self.secondary());
        let at = NodePath::from(brick.dir.as_path());
        let guards =
            vec![Guard::SessionStopped { primary, secondary }, self.same_brick(brick, &at)];
        let object = Object::DirectoryMarks { at, name: name.to_owned() };
        on(node, guards, object, State::Spent)
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

/// The marks of the session on a brick, stime first.
fn marks_of(brick: &BrickState, names: &MarkNames) -> (Option<Mark>, Option<Mark>) {
    (brick.marks.get(&names.stime).copied(), brick.marks.get(&names.entry_stime).copied())
}

#[cfg(test)]
pub(crate) mod tests;
