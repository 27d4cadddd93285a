//! The merge against made-up pasts, and subjects as people type them.

use proptest::prelude::*;

use super::*;
use crate::domain::{Gfid, Name};
use crate::format::changelog::{Change, Record};

/// One operation of the true past.
#[derive(Clone, Debug)]
struct Op {
    at: i64,
    gfid: u8,
    /// Which bricks recorded it.
    on: Vec<usize>,
}

/// What the bricks would have written down, each rolling over at its own times.
fn recorded(past: &[Op], rollovers: &[(i64, i64)]) -> Vec<Event> {
    let mut events = Vec::new();
    for (brick, (offset, period)) in rollovers.iter().enumerate() {
        let mut start = i64::MIN;
        for (n, op) in past.iter().enumerate().filter(|(_, op)| op.on.contains(&brick)) {
            let end = (op.at - offset).div_euclid(*period) * period + period + offset;
            let last: Option<&Event> = events.last().filter(|event: &&Event| event.brick == brick);
            if let Some(last) = last.filter(|last| last.slice.end < end) {
                start = last.slice.end;
            }
            let gfid = Gfid::from_bytes([op.gfid; 16]);
            let record = Record { offset: n as u64, gfid, change: Change::Data };
            events.push(Event {
                time: u32::try_from(end).ok(),
                brick,
                file: PathBuf::new(),
                also: Vec::new(),
                record,
                parent_path: None,
                new_parent_path: None,
                replaced: None,
                slice: Slice { start, end },
            });
        }
    }
    events
}

fn rollovers() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((0..15_i64, 3..16_i64), 3)
}

/// Operations on different objects, each on some of three bricks.
fn pasts() -> impl Strategy<Value = Vec<Op>> {
    let some = prop::sample::subsequence(vec![0_usize, 1, 2], 1..=3);
    prop::collection::vec((0..9_i64, some), 1..40).prop_map(|steps| {
        let mut at = 1000;
        let mut ops = Vec::new();
        for (gfid, (wait, on)) in (1..).zip(steps) {
            at += wait;
            ops.push(Op { at, gfid, on });
        }
        ops
    })
}

proptest! {
    #[test]
    fn every_operation_is_told_once_and_in_order(past in pasts(), rollovers in rollovers()) {
        let told = merge::merged(recorded(&past, &rollovers), 3);
        prop_assert_eq!(told.len(), past.len());
        prop_assert!(told.is_sorted_by_key(|event| event.time));
        let seat = |op: &Op| {
            told.iter().position(|event| event.record.gfid.as_bytes()[0] == op.gfid).unwrap()
        };
        for (n, earlier) in past.iter().enumerate() {
            let event = &told[seat(earlier)];
            prop_assert_eq!(event.also.len() + 1, earlier.on.len());
            prop_assert!(i64::from(event.time.unwrap()) >= earlier.at);
            for later in &past[n + 1..] {
                let together = earlier.on.iter().any(|brick| later.on.contains(brick));
                prop_assert!(!together || seat(earlier) < seat(later), "{earlier:?} {later:?}");
            }
        }
    }

    #[test]
    fn the_same_again_is_told_again(times in prop::collection::vec(0..40_i64, 1..20)) {
        let mut at = 1000;
        let past: Vec<_> = times.into_iter().map(|wait| {
            at += wait;
            Op { at, gfid: 7, on: vec![0, 1] }
        }).collect();
        let told = merge::merged(recorded(&past, &[(0, 15), (7, 15)]), 2);
        prop_assert_eq!(told.len(), past.len());
    }
}

#[test]
fn a_brick_that_was_away_hides_nothing() {
    let past = (1..=6).map(|n| Op { at: 1000 + 100 * i64::from(n), gfid: n, on: vec![0] });
    let mut past: Vec<_> = past.collect();
    past[4].on.push(1);
    let told = merge::merged(recorded(&past, &[(0, 15), (3, 15)]), 2);
    let order: Vec<_> = told.iter().map(|event| event.record.gfid.as_bytes()[0]).collect();
    assert_eq!(order, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn subjects_are_read_as_people_type_them() {
    let bricks = [PathBuf::from("/bricks/b")];
    let subject = |text: &str| Subject::from_arg(text.as_bytes(), &bricks);
    let gfid = "c4b19f1c-cc18-4727-87a4-18de8fe0089e";
    assert!(matches!(subject(gfid), Subject::Gfid(_)));
    assert!(matches!(subject(&format!("<gfid:{gfid}>")), Subject::Gfid(_)));
    for text in [format!(".gfid/{gfid}/a b"), format!("{gfid}/a b")] {
        let Subject::Entry(entry) = subject(&text) else { panic!("{text}") };
        assert_eq!(entry.name.as_bytes(), b"a b");
    }
    for text in ["a/b", "/a/b", "./a//b/", "/bricks/b/a/b"] {
        assert_eq!(subject(text), Subject::Path(Name::from("a/b")), "{text}");
    }
    assert_eq!(subject("/bricks/bb/a"), Subject::Path(Name::from("bricks/bb/a")));
}
