//! Session states in which a reset would do harm.

use std::collections::BTreeMap;

use super::preflight;
use crate::check::{Check, CheckStatus};
use crate::domain::session_sample::{id, session_state};
use crate::domain::{
    FreeSpace, LevelKind, OtherSession, Release, ResetOptions, SecondaryData, SecondaryState,
    SessionState, Time,
};

fn options(level: LevelKind) -> ResetOptions {
    let since = (level == LevelKind::Rewind).then(|| Time::from_secs(5000));
    ResetOptions { since, ..ResetOptions::new(level, Time::from_secs(9000)) }
}

/// What fails, and whether it may be overridden.
fn failing(found: &SessionState, level: LevelKind) -> Vec<(&'static str, bool)> {
    let failed = |check: Check| {
        (check.status == CheckStatus::Fail).then_some((check.name, check.may_be_overridden))
    };
    preflight(found, &options(level)).into_iter().filter_map(failed).collect()
}

fn refused(break_it: impl Fn(&mut SessionState)) -> Vec<(&'static str, bool)> {
    let mut found = session_state();
    break_it(&mut found);
    failing(&found, LevelKind::Resync)
}

#[test]
fn a_healthy_session_may_be_reset() {
    for level in [LevelKind::Retry, LevelKind::Rewind, LevelKind::Resync, LevelKind::Full] {
        assert_eq!(failing(&session_state(), level), [], "{level}");
    }
}

#[test]
fn parts_that_were_not_inspected_are_refused() {
    assert_eq!(refused(|it| it.session = None), [("session", false)]);
    assert_eq!(refused(|it| it.nodes[1].report = Err("no route".into())), [("nodes", false)]);
    assert_eq!(refused(|it| it.lost_peers.push("m2".into())), [("peers", false)]);
    assert_eq!(refused(|it| it.remote = Err("no route".into())), [("secondary", true)]);
    assert_eq!(refused(|it| it.down = None), [("bricks-running", true)]);
}

#[test]
fn a_directory_that_is_not_the_volumes_brick_is_refused() {
    for (volume, word) in [(Some(id('5')), "belongs"), (None, "mounted")] {
        let mut found = session_state();
        if let Ok(report) = &mut found.nodes[1].report {
            report.bricks[0].volume = volume;
        }
        let checks = preflight(&found, &options(LevelKind::Retry));
        let bricks = checks.iter().find(|check| check.name == "bricks").unwrap();
        assert!(bricks.status == CheckStatus::Fail && bricks.says.contains(word), "{bricks:?}");
    }
}

#[test]
fn clocks_are_judged_within_their_uncertainty() {
    assert_eq!(refused(|it| it.nodes[1].clock.ahead = -2_500_000), [("clocks", true)]);
    assert_eq!(
        refused(|it| {
            it.nodes[1].clock.ahead = -2_500_000;
            it.nodes[1].clock.uncertainty = 600_000;
        }),
        []
    );
}

#[test]
fn a_paused_session_is_refused() {
    let pause =
        |it: &mut SessionState| it.session.as_mut().unwrap().workers[0].state = "Paused".into();
    assert_eq!(refused(pause), [("session", false)]);
}

#[test]
fn other_changelog_readers_matter_to_a_new_history_only() {
    let mut found = session_state();
    let mut session = found.session.clone().unwrap();
    session.secondary = "s2::gv0dr".parse().unwrap();
    found.others.push(OtherSession { session, set: BTreeMap::new() });
    if let Ok(report) = &mut found.nodes[0].report {
        report.glusterfind.push("backup".to_owned());
    }
    assert_eq!(failing(&found, LevelKind::Resync), []);
    let named = [("other-sessions", true), ("glusterfind", true)];
    assert_eq!(failing(&found, LevelKind::Full), named);

    // A session that cannot be recreated cannot be overridden.
    let not_overridable = [("other-sessions", false), ("glusterfind", true)];
    let mut of_user = found.clone();
    of_user.others[0].session.secondary = "geo@s2::gv0dr".parse().unwrap();
    assert_eq!(failing(&of_user, LevelKind::Full), not_overridable);
    found.others[0].session.workers[0].state = "Paused".to_owned();
    assert_eq!(failing(&found, LevelKind::Full), not_overridable);
    assert_eq!(failing(&found, LevelKind::Resync), []);
}

#[test]
fn a_chain_of_sessions_is_not_emptied_at_its_middle() {
    let mut found = session_state();
    let onward = found.session.clone().unwrap();
    found.remote.as_mut().unwrap().sessions.push(onward);
    assert_eq!(failing(&found, LevelKind::Retry), []);
    assert_eq!(failing(&found, LevelKind::Resync), [("secondary-is-primary", true)]);
    assert_eq!(failing(&found, LevelKind::Full), [("secondary-is-primary", true)]);
}

fn emptied(
    secondary_data: SecondaryData,
    break_it: impl Fn(&mut SecondaryState),
) -> Vec<(&'static str, bool)> {
    let mut found = session_state();
    break_it(found.remote.as_mut().unwrap());
    let options = ResetOptions { secondary_data, ..options(LevelKind::Resync) };
    let failed =
        preflight(&found, &options).into_iter().filter(|it| it.status == CheckStatus::Fail);
    failed.map(|it| (it.name, it.may_be_overridden)).collect()
}

#[test]
fn a_secondary_is_emptied_if_its_copy_fits() {
    let full = |remote: &mut SecondaryState| remote.room = Some(FreeSpace { used: 9, free: 9 });
    assert_eq!(emptied(SecondaryData::Quarantine, |_| ()), []);
    assert_eq!(emptied(SecondaryData::Quarantine, full), [("secondary-room", false)]);
    assert_eq!(emptied(SecondaryData::Purge, full), []);
    assert_eq!(
        emptied(SecondaryData::Quarantine, |remote| remote.room = None),
        [("secondary-room", true)]
    );
    let shard = |remote: &mut SecondaryState| {
        remote.volume.options.insert("features.shard".to_owned(), "on".to_owned());
    };
    assert_eq!(emptied(SecondaryData::Purge, shard), [("secondary-sharded", true)]);
    assert_eq!(emptied(SecondaryData::Keep, shard), []);
}

#[test]
fn a_process_that_outlived_its_session_is_refused() {
    let mut found = session_state();
    if let Ok(report) = &mut found.nodes[1].report {
        report.alive = vec![42];
    }
    assert_eq!(failing(&found, LevelKind::Resync), [], "it runs, so it has processes");
    for worker in &mut found.session.as_mut().unwrap().workers {
        worker.state = "Stopped".to_owned();
    }
    assert_eq!(failing(&found, LevelKind::Resync), [("workers", false)]);
}

#[test]
fn an_index_is_rebuilt_only_if_it_is_damaged() {
    assert_eq!(failing(&session_state(), LevelKind::History), [("index", false)]);
    let broken = || {
        let mut found = session_state();
        if let Ok(report) = &mut found.nodes[0].report {
            report.bricks[0].index_faults = vec!["htime/x is not an index".to_owned()];
        }
        found
    };
    assert_eq!(failing(&broken(), LevelKind::History), []);
    let told =
        preflight(&broken(), &options(LevelKind::Rewind)).into_iter().find(|it| it.name == "index");
    let told = told.expect("a rewind skips what an index lacks");
    assert_eq!(told.status, CheckStatus::Warn);
    assert!(told.says.contains("--level history") && told.says.contains("htime/x"), "{told:?}");
    assert!(
        preflight(&session_state(), &options(LevelKind::Rewind))
            .iter()
            .all(|it| it.name != "index")
    );
    let down = SessionState { down: Some(vec!["m1:/bricks/gv0".to_owned()]), ..broken() };
    assert_eq!(failing(&down, LevelKind::History), []);
    assert_eq!(
        failing(&SessionState { unhealed: Some(3), ..broken() }, LevelKind::History),
        [("heal", false)]
    );
    assert_eq!(
        failing(&SessionState { unhealed: None, ..broken() }, LevelKind::History),
        [("heal", true)]
    );
}

#[test]
fn a_recreated_secondary_is_another_volume() {
    assert_eq!(
        refused(|it| it.remote.as_mut().unwrap().volume.id = id('5')),
        [("secondary-id", false)]
    );
}

#[test]
fn how_a_full_crawl_is_forced_depends_on_the_release() {
    for (release, word) in [(Release(3, 7, 6), "directories"), (Release(10, 3, 0), "of 0")] {
        let found = SessionState { release, ..session_state() };
        let checks = preflight(&found, &options(LevelKind::Resync));
        let told = checks.iter().find(|check| check.name == "release").unwrap();
        assert!(told.status == CheckStatus::Pass && told.says.contains(word), "{told:?}");
    }
}

#[test]
fn marks_go_back_only_to_where_the_changelogs_reach() {
    let passes = |since: Option<u32>| {
        let since = since.map(|sec| Time::from_secs(sec.into()));
        let rewind = ResetOptions { since, ..options(LevelKind::Rewind) };
        preflight(&session_state(), &rewind).iter().all(|it| it.status != CheckStatus::Fail)
    };
    assert!(!passes(Some(1000)) && passes(Some(1001)));
    assert!(!passes(Some(8500)), "no mark is later");
    assert!(!passes(None));
    let mut found = session_state();
    if let Ok(report) = &mut found.nodes[0].report {
        report.bricks[0].index_trouble = Some("htime/HTIME.1.bak is not a usable index".to_owned());
    }
    assert_eq!(failing(&found, LevelKind::Rewind), [("history", false)]);
}

#[test]
fn another_change_detector_is_refused() {
    let xsync = |it: &mut SessionState| {
        it.settings.insert("change-detector".to_owned(), "xsync".to_owned());
    };
    assert_eq!(refused(xsync), [("change-detector", false)]);
}
