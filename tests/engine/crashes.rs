//! Plans, worlds and crashes at random: resuming ends where an undisturbed run ends, undoing from
//! any crash ends where it began.

use std::path::Path;

use georepair::apply::{ApplyError, ManifestWriter, StepState, Store, replay, undo_of_run};
use georepair::plan::{
    Action, BATCH, Because, Bulk, Change, Guard, Item, Manifest, Object, Pace, Plan, State, Step,
    StepId, Trigger, Work,
};
use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use crate::model::{Death, Disk, Fuse, live};

fn object(index: u8) -> Object {
    let at = format!("/srv/bricks/b{index}").as_str().into();
    Object::Xattr { at, name: "trusted.stime".to_owned() }
}

fn state(value: u8) -> State {
    if value == 0 { State::Absent } else { State::value(&[value]) }
}

pub(crate) fn step(object: Object, wanted: State) -> Step {
    doing(Work::Set(Action { object, wanted }))
}

pub(crate) fn doing(does: Work) -> Step {
    let (because, node) = (Because::Asked, "m1".to_owned());
    Step { id: StepId(0), because, node, guards: Vec::new(), does }
}

/// The object that a step changes.
pub(crate) fn object_of(step: &Step) -> Option<&Object> {
    step.does.action().map(|action| &action.object)
}

pub(crate) fn plan(steps: Vec<Step>) -> Plan {
    Plan::new("a test".to_owned(), "gv0 s1::gv0dr".to_owned(), steps)
}

/// A plan with its lists, and the world before it.
struct Case {
    plan: Plan,
    lists: TempDir,
    disk: Disk,
}

/// Which steps: a change of an object each, and at most one bulk.
type Shape = (Vec<(u8, u8)>, Vec<(u8, u8)>, Option<usize>);

fn shapes() -> impl Strategy<Value = Shape> {
    let changes = prop::collection::vec((0..4_u8, 0..4_u8), 1..8);
    let before = prop::collection::vec((0..4_u8, 0..4_u8), 0..5);
    (changes, before, prop::option::weighted(0.3, 1..2600_usize))
}

fn case((changes, before, bulk): Shape) -> Case {
    let lists = tempfile::tempdir().unwrap();
    let mut disk = Disk::default();
    for (index, value) in before {
        if value > 0 {
            disk.objects.insert(object(index).to_string(), state(value));
        }
    }
    let mut steps: Vec<_> =
        changes.iter().map(|(index, value)| step(object(*index), state(*value))).collect();
    if let Some(count) = bulk {
        let mut out = ManifestWriter::create(lists.path(), "marks").unwrap();
        for index in 0..count {
            let at = format!("/srv/d{index}").as_str().into();
            let object = Object::Xattr { at, name: "trusted.stime".to_owned() };
            if index % 3 > 0 {
                let value = u8::try_from(index % 3).unwrap();
                disk.objects.insert(object.to_string(), State::value(&[value]));
            }
            let was = (index % 3 == 1).then(|| State::value(&[1]));
            let change = Change { object, wanted: State::value(&[2]), was };
            out.push(&Item::Change(change)).unwrap();
        }
        let manifest = out.finish().unwrap();
        let bulk = Work::Bulk { bulk: Bulk::Changes, manifest };
        steps.insert(steps.len() / 2, doing(bulk));
    }
    Case { plan: plan(steps), lists, disk }
}

fn fuses() -> impl Strategy<Value = Fuse> {
    let death =
        prop_oneof![Just(Death::Before), Just(Death::After), any::<u8>().prop_map(Death::Amid)];
    let left = prop_oneof![3 => 0..60_u32, 1 => 0..3000_u32];
    (left, death).prop_map(|(left, death)| Fuse { left, death })
}

/// Lives again and again, dying as the fuses say, until the plan is at its end.
fn live_to_the_end(plan: &Plan, lists: &Path, disk: Disk, fuses: &[Fuse]) -> Disk {
    let mut disk = disk;
    for fuse in fuses {
        let (left, _) = live(plan, lists, disk, Some(*fuse));
        disk = left;
    }
    let (disk, ended) = live(plan, lists, disk, None);
    ended.expect("it ends");
    disk
}

/// Puts a run on a real disk, so that its undo plan can be made as the command makes it.
fn undo_of(plan: &Plan, lists: &Path, disk: &Disk, into: &Path) -> Plan {
    let state_dir = tempfile::tempdir().unwrap();
    let id = Uuid::from_u128(7);
    let store = Store::new(state_dir.path());
    let folder = store.folder(id);
    std::fs::create_dir_all(&folder).unwrap();
    let text = serde_json::to_vec_pretty(plan).unwrap();
    write(&folder.join("plan.json"), &text);
    write(&folder.join("journal.jsonl"), &disk.journal);
    for entry in std::fs::read_dir(lists).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    undo_of_run(&store, id, into).expect("it can be taken back")
}

#[expect(clippy::disallowed_methods, reason = "a test lays out a run by hand")]
fn write(path: &Path, text: &[u8]) {
    std::fs::write(path, text).unwrap();
}

fn new_run(disk: Disk) -> Disk {
    Disk { objects: disk.objects, ..Disk::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn resuming_ends_where_an_undisturbed_run_ends(
        shape in shapes(),
        fuses in prop::collection::vec(fuses(), 1..6),
    ) {
        let Case { plan, lists, disk } = case(shape);
        let undisturbed = live_to_the_end(&plan, lists.path(), disk.clone(), &[]);
        let resumed = live_to_the_end(&plan, lists.path(), disk.clone(), &fuses);
        prop_assert_eq!(&resumed.objects, &undisturbed.objects);
        // No act is done twice but the one that was under way when the process died.
        let acts = |disk: &Disk| disk.acts.values().sum::<u32>();
        let most = acts(&undisturbed) + u32::try_from(fuses.len()).unwrap();
        prop_assert!(acts(&resumed) <= most, "{} acts of {most}", acts(&resumed));
        // A second run of the same plan, where each object has one last word, changes nothing.
        let again = live_to_the_end(&plan, lists.path(), new_run(undisturbed.clone()), &[]);
        prop_assert_eq!(again.objects, undisturbed.objects);
    }

    #[test]
    fn undoing_from_any_crash_ends_where_it_began(
        shape in shapes(),
        fuses in prop::collection::vec(fuses(), 1..4),
        undo_fuses in prop::collection::vec(fuses(), 0..4),
    ) {
        let Case { plan, lists, disk } = case(shape);
        let began = disk.objects.clone();
        let mut disk = disk;
        for fuse in &fuses {
            (disk, _) = live(&plan, lists.path(), disk, Some(*fuse));
        }
        let undo_lists = tempfile::tempdir().unwrap();
        let undo = undo_of(&plan, lists.path(), &disk, undo_lists.path());
        let undone = live_to_the_end(&undo, undo_lists.path(), new_run(disk), &undo_fuses);
        prop_assert_eq!(undone.objects, began);
    }

    #[test]
    fn what_somebody_else_changed_meanwhile_is_left_alone(shape in shapes(), fuse in fuses()) {
        let Case { plan, lists, disk } = case(shape);
        let (mut disk, _) = live(&plan, lists.path(), disk, Some(fuse));
        let progress = replay(disk.journal.as_slice(), &plan, |_, _| ()).unwrap().progress;
        let begun = plan.steps.iter().find(|step| {
            matches!(progress.step(step.id), StepState::Begun { before: Some(_) })
        });
        if let Some(step) = begun {
            let strange = State::value(b"strange");
            disk.objects.insert(object_of(step).unwrap().to_string(), strange);
            let before = disk.objects.clone();
            let (disk, ended) = live(&plan, lists.path(), disk, None);
            let drifted =
                matches!(ended, Err(ApplyError::Drifted { step: at, .. }) if at == step.id);
            prop_assert!(drifted, "{ended:?}");
            prop_assert_eq!(disk.objects, before);
        }
    }

    #[test]
    fn undo_leaves_alone_what_somebody_else_changed_since(shape in shapes(), which in any::<usize>()) {
        let Case { plan, lists, disk } = case(shape);
        let disk = live_to_the_end(&plan, lists.path(), disk, &[]);
        let undo_lists = tempfile::tempdir().unwrap();
        let undo = undo_of(&plan, lists.path(), &disk, undo_lists.path());
        let single: Vec<_> = undo
            .steps
            .iter()
            .filter_map(object_of)
            .collect();
        if !single.is_empty() {
            let name = single[which % single.len()].to_string();
            let mut disk = new_run(disk);
            disk.objects.insert(name.clone(), State::value(b"strange"));
            let (disk, ended) = live(&undo, undo_lists.path(), disk, None);
            prop_assert!(matches!(ended, Err(ApplyError::Mismatch { .. })), "{ended:?}");
            prop_assert_eq!(&disk.objects[&name], &State::value(b"strange"));
        }
    }
}

fn triggers(lists: &Path, count: u32) -> Manifest {
    let mut out = ManifestWriter::create(lists, "paths").unwrap();
    for index in 0..count {
        let at = format!("d/{index}").as_str().into();
        out.push(&Item::Trigger(Trigger { at, folder: false, gfid: None })).unwrap();
    }
    out.finish().unwrap()
}

#[test]
fn a_bulk_that_cannot_be_taken_back_goes_on_at_its_first_open_batch() {
    let lists = tempfile::tempdir().unwrap();
    let bulk = trigger();
    let manifest = triggers(lists.path(), 5000);
    let plan = plan(vec![doing(Work::Bulk { bulk, manifest })]);
    for left in 0..20 {
        for death in [Death::Before, Death::After, Death::Amid(100)] {
            let fuse = Fuse { left, death };
            let (disk, _) = live(&plan, lists.path(), Disk::default(), Some(fuse));
            let (disk, ended) = live(&plan, lists.path(), disk, None);
            ended.unwrap();
            assert_eq!(disk.objects.len(), 5000);
            // At most the batch under way is done twice.
            assert!(disk.acts.values().filter(|acts| **acts > 1).count() <= 1024);
            let begun = replay(disk.journal.as_slice(), &plan, |_, _| ()).unwrap().progress;
            let undone = georepair::apply::undo_plan(&plan, &begun, |_| Ok(None));
            assert!(undone.is_err(), "a point of no return was passed");
        }
    }
}

/// One item of a list that another hand changes, before its batch or in the midst of it.
#[test]
fn a_list_leaves_alone_what_somebody_else_changed() {
    let item = |n: u32| Object::Xattr { at: format!("/d{n}").as_str().into(), name: "m".into() };
    for was in [None, Some(State::Absent)] {
        let lists = tempfile::tempdir().unwrap();
        let mut out = ManifestWriter::create(lists.path(), "marks").unwrap();
        for n in 0..50 {
            let (object, wanted, was) = (item(n), State::value(&[2]), was.clone());
            out.push(&Item::Change(Change { object, wanted, was })).unwrap();
        }
        let bulk = Work::Bulk { bulk: Bulk::Changes, manifest: out.finish().unwrap() };
        let plan = plan(vec![doing(bulk)]);
        // After the journal's three lines (two effects each) and some items; or before any.
        let mut disk = Disk::default();
        if was.is_none() {
            let fuse = Fuse { left: 16, death: Death::After };
            (disk, _) = live(&plan, lists.path(), disk, Some(fuse));
            assert!((1..50).contains(&disk.objects.len()), "the batch was begun");
        }
        disk.objects.insert(item(40).to_string(), State::value(b"strange"));
        let before = disk.objects.clone();
        let (disk, ended) = live(&plan, lists.path(), disk, None);
        assert!(matches!(ended, Err(ApplyError::Drifted { .. })), "{ended:?}");
        assert_eq!(disk.objects, before, "nothing more was touched");
    }
}

/// Within a batch and from batch to batch: what was changed in a directory's wake goes before it.
#[test]
fn a_list_is_taken_back_last_change_first() {
    let lists = tempfile::tempdir().unwrap();
    let mut out = ManifestWriter::create(lists.path(), "marks").unwrap();
    for n in 0..BATCH + 300 {
        let object = Object::Xattr { at: format!("/d{n}").as_str().into(), name: "m".into() };
        out.push(&Item::Change(Change { object, wanted: State::value(&[2]), was: None })).unwrap();
    }
    let bulk = Work::Bulk { bulk: Bulk::Changes, manifest: out.finish().unwrap() };
    let plan = plan(vec![doing(bulk)]);
    let mut disk = Disk::default();
    let was_so = Object::Xattr { at: "/d7".into(), name: "m".into() };
    disk.objects.insert(was_so.to_string(), State::value(&[2]));
    let (disk, ended) = live(&plan, lists.path(), disk, None);
    ended.unwrap();
    let into = tempfile::tempdir().unwrap();
    undo_of(&plan, lists.path(), &disk, into.path());
    let list = std::fs::read_to_string(into.path().join("undo-marks")).unwrap();
    let told: Vec<usize> = list
        .lines()
        .filter_map(|line| line.split("\"/d").nth(1)?.split('"').next()?.parse().ok())
        .collect();
    // What was so before the run is none of its changes.
    assert_eq!(told, (0..BATCH + 300).rev().filter(|n| *n != 7).collect::<Vec<_>>());
}

#[test]
fn a_step_that_was_done_when_the_process_died_is_not_done_again() {
    let plan = plan(vec![step(object(0), state(1))]);
    // Two lines of two effects each, then the act, after which it dies.
    let fuse = Fuse { left: 4, death: Death::After };
    let (disk, _) = live(&plan, Path::new("/"), Disk::default(), Some(fuse));
    assert_eq!(disk.objects.len(), 1, "it was done, and nobody wrote that down");
    let (disk, ended) = live(&plan, Path::new("/"), disk, None);
    ended.unwrap();
    assert_eq!(disk.acts.values().sum::<u32>(), 1);
}

#[test]
fn what_another_node_may_have_missed_is_done_again() {
    let (primary, secondary) = ("gv0".to_owned(), "s1::gv0dr".to_owned());
    let record = Object::SessionRecord { primary, secondary };
    for (wanted, expected) in [(State::InPlace, 2), (State::Absent, 1)] {
        // As taking back guards it: what the act itself changes must not stop it from being done again.
        let was = if wanted == State::Absent { State::InPlace } else { State::Absent };
        let mut step = step(record.clone(), wanted.clone());
        step.guards = vec![Guard::Unchanged { object: record.clone(), was: was.clone() }];
        let plan = plan(vec![step]);
        let mut disk = Disk::default();
        if was == State::InPlace {
            disk.objects.insert(record.to_string(), was);
        }
        // Two lines of two effects each, then the act, after which it dies.
        let fuse = Fuse { left: 4, death: Death::After };
        let (disk, ended) = live(&plan, Path::new("."), disk, Some(fuse));
        assert!(ended.is_err() && disk.acts[&record.to_string()] == 1, "{:?}", disk.acts);
        let (disk, ended) = live(&plan, Path::new("."), disk, None);
        ended.unwrap();
        assert_eq!(disk.acts[&record.to_string()], expected, "{wanted}");
    }
}

#[test]
fn a_guard_that_does_not_hold_stops_before_the_act() {
    let other = Object::Xattr { at: "/srv/bricks/b9".into(), name: "trusted.stime".to_owned() };
    let mut steps = vec![step(object(0), state(1)), step(object(1), state(1))];
    steps[1].guards = vec![Guard::Unchanged { object: other, was: state(3) }];
    let plan = plan(steps);
    let (disk, ended) = live(&plan, Path::new("/"), Disk::default(), None);
    let Err(ApplyError::Mismatch { failed, midway: true }) = ended else { panic!("{ended:?}") };
    assert_eq!((failed[0].step, failed[0].found.as_str()), (StepId(2), "absent"));
    assert_eq!(disk.objects.len(), 1);
}

/// A list is guarded like anything else.
#[test]
fn a_guard_that_does_not_hold_stops_a_list_before_its_next_batch() {
    let lists = tempfile::tempdir().unwrap();
    let manifest = triggers(lists.path(), 3000);
    let other = Object::Xattr { at: "/srv/bricks/b9".into(), name: "trusted.stime".to_owned() };
    let mut list = doing(Work::Bulk { bulk: trigger(), manifest });
    list.guards = vec![Guard::Unchanged { object: other.clone(), was: State::Absent }];
    // The first step makes it true only as the list is come to, past the look at the whole plan.
    let plan = plan(vec![step(other.clone(), state(3)), list]);
    let (disk, ended) = live(&plan, lists.path(), Disk::default(), None);
    assert!(matches!(ended, Err(ApplyError::Mismatch { midway: true, .. })), "{ended:?}");
    assert_eq!(disk.objects.len(), 1, "nothing of the list was touched");
}

#[test]
fn a_list_that_is_not_the_plans_is_refused() {
    let lists = tempfile::tempdir().unwrap();
    let manifest = triggers(lists.path(), 3);
    let bulk = trigger();
    for wrong in [
        Manifest { count: 4, ..manifest.clone() },
        Manifest { digest: "0".repeat(16), ..manifest.clone() },
        Manifest { file: "../paths".to_owned(), ..manifest.clone() },
    ] {
        let bulk = Work::Bulk { bulk: bulk.clone(), manifest: wrong };
        let plan = plan(vec![doing(bulk)]);
        let (disk, ended) = live(&plan, lists.path(), Disk::default(), None);
        assert!(matches!(ended, Err(ApplyError::Manifest { .. })), "{ended:?}");
        assert!(disk.objects.is_empty());
    }
}

/// Trigger-sync through a mount, unpaced.
fn trigger() -> Bulk {
    let pace = Pace {
        jobs: std::num::NonZeroUsize::MIN,
        max_backlog: None,
        bricks: Vec::new(),
        pause_file: None,
    };
    Bulk::TriggerSync { mount: "/mnt/gv0".into(), pace }
}
