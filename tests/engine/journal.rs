//! The journal's file: torn ends are cut, any other damage stops everything.

use std::path::Path;

use georepair::apply::{JournalError, Record, RunProgress, Start, Store, replay};
use georepair::plan::{Object, Plan, State, StepId};

use uuid::Uuid;

use crate::crashes::{plan, step};
use crate::model::{Disk, clock, live, origin};

fn three_steps() -> (Plan, Vec<u8>) {
    let object = |n: u8| Object::Xattr { at: format!("/b{n}").as_str().into(), name: "x".into() };
    let plan = plan((0..3).map(|n| step(object(n), State::value(&[n]))).collect());
    let (disk, ended) = live(&plan, Path::new("/"), Disk::default(), None);
    ended.unwrap();
    (plan, disk.journal)
}

#[test]
fn a_cut_anywhere_leaves_what_stands_before_it() {
    let (plan, journal) = three_steps();
    for cut in 0..=journal.len() {
        let read = replay(&journal[..cut], &plan, |_, _| ()).unwrap();
        let lines = journal[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        assert_eq!(usize::try_from(read.sound).unwrap(), lines);
    }
}

#[test]
fn a_flipped_bit_never_reads_as_another_truth() {
    let (plan, journal) = three_steps();
    let whole = replay(journal.as_slice(), &plan, |_, _| ()).unwrap();
    let last = journal[..journal.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for at in 0..journal.len() {
        for bit in [1, 0x10, 0x80] {
            let mut damaged = journal.clone();
            damaged[at] ^= bit;
            match replay(damaged.as_slice(), &plan, |_, _| ()) {
                // Only the end of the last line makes it look torn.
                Ok(read) => assert!(at == journal.len() - 1 && read.sound < whole.sound, "{at}"),
                Err(JournalError::Damaged { offset, .. }) => {
                    assert!(usize::try_from(offset).unwrap() <= at);
                }
                Err(error) => panic!("{at}: {error}"),
            }
        }
    }
    assert!(last < journal.len());
}

#[test]
fn a_last_line_that_a_crash_left_full_of_zeros_is_cut() {
    let (plan, journal) = three_steps();
    let last = journal[..journal.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let mut zeroed = journal.clone();
    zeroed[last..].fill(0);
    assert_eq!(replay(zeroed.as_slice(), &plan, |_, _| ()).unwrap().sound, last as u64);
}

#[test]
fn lost_doubled_and_swapped_lines_show() {
    let (plan, journal) = three_steps();
    let lines: Vec<&[u8]> = journal.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() - 1 {
        let mut lost = lines.clone();
        lost.remove(at);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        for wrong in [lost, doubled, swapped] {
            assert!(replay(wrong.concat().as_slice(), &plan, |_, _| ()).is_err(), "line {at}");
        }
    }
}

/// Two resumptions in a row are lines that could stand in any order: only their checksums know.
#[test]
fn a_lost_line_that_nobody_would_miss_shows() {
    let state_dir = tempfile::tempdir().unwrap();
    let store = Store::new(state_dir.path());
    let start = || Start { origin: origin(), clock };
    let (plan, _) = three_steps();
    let id = Uuid::from_u128(7);
    let lists = Path::new("/");
    drop(store.create(id, &plan, lists, start()).unwrap());
    (0..3).for_each(|_| drop(store.open(id, start()).unwrap()));
    let journal = std::fs::read(store.folder(id).join("journal.jsonl")).unwrap();
    let lines: Vec<&[u8]> = journal.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 4);
    for lost in 1..3 {
        let mut lines = lines.clone();
        lines.remove(lost);
        assert!(replay(lines.concat().as_slice(), &plan, |_, _| ()).is_err(), "line {lost}");
    }
}

#[test]
fn a_journal_of_another_plan_is_refused() {
    let (mut plan, journal) = three_steps();
    plan.steps[2] = step(Object::Xattr { at: "/b2".into(), name: "x".into() }, State::value(&[9]));
    let read = replay(journal.as_slice(), &plan, |_, _| ());
    assert!(matches!(read, Err(JournalError::OtherPlan { .. })));
}

#[test]
fn a_record_out_of_order_names_itself_and_the_state() {
    let (at, step) = (clock(), StepId(2));
    let began = || Record::Began { format: 1, plan: String::new(), origin: origin(), at };
    let refused = |records: Vec<Record>| {
        let mut progress = RunProgress::default();
        records.iter().find_map(|record| progress.apply(record).err()).unwrap().to_string()
    };
    let done = Record::Succeeded { step, at };
    let first = Record::AlreadySo { step: StepId(1), at };
    for (records, why) in [
        (vec![done.clone()], "\"succeeded\" before the record \"began\""),
        (vec![began(), began()], "\"began\" in a journal that already has it"),
        (vec![began(), done], "\"succeeded\" for step 2, which was never started"),
        (
            vec![began(), Record::Started { step, before: None, at }],
            "\"started\" for step 2, before step 1 is done",
        ),
        (vec![began(), first.clone(), first], "\"already-so\" for step 1, which had nothing to do"),
    ] {
        assert_eq!(refused(records), format!("unexpected record: {why}"));
    }
}

/// A plan and a journal as the first version wrote them, with both kinds of lists.
#[test]
fn an_old_plan_and_its_journal_are_still_read_and_written_alike() {
    let text = include_str!("old/plan.json");
    let plan: Plan = serde_json::from_str(text).unwrap();
    let lists: Vec<_> = plan.steps.iter().filter_map(|step| step.does.manifest()).collect();
    assert_eq!((plan.steps.len(), lists.len()), (3, 2));
    // Its digest stands in the journal: it is one of the plan's text, list steps too.
    let read = replay(include_bytes!("old/journal.jsonl").as_slice(), &plan, |_, _| ()).unwrap();
    assert!(read.progress.is_finished(&plan));
    assert_eq!(read.progress.bulk(plan.steps[1].id).done, 3);
    let [old, new] = [text, &serde_json::to_string(&plan).unwrap()]
        .map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
    assert_eq!(old["steps"][1]["action"], new["steps"][1]["action"]);
    assert_eq!(old["steps"][2]["action"], new["steps"][2]["action"]);
    for (wrong, why) in [
        (text.replace("as-listed", "spent"), "wrong `shall_be` for listed changes"),
        (text.replace("\"bulk\",", "\"heap\","), "unknown variant `heap`"),
        (text.replace("\"digest\"", "\"hash\""), "unknown field `hash`"),
    ] {
        let error = serde_json::from_str::<Plan>(&wrong).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
