//! One situation after another in which a reset would do harm.

use super::{Check, Verdict, preflight};
use crate::domain::situation_sample::{id, situation};
use crate::domain::{Leftovers, Level, Release, ResetWish, Situation, Time};

fn wish(level: Level) -> ResetWish {
    let now = Time::from_secs(9000);
    ResetWish { level, bricks: Vec::new(), leftovers: Leftovers::Keep, now }
}

/// What fails, and whether it may be overridden.
fn failing(found: &Situation, level: Level) -> Vec<(&'static str, bool)> {
    let failed = |check: Check| {
        (check.verdict == Verdict::Fail).then_some((check.name, check.may_be_overridden))
    };
    preflight(found, &wish(level)).into_iter().filter_map(failed).collect()
}

const REWIND: Level = Level::Rewind { to: Time::from_secs(5000) };

fn refused(spoil: impl Fn(&mut Situation)) -> Vec<(&'static str, bool)> {
    let mut found = situation();
    spoil(&mut found);
    failing(&found, Level::Resync)
}

#[test]
fn a_healthy_session_may_be_started_over() {
    for level in [Level::Retry, REWIND, Level::Resync, Level::Full] {
        assert_eq!(failing(&situation(), level), [], "{level}");
    }
}

#[test]
fn what_was_not_seen_cannot_be_taken_on() {
    assert_eq!(refused(|it| it.session = None), [("session", false)]);
    assert_eq!(refused(|it| it.nodes[1].sight = Err("no route".into())), [("nodes", false)]);
    assert_eq!(refused(|it| it.lost_peers.push("m2".into())), [("peers", false)]);
    assert_eq!(refused(|it| it.far = Err("no route".into())), [("secondary", true)]);
    assert_eq!(refused(|it| it.down = None), [("bricks-running", true)]);
}

#[test]
fn a_directory_that_is_another_brick_or_none_is_refused() {
    for (volume, word) in [(Some(id('5')), "belongs"), (None, "mounted")] {
        let mut found = situation();
        if let Ok(sight) = &mut found.nodes[1].sight {
            sight.bricks[0].volume = volume;
        }
        let checks = preflight(&found, &wish(Level::Retry));
        let bricks = checks.iter().find(|check| check.name == "bricks").unwrap();
        assert!(bricks.verdict == Verdict::Fail && bricks.says.contains(word), "{bricks:?}");
    }
}

#[test]
fn clocks_are_judged_as_well_as_they_were_seen() {
    assert_eq!(refused(|it| it.nodes[1].ahead = -2_500_000), [("clocks", true)]);
    assert_eq!(
        refused(|it| {
            it.nodes[1].ahead = -2_500_000;
            it.nodes[1].blur = 600_000;
        }),
        []
    );
}

#[test]
fn a_paused_session_is_left_alone() {
    let pause =
        |it: &mut Situation| it.session.as_mut().unwrap().workers[0].state = "Paused".into();
    assert_eq!(refused(pause), [("session", false)]);
}

#[test]
fn others_that_read_the_changelogs_matter_to_a_new_history_only() {
    let mut found = situation();
    let mut other = found.session.clone().unwrap();
    other.secondary = "s2::gv0dr".parse().unwrap();
    found.others.push(other);
    if let Ok(sight) = &mut found.nodes[0].sight {
        sight.glusterfind.push("backup".to_owned());
    }
    assert_eq!(failing(&found, Level::Resync), []);
    assert_eq!(failing(&found, Level::Full), [("other-sessions", true), ("glusterfind", true)]);
}

#[test]
fn a_chain_of_sessions_is_not_emptied_at_its_middle() {
    let mut found = situation();
    let onward = found.session.clone().unwrap();
    found.far.as_mut().unwrap().sessions.push(onward);
    assert_eq!(failing(&found, Level::Resync), []);
    let wish = ResetWish { leftovers: Leftovers::Purge, ..wish(Level::Resync) };
    let checks = preflight(&found, &wish);
    let chained = checks.iter().find(|check| check.name == "secondary-is-primary").unwrap();
    assert!(chained.verdict == Verdict::Fail && chained.may_be_overridden);
}

#[test]
fn a_secondary_made_anew_is_another_one() {
    assert_eq!(
        refused(|it| it.far.as_mut().unwrap().volume.id = id('5')),
        [("secondary-id", false)]
    );
}

#[test]
fn old_releases_do_not_know_the_void_mark() {
    assert_eq!(refused(|it| it.release = Release(3, 7, 6)), [("release", false)]);
    let mut found = situation();
    found.release = Release(3, 7, 6);
    assert_eq!(failing(&found, REWIND), []);
}

#[test]
fn marks_go_back_only_to_where_the_changelogs_reach() {
    let at = |sec| Level::Rewind { to: Time::from_secs(sec) };
    assert_eq!(failing(&situation(), at(999)), [("history", false)]);
    assert_eq!(failing(&situation(), at(1000)), []);
    assert_eq!(failing(&situation(), at(8500)), [("history", false)], "nothing is later");
    let mut found = situation();
    if let Ok(sight) = &mut found.nodes[0].sight {
        sight.bricks[0].index_trouble = Some("htime/HTIME.1.bak is no usable index".to_owned());
    }
    assert_eq!(failing(&found, REWIND), [("history", false)]);
}

#[test]
fn another_change_detector_is_told_how_to_leave() {
    let xsync = |it: &mut Situation| {
        it.settings.insert("change-detector".to_owned(), "xsync".to_owned());
    };
    assert_eq!(refused(xsync), [("change-detector", false)]);
}
