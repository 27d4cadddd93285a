//! The journal's file: torn ends are cut, any other damage stops everything.

use std::path::Path;

use georepair::apply::{JournalError, Start, Store, replay};
use georepair::plan::{Object, Plan, State};

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
    plan.steps[2].action.shall_be = State::value(&[9]);
    let read = replay(journal.as_slice(), &plan, |_, _| ());
    assert!(matches!(read, Err(JournalError::OtherPlan { .. })));
}
