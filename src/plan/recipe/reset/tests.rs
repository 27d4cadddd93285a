//! Plans of every level, as the operator sees them.

use super::reset;
use crate::domain::session_sample::{id, session_state};
use crate::domain::{
    LevelKind, OtherSession, Release, ResetOptions, SecondaryData, SessionState, Time,
};
use crate::plan::{Action, Guard, Object, Plan, State, Step};

fn options(level: LevelKind) -> ResetOptions {
    ResetOptions::new(level, Time::from_secs(1_795_264_308))
}

fn rewind(secs: i64) -> ResetOptions {
    ResetOptions { since: Some(Time::from_secs(secs)), ..options(LevelKind::Rewind) }
}

/// Step by step: the node and what is done there, with short names for the ids.
fn told(plan: &Plan) -> Vec<String> {
    let prefix = format!("trusted.glusterfs.{}.{}.", id('1'), id('2'));
    let steps = plan.steps.iter();
    steps.map(|it| format!("{}: {}", it.node, it.does.says().replace(&prefix, ""))).collect()
}

const HALT: [&str; 3] = [
    "m1: stop session gv0 s1::gv0dr",
    "m1: wait until the gsyncd processes of session gv0 s1::gv0dr have exited",
    "m2: wait until the gsyncd processes of session gv0 s1::gv0dr have exited",
];
const GO: [&str; 2] = [
    "m1: start session gv0 s1::gv0dr",
    "m1: wait for the workers, then verify that a change is replicated; restart if it is not",
];

fn between(steps: &[&str]) -> Vec<String> {
    [&HALT[..], steps, &GO[..]].concat().into_iter().map(str::to_owned).collect()
}

fn plan(found: &SessionState, level: LevelKind) -> Plan {
    reset(found, &options(level))
}

#[test]
fn retry_changes_nothing_but_the_run() {
    assert_eq!(told(&plan(&session_state(), LevelKind::Retry)), between(&[]));
}

#[test]
fn resync_voids_the_marks_of_every_brick() {
    let plan = plan(&session_state(), LevelKind::Resync);
    let expected = between(&[
        "m1: set xattr stime of /bricks/gv0 to 0x0000000000000000",
        "m1: remove xattr entry_stime of /bricks/gv0",
        "m2: set xattr stime of /bricks/gv0 to 0x0000000000000000",
        "m2: remove xattr entry_stime of /bricks/gv0",
    ]);
    assert_eq!(told(&plan), expected);
    assert_eq!(plan.point_of_no_return(), None);
    for step in plan.steps.iter().filter(|it| matches!(set(it).object, Object::Xattr { .. })) {
        assert!(step.guards.iter().any(|it| matches!(it, Guard::SessionStopped { .. })));
        assert!(step.guards.iter().any(|it| matches!(it, Guard::SameBrick { .. })));
    }
}

#[test]
fn rewind_moves_only_what_is_later() {
    let expected = between(&[
        "m1: set xattr stime of /bricks/gv0 to 0x0000138700000000",
        "m1: set xattr entry_stime of /bricks/gv0 to 0x0000138700000000",
    ]);
    assert_eq!(told(&reset(&session_state(), &rewind(5000))), expected);
    assert!(reset(&session_state(), &rewind(8002)).steps.is_empty(), "marks never go forward");
    assert_eq!(told(&reset(&session_state(), &rewind(3000))).len(), HALT.len() + 3 + GO.len());
}

#[test]
fn rewind_can_be_for_one_brick() {
    let mut found = session_state();
    if let Ok(report) = &mut found.nodes[1].report {
        report.bricks[0].dir = "/bricks/other".into();
    }
    let options = ResetOptions { bricks: vec!["/bricks/other".into()], ..rewind(3000) };
    let expected = between(&["m2: set xattr stime of /bricks/other to 0x00000bb700000000"]);
    assert_eq!(told(&reset(&found, &options)), expected);
}

#[test]
fn a_canary_flies_for_every_replica_set() {
    let mut found = session_state();
    found.primary.set_size = 1;
    found.primary.options.insert("changelog.rollover-time".to_owned(), "3".to_owned());
    let plan = plan(&found, LevelKind::Retry);
    let last = set(plan.steps.last().unwrap());
    assert_eq!(last.wanted, State::Arrived);
    let Object::Canary { token, files, rollover, .. } = &last.object else { panic!("{last:?}") };
    assert_eq!((token.as_str(), *files, *rollover), ("20261121T123148", 16, 3));
}

/// The same with changelogs, an index and settings.
fn rich() -> SessionState {
    let mut found = session_state();
    for node in &mut found.nodes {
        let report = node.report.as_mut().unwrap();
        report.bricks[0].changelogs = Some((21, Some(22)));
        report.bricks[0].index = Some((31, Some(32)));
        for (key, text) in [("sync-jobs", "5"), ("stime-xattr-prefix", "trusted.x")] {
            report.set.insert(key.to_owned(), text.to_owned());
        }
    }
    found
}

const AT: &str = "/bricks/gv0/.glusterfs/changelogs";
const VOID: [&str; 4] = [
    "m1: set xattr stime of /bricks/gv0 to 0x0000000000000000",
    "m1: remove xattr entry_stime of /bricks/gv0",
    "m2: set xattr stime of /bricks/gv0 to 0x0000000000000000",
    "m2: remove xattr entry_stime of /bricks/gv0",
];

fn full(found: &SessionState, secondary_data: SecondaryData) -> Plan {
    reset(found, &ResetOptions { secondary_data, ..options(LevelKind::Full) })
}

#[test]
fn full_makes_the_session_anew_where_changelogs_cannot_be_switched_off_otherwise() {
    let plan = full(&rich(), SecondaryData::Quarantine);
    let aside = |node: &str| {
        format!(
            "{node}: move {AT} aside, to /bricks/gv0/.glusterfs/changelogs.before-20261121T123148"
        )
    };
    let (one, other) = (aside("m1"), aside("m2"));
    let mut steps = vec![
        "m1: reset setting sync-jobs of session gv0 s1::gv0dr",
        "m1: delete session gv0 s1::gv0dr with its settings; marks stay",
        "m1: set option changelog.changelog of volume gv0 to off",
        &one,
        &other,
    ];
    steps.extend(VOID);
    steps.extend([
        "m1: set option changelog.changelog of volume gv0 to on",
        "m1: create session gv0 s1::gv0dr: push-pem force",
        "m1: set sync-jobs of session gv0 s1::gv0dr to 5",
        "m1: empty s1::gv0dr: copy everything into its .georepair-quarantine-20261121T123148, compare, delete the rest",
    ]);
    assert_eq!(told(&plan), between(&steps));
    // Everything ahead of the emptying can be taken back.
    let last = plan.steps.len() - GO.len();
    assert_eq!(plan.point_of_no_return(), Some(plan.steps[last - 1].id));
    assert_eq!(full(&rich(), SecondaryData::Keep).point_of_no_return(), None);
}

#[test]
fn full_keeps_the_session_where_the_release_lets_it() {
    let found = SessionState { release: Release(3, 12, 9), ..rich() };
    let told = told(&full(&found, SecondaryData::Purge));
    assert!(told.iter().all(|it| !it.contains("create") && !it.contains("setting")), "{told:#?}");
    let off = told.iter().position(|it| it.ends_with("changelog.changelog of volume gv0 to off"));
    assert_eq!(off, Some(HALT.len()));
    assert!(told.contains(&"m1: empty s1::gv0dr: delete everything".to_owned()));
}

#[test]
fn full_takes_the_other_sessions_of_the_volume_along() {
    let mut found = rich();
    let mut session = found.session.clone().unwrap();
    session.secondary = "s2::far".parse().unwrap();
    let set = [("checkpoint".to_owned(), "now".to_owned())].into();
    found.others.push(OtherSession { session, set });
    let plan = full(&found, SecondaryData::Keep);
    let said = told(&plan);
    let at = |what: &str| {
        let place = said.iter().position(|it| it == &format!("m1: {what}"));
        place.unwrap_or_else(|| panic!("{what}: {said:#?}"))
    };
    let order = [
        "stop session gv0 s2::far",
        "wait until the gsyncd processes of session gv0 s2::far have exited",
        "reset setting checkpoint of session gv0 s2::far",
        "delete session gv0 s2::far with its settings; marks stay",
        "set option changelog.changelog of volume gv0 to off",
        "set option changelog.changelog of volume gv0 to on",
        "create session gv0 s2::far: push-pem force",
        "set checkpoint of session gv0 s2::far to now",
        "start session gv0 s2::far",
        "start session gv0 s1::gv0dr",
    ];
    assert!(order.map(at).is_sorted(), "{said:#?}");
    assert!(said.contains(
        &"m2: wait until the gsyncd processes of session gv0 s2::far have exited".to_owned()
    ));

    // One that stands still is not started; older releases let it be.
    for worker in &mut found.others[0].session.workers {
        worker.state = "Stopped".to_owned();
    }
    let still = told(&full(&found, SecondaryData::Keep));
    assert!(still.iter().all(|it| it != "m1: start session gv0 s2::far"), "{still:#?}");
    let legacy =
        told(&full(&SessionState { release: Release(3, 12, 9), ..found }, SecondaryData::Keep));
    assert!(legacy.iter().all(|it| !it.contains("s2::far")), "{legacy:#?}");
}

#[test]
fn where_no_mark_of_the_root_means_everything_those_of_the_directories_go() {
    let found = SessionState { release: Release(3, 7, 6), ..rich() };
    let plan = plan(&found, LevelKind::Resync);
    let expected = between(&[
        "m1: remove xattr stime of /bricks/gv0",
        "m1: remove xattr entry_stime of /bricks/gv0",
        "m2: remove xattr stime of /bricks/gv0",
        "m2: remove xattr entry_stime of /bricks/gv0",
        "m1: remove xattr stime of every directory below /bricks/gv0",
        "m2: remove xattr stime of every directory below /bricks/gv0",
    ]);
    assert_eq!(told(&plan), expected);
}

/// A brick whose index has a fault.
fn unindexed() -> SessionState {
    let mut found = rich();
    let report = found.nodes[1].report.as_mut().unwrap();
    report.bricks[0].index_faults = vec!["htime/x is no index".to_owned()];
    found
}

#[test]
fn history_stops_one_brick_at_a_time_and_only_where_something_is_wrong() {
    assert!(plan(&rich(), LevelKind::History).steps.is_empty());
    let aside = "/bricks/gv0/.glusterfs/htime.before-20261121T123148";
    let (make, old) = (
        format!("m2: rebuild the changelog index of /bricks/gv0 as {aside}"),
        format!("m2: move {AT}/htime aside, to {aside}"),
    );
    let expected = between(&[
        "m2: stop the process of brick m2:/bricks/gv0",
        &make,
        &old,
        "m2: start the process of brick m2:/bricks/gv0",
        "m2: wait until gv0 has no pending heals",
    ]);
    assert_eq!(told(&plan(&unindexed(), LevelKind::History)), expected);
    let mut gone = unindexed();
    gone.nodes[1].report.as_mut().unwrap().bricks[0].index = None;
    let told = told(&plan(&gone, LevelKind::History));
    assert!(
        told.contains(&format!("m2: rebuild the changelog index of /bricks/gv0 as {AT}/htime"))
    );
}

fn set(step: &Step) -> &Action {
    step.does.action().unwrap()
}

/// What hands type for a step, where it is not the command of the scripts.
fn by_hand(step: &Step) -> String {
    match &set(step).object {
        Object::Workers { .. } => {
            "pgrep -af gsyncd | grep -F s1::gv0dr     # again, until nothing is left".to_owned()
        }
        Object::Canary { .. } => "mount -t glusterfs m1:/gv0 /mnt/p; mount -t glusterfs s1:/gv0dr /mnt/s\n       \
            # once every Active worker says Changelog Crawl:\n       \
            mkdir /mnt/p/canary; date >/mnt/p/canary/1; sleep 60; cat /mnt/s/canary/1\n       \
            # it does not arrive: stop and start the session, and make another".to_owned(),
        Object::Leftovers { .. } => "glusterfs --volfile-server=s1 --volfile-id=gv0dr --client-pid=-1 --aux-gfid-mount --acl /mnt/w\n       \
            mkdir /mnt/w/.georepair-quarantine-DATE\n       \
            cp -a /mnt/s/NAME... /mnt/w/.georepair-quarantine-DATE/     # every name but .glusterfs*, .trashcan, .shard\n       \
            diff -r --no-dereference /mnt/s/NAME /mnt/w/.georepair-quarantine-DATE/NAME && rm -r /mnt/w/NAME".to_owned(),
        Object::BrickProcess { .. } if set(step).wanted == State::Stopped => {
            "kill PID     # of `gluster volume status gv0 m2:/bricks/gv0`".to_owned()
        }
        Object::BrickProcess { .. } => "gluster volume start gv0 force".to_owned(),
        Object::HistoryIndex { .. } => "bash m2.sh     # of --script DIR: no hand writes an index".to_owned(),
        Object::Unhealed { .. } => {
            "gluster volume heal gv0 statistics heal-count     # again, until every count is 0".to_owned()
        }
        Object::Movable { at, aside, .. } => format!("mv -nT -- {at} {aside}"),
        Object::DirectoryMarks { at, name } => {
            format!("find {at} -path {at}/.glusterfs -prune -o -type d -exec setfattr -h -x {name} {{}} \\;")
        }
        _ => step.shell(),
    }
}

/// The sequences of the runbooks are those of the plans: a page that drifts fails here.
#[test]
fn the_runbooks_show_what_the_plans_do() {
    let page = |level: LevelKind| match level {
        LevelKind::Retry => include_str!("../../../../runbooks/reset-retry.md"),
        LevelKind::Rewind => include_str!("../../../../runbooks/reset-rewind.md"),
        LevelKind::History => include_str!("../../../../runbooks/reset-history.md"),
        LevelKind::Resync => include_str!("../../../../runbooks/reset-resync.md"),
        LevelKind::Full => include_str!("../../../../runbooks/reset-full.md"),
    };
    let plan = |level: LevelKind| match level {
        LevelKind::Rewind => reset(&session_state(), &rewind(3000)),
        LevelKind::History => plan(&unindexed(), level),
        LevelKind::Full => full(&rich(), SecondaryData::Quarantine),
        LevelKind::Retry | LevelKind::Resync => plan(&session_state(), level),
    };
    let prefix = format!("trusted.glusterfs.{}.{}.", id('1'), id('2'));
    let mut lacking = String::new();
    for &level in LevelKind::ALL {
        for step in &plan(level).steps {
            let says = step.does.says().replace(&prefix, "");
            let does = by_hand(step).replace("gluster --mode=script ", "gluster ");
            let lines = format!("       # {} on {}: {says}\n       {does}\n", step.id, step.node)
                .replace(&prefix, "trusted.glusterfs.PRIMARY-ID.SECONDARY-ID.")
                .replace("20261121T123148", "DATE");
            if !page(level).contains(&lines) {
                lacking.push_str(&format!("@{level}\n{lines}"));
            }
        }
    }
    assert!(lacking.is_empty(), "the runbooks lack:\n{lacking}");
}
