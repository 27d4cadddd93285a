//! Merges the records of many bricks into one order; replicas' records of one operation become one.

use std::collections::{HashMap, VecDeque};

use super::event::Event;
use crate::domain::Gfid;
use crate::format::changelog::Change;

/// By how many seconds the clocks of two nodes may differ and records still be matched.
const SKEW: i64 = 2;

/// What makes two records the same operation.
#[derive(PartialEq, Eq, Hash)]
struct Same {
    gfid: Gfid,
    change: Change<'static>,
}

/// Merges events, given brick by brick in the order of each brick.
///
/// Records of two bricks are one operation when they say the same and their slices overlap. An
/// operation stands before another when any brick recorded it so; else the earlier slice comes
/// first. Times never go backwards: what precedes an operation had happened by its time.
pub(super) fn merged(events: Vec<Event>, bricks: usize) -> Vec<Event> {
    let mut groups = folded(events);
    let mut queues: Vec<VecDeque<(usize, u64)>> = vec![VecDeque::new(); bricks];
    for (index, group) in groups.iter().enumerate() {
        for &(brick, order) in &group.seats {
            if let Some(queue) = queues.get_mut(brick) {
                queue.push_back((index, order));
            }
        }
    }
    for queue in &mut queues {
        queue.make_contiguous().sort_by_key(|&(_, order)| order);
    }
    tighten(&mut groups, &queues);
    let mut told: Vec<Event> = Vec::with_capacity(groups.len());
    while let Some(next) = next_of(&groups, &mut queues) {
        let Some(group) = groups.get_mut(next) else { break };
        if let Some(mut event) = group.event.take() {
            event.time = u32::try_from(group.end).ok();
            told.push(event);
        }
    }
    told
}

/// Lowers the time of what precedes an operation on some brick to that operation's own, until
/// every brick agrees; each round carries bounds one brick further.
fn tighten(groups: &mut [Group], queues: &[VecDeque<(usize, u64)>]) {
    for _ in 0..=queues.len() {
        let mut changed = false;
        for queue in queues {
            let mut bound = i64::MAX;
            for &(index, _) in queue.iter().rev() {
                let Some(group) = groups.get_mut(index) else { continue };
                changed |= group.end > bound;
                bound = bound.min(group.end);
                group.end = bound;
            }
        }
        if !changed {
            return;
        }
    }
}

/// One operation, and where each of its bricks recorded it.
struct Group {
    event: Option<Event>,
    /// When it had happened at the latest.
    end: i64,
    seats: Vec<(usize, u64)>,
}

/// Folds what is the same on several bricks; groups keep the first brick's record.
fn folded(events: Vec<Event>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(events.len());
    let mut open: HashMap<Same, Known> = HashMap::new();
    for (order, event) in (0..).zip(events) {
        let key = Same { gfid: event.record.gfid, change: event.record.change.clone() };
        let known = open.entry(key).or_default();
        let twin = known.twin(&groups, &event);
        if let Some(group) = twin.and_then(|index| groups.get_mut(index)) {
            join(group, event, order);
        } else {
            known.groups.push(groups.len());
            let (end, seats) = (event.slice.end, vec![(event.brick, order)]);
            groups.push(Group { event: Some(event), end, seats });
        }
    }
    groups
}

/// The operations that say the same, and how far the brick at hand is past them.
#[derive(Default)]
struct Known {
    groups: Vec<usize>,
    brick: usize,
    passed: usize,
}

impl Known {
    fn twin(&mut self, groups: &[Group], event: &Event) -> Option<usize> {
        if self.brick != event.brick {
            (self.brick, self.passed) = (event.brick, 0);
        }
        let group = |index: &usize| groups.get(*index);
        let is_past = |group: &Group| {
            group.end.saturating_add(SKEW) <= event.slice.start || group.is_of(event.brick)
        };
        while self.groups.get(self.passed).and_then(group).is_some_and(is_past) {
            self.passed += 1;
        }
        let ahead = self.groups.get(self.passed..).unwrap_or_default();
        ahead.iter().copied().find(|index| group(index).is_some_and(|group| is_twin(group, event)))
    }
}

impl Group {
    fn is_of(&self, brick: usize) -> bool {
        self.seats.iter().any(|&(seat, _)| seat == brick)
    }
}

fn is_twin(group: &Group, event: &Event) -> bool {
    let Some(first) = &group.event else { return false };
    let (a, b) = (first.slice, event.slice);
    !group.is_of(event.brick)
        && a.start.saturating_sub(SKEW) < b.end
        && b.start.saturating_sub(SKEW) < a.end
}

/// Adds a brick to an operation; its time is that of the slice that ended first.
fn join(group: &mut Group, event: Event, order: u64) {
    group.seats.push((event.brick, order));
    let Some(first) = &mut group.event else { return };
    if event.slice.end < group.end {
        group.end = event.slice.end;
        let also = std::mem::take(&mut first.also);
        let before = std::mem::replace(first, event);
        first.also = also;
        first.also.push(before.brick);
    } else {
        first.also.push(event.brick);
    }
    first.also.sort_unstable();
}

/// Takes the next operation off the queues: one that no brick holds back, the earliest of these.
fn next_of(groups: &[Group], queues: &mut [VecDeque<(usize, u64)>]) -> Option<usize> {
    for queue in &mut *queues {
        while queue.front().is_some_and(|&(index, _)| is_told(groups, index)) {
            queue.pop_front();
        }
    }
    let heads: Vec<usize> = queues.iter().filter_map(|queue| Some(queue.front()?.0)).collect();
    let free = |&index: &usize| {
        groups.get(index).is_some_and(|group| {
            group.seats.iter().all(|&(brick, _)| {
                let head = queues.get(brick).and_then(VecDeque::front);
                head.is_some_and(|&(first, _)| first == index)
            })
        })
    };
    let end = |&index: &usize| groups.get(index).map_or(i64::MAX, |group| group.end);
    // Replicas may record concurrent operations in two orders; then the earliest goes first.
    heads.iter().copied().filter(free).min_by_key(end).or(heads.iter().copied().min_by_key(end))
}

fn is_told(groups: &[Group], index: usize) -> bool {
    groups.get(index).is_none_or(|group| group.event.is_none())
}
