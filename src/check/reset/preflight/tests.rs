//! One situation after another in which a reset would do harm.

use std::collections::BTreeMap;

use super::{Check, CheckStatus, preflight};
use crate::domain::situation_sample::{id, situation};
use crate::domain::{
    FreeSpace, Level, OtherSession, Release, ResetOptions, SecondaryData, SecondaryState,
    SessionState, Time,
};

fn wish(level: Level) -> ResetOptions {
    let now = Time::from_secs(9000);
    ResetOptions { level, bricks: Vec::new(), leftovers: SecondaryData::Keep, compare: true, now }
}

/// What fails, and whether it may be overridden.
fn failing(found: &SessionState, level: Level) -> Vec<(&'static str, bool)> {
    let failed = |check: Check| {
        (check.verdict == CheckStatus::Fail).then_some((check.name, check.may_be_overridden))
    };
    preflight(found, &wish(level)).into_iter().filter_map(failed).collect()
}

const REWIND: Level = Level::Rewind { to: Time::from_secs(5000) };

fn refused(spoil: impl Fn(&mut SessionState)) -> Vec<(&'static str, bool)> {
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
        assert!(bricks.verdict == CheckStatus::Fail && bricks.says.contains(word), "{bricks:?}");
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
        |it: &mut SessionState| it.session.as_mut().unwrap().workers[0].state = "Paused".into();
    assert_eq!(refused(pause), [("session", false)]);
}

#[test]
fn others_that_read_the_changelogs_matter_to_a_new_history_only() {
    let mut found = situation();
    let mut session = found.session.clone().unwrap();
    session.secondary = "s2::gv0dr".parse().unwrap();
    found.others.push(OtherSession { session, set: BTreeMap::new() });
    if let Ok(sight) = &mut found.nodes[0].sight {
        sight.glusterfind.push("backup".to_owned());
    }
    assert_eq!(failing(&found, Level::Resync), []);
    let named = [("other-sessions", true), ("glusterfind", true)];
    assert_eq!(failing(&found, Level::Full), named);

    // What could not be made anew is not for the operator to lift.
    let unliftable = [("other-sessions", false), ("glusterfind", true)];
    let mut of_user = found.clone();
    of_user.others[0].session.secondary = "geo@s2::gv0dr".parse().unwrap();
    assert_eq!(failing(&of_user, Level::Full), unliftable);
    found.others[0].session.workers[0].state = "Paused".to_owned();
    assert_eq!(failing(&found, Level::Full), unliftable);
    assert_eq!(failing(&found, Level::Resync), []);
}

#[test]
fn a_chain_of_sessions_is_not_emptied_at_its_middle() {
    let mut found = situation();
    let onward = found.session.clone().unwrap();
    found.far.as_mut().unwrap().sessions.push(onward);
    assert_eq!(failing(&found, Level::Retry), []);
    assert_eq!(failing(&found, Level::Resync), [("secondary-is-primary", true)]);
    assert_eq!(failing(&found, Level::Full), [("secondary-is-primary", true)]);
}

fn emptied(
    leftovers: SecondaryData,
    spoil: impl Fn(&mut SecondaryState),
) -> Vec<(&'static str, bool)> {
    let mut found = situation();
    spoil(found.far.as_mut().unwrap());
    let wish = ResetOptions { leftovers, ..wish(Level::Resync) };
    let failed = preflight(&found, &wish).into_iter().filter(|it| it.verdict == CheckStatus::Fail);
    failed.map(|it| (it.name, it.may_be_overridden)).collect()
}

#[test]
fn a_secondary_is_emptied_where_its_copy_fits() {
    let full = |far: &mut SecondaryState| far.room = Some(FreeSpace { used: 9, free: 9 });
    assert_eq!(emptied(SecondaryData::Quarantine, |_| ()), []);
    assert_eq!(emptied(SecondaryData::Quarantine, full), [("secondary-room", false)]);
    assert_eq!(emptied(SecondaryData::Purge, full), []);
    assert_eq!(
        emptied(SecondaryData::Quarantine, |far| far.room = None),
        [("secondary-room", true)]
    );
    let shard = |far: &mut SecondaryState| {
        far.volume.options.insert("features.shard".to_owned(), "on".to_owned());
    };
    assert_eq!(emptied(SecondaryData::Purge, shard), [("secondary-sharded", true)]);
    assert_eq!(emptied(SecondaryData::Keep, shard), []);
}

#[test]
fn a_process_that_outlived_its_session_is_no_ground_to_build_on() {
    let mut found = situation();
    if let Ok(sight) = &mut found.nodes[1].sight {
        sight.alive = vec![42];
    }
    assert_eq!(failing(&found, Level::Resync), [], "it runs, so it has processes");
    for worker in &mut found.session.as_mut().unwrap().workers {
        worker.state = "Stopped".to_owned();
    }
    assert_eq!(failing(&found, Level::Resync), [("workers", false)]);
}

#[test]
fn an_index_is_made_anew_where_something_is_wrong_with_it() {
    assert_eq!(failing(&situation(), Level::History), [("index", false)]);
    let broken = || {
        let mut found = situation();
        if let Ok(sight) = &mut found.nodes[0].sight {
            sight.bricks[0].index_faults = vec!["htime/x is no index".to_owned()];
        }
        found
    };
    assert_eq!(failing(&broken(), Level::History), []);
    let told = preflight(&broken(), &wish(REWIND)).into_iter().find(|it| it.name == "index");
    let told = told.expect("a rewind passes over what an index lacks");
    assert_eq!(told.verdict, CheckStatus::Warn);
    assert!(told.says.contains("--level history") && told.says.contains("htime/x"), "{told:?}");
    assert!(preflight(&situation(), &wish(REWIND)).iter().all(|it| it.name != "index"));
    let down = SessionState { down: Some(vec!["m1:/bricks/gv0".to_owned()]), ..broken() };
    assert_eq!(failing(&down, Level::History), []);
    assert_eq!(
        failing(&SessionState { unhealed: Some(3), ..broken() }, Level::History),
        [("heal", false)]
    );
    assert_eq!(
        failing(&SessionState { unhealed: None, ..broken() }, Level::History),
        [("heal", true)]
    );
}

#[test]
fn a_secondary_made_anew_is_another_one() {
    assert_eq!(
        refused(|it| it.far.as_mut().unwrap().volume.id = id('5')),
        [("secondary-id", false)]
    );
}

#[test]
fn what_makes_it_crawl_everything_depends_on_the_release() {
    for (release, word) in [(Release(3, 7, 6), "directories"), (Release(10, 3, 0), "of 0")] {
        let found = SessionState { release, ..situation() };
        let checks = preflight(&found, &wish(Level::Resync));
        let told = checks.iter().find(|check| check.name == "release").unwrap();
        assert!(told.verdict == CheckStatus::Pass && told.says.contains(word), "{told:?}");
    }
}

#[test]
fn marks_go_back_only_to_where_the_changelogs_reach() {
    let at = |sec| Level::Rewind { to: Time::from_secs(sec) };
    assert_eq!(failing(&situation(), at(1000)), [("history", false)]);
    assert_eq!(failing(&situation(), at(1001)), []);
    assert_eq!(failing(&situation(), at(8500)), [("history", false)], "nothing is later");
    let mut found = situation();
    if let Ok(sight) = &mut found.nodes[0].sight {
        sight.bricks[0].index_trouble = Some("htime/HTIME.1.bak is no usable index".to_owned());
    }
    assert_eq!(failing(&found, REWIND), [("history", false)]);
}

#[test]
fn another_change_detector_is_told_how_to_leave() {
    let xsync = |it: &mut SessionState| {
        it.settings.insert("change-detector".to_owned(), "xsync".to_owned());
    };
    assert_eq!(refused(xsync), [("change-detector", false)]);
}
