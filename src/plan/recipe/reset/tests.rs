//! Plans of every level, as the operator sees them.

use super::reset;
use crate::domain::situation_sample::{id, situation};
use crate::domain::{Leftovers, Level, ResetWish, Situation, Time};
use crate::plan::{Guard, Object, Plan, State};

fn wish(level: Level) -> ResetWish {
    let now = Time::from_secs(1_795_264_308);
    ResetWish { level, bricks: Vec::new(), leftovers: Leftovers::Keep, now }
}

/// Step by step: the node and what is done there, with short names for the ids.
fn told(plan: &Plan) -> Vec<String> {
    let prefix = format!("trusted.glusterfs.{}.{}.", id('1'), id('2'));
    let steps = plan.steps.iter();
    steps.map(|it| format!("{}: {}", it.node, it.action.says().replace(&prefix, ""))).collect()
}

const HALT: [&str; 3] = [
    "m1: stop session gv0 s1::gv0dr",
    "m1: wait until no process of session gv0 s1::gv0dr is left",
    "m2: wait until no process of session gv0 s1::gv0dr is left",
];
const GO: [&str; 2] = [
    "m1: start session gv0 s1::gv0dr",
    "m1: wait until the workers listen; see a change made then arrive; start again if deaf",
];

fn between(steps: &[&str]) -> Vec<String> {
    [&HALT[..], steps, &GO[..]].concat().into_iter().map(str::to_owned).collect()
}

fn plan(found: &Situation, level: Level) -> Plan {
    reset(found, &wish(level))
}

#[test]
fn retry_changes_nothing_but_the_run() {
    assert_eq!(told(&plan(&situation(), Level::Retry)), between(&[]));
}

#[test]
fn resync_voids_the_marks_of_every_brick() {
    let plan = plan(&situation(), Level::Resync);
    let expected = between(&[
        "m1: set xattr stime of /bricks/gv0 to 0x0000000000000000",
        "m1: remove xattr entry_stime of /bricks/gv0",
        "m2: set xattr stime of /bricks/gv0 to 0x0000000000000000",
        "m2: remove xattr entry_stime of /bricks/gv0",
    ]);
    assert_eq!(told(&plan), expected);
    assert_eq!(plan.point_of_no_return(), None);
    for step in plan.steps.iter().filter(|it| matches!(it.action.object, Object::Xattr { .. })) {
        assert!(step.guards.iter().any(|it| matches!(it, Guard::SessionStopped { .. })));
        assert!(step.guards.iter().any(|it| matches!(it, Guard::SameBrick { .. })));
    }
}

#[test]
fn rewind_moves_only_what_is_later() {
    let to = |sec| Level::Rewind { to: Time::from_secs(sec) };
    let expected = between(&[
        "m1: set xattr stime of /bricks/gv0 to 0x0000138800000000",
        "m1: set xattr entry_stime of /bricks/gv0 to 0x0000138800000000",
    ]);
    assert_eq!(told(&plan(&situation(), to(5000))), expected);
    assert!(plan(&situation(), to(8001)).steps.is_empty(), "marks never go forward");
    assert_eq!(told(&plan(&situation(), to(3000))).len(), HALT.len() + 3 + GO.len());
}

#[test]
fn rewind_can_be_for_one_brick() {
    let mut found = situation();
    if let Ok(sight) = &mut found.nodes[1].sight {
        sight.bricks[0].dir = "/bricks/other".into();
    }
    let level = Level::Rewind { to: Time::from_secs(3000) };
    let wish = ResetWish { bricks: vec!["/bricks/other".into()], ..wish(level) };
    let expected = between(&["m2: set xattr stime of /bricks/other to 0x00000bb800000000"]);
    assert_eq!(told(&reset(&found, &wish)), expected);
}

#[test]
fn a_canary_flies_for_every_replica_set() {
    let mut found = situation();
    found.primary.set_size = 1;
    found.primary.options.insert("changelog.rollover-time".to_owned(), "3".to_owned());
    let plan = plan(&found, Level::Retry);
    let last = &plan.steps.last().unwrap().action;
    assert_eq!(last.shall_be, State::Arrived);
    let Object::Canary { token, files, rollover, .. } = &last.object else { panic!("{last:?}") };
    assert_eq!((token.as_str(), *files, *rollover), ("20261121T123148", 16, 3));
}
