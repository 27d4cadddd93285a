//! trigger-sync through a mount that counts: in order, and after `kill -9` to the same end.

#[path = "../bench/slow_mount.rs"]
mod slow_mount;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use georepair::apply::local::LocalExecutor;
use georepair::apply::{Executor as _, ManifestWriter, save_plan};
use georepair::domain::Gfid;
use georepair::plan::{BATCH, Bulk, Guard, Item, NodePath, Pace, Step, Trigger, Work};
use georepair::scan::cluster::Tools;

use self::slow_mount::{Moment, SlowMount, Story};
use crate::crashes;
use crate::killed::{kill_after, moment};
use crate::real::{Ground, here};
use crate::skipped::skipped;

/// With their files, three batches.
const DIRECTORIES: u64 = 150;

/// Mounts it, or `None` if this user cannot mount, or there is no FUSE.
fn slow_mount(story: Story) -> Option<SlowMount> {
    let can = rustix::process::geteuid().is_root() && Path::new("/dev/fuse").exists();
    if !can {
        skipped("a mount needs root and /dev/fuse");
    }
    can.then(|| SlowMount::new(story).unwrap())
}

fn plan(ground: &Ground, mount: &Path) -> usize {
    let lists = tempfile::tempdir().unwrap();
    let mut out = ManifestWriter::create(lists.path(), "objects.jsonl").unwrap();
    let items = slow_mount::items(DIRECTORIES);
    for item in &items {
        out.push(item).unwrap();
    }
    let pace = Pace { jobs: NonZeroUsize::new(8).unwrap(), ..Pace::default() };
    let bulk = Bulk::TriggerSync { mount: NodePath::from(mount), pace };
    let bulk = Work::Bulk { bulk, manifest: out.finish().unwrap() };
    let guards = vec![Guard::Mounted { at: NodePath::from(mount), volume: "gv0".to_owned() }];
    let step = Step { node: here(), guards, ..crashes::doing(bulk) };
    save_plan(&crashes::plan(vec![step]), lists.path(), &ground.plan_file()).unwrap();
    items.len()
}

/// Everything was set, a directory before its files; answers how much was set more than once.
fn told(story: &Story, objects: usize) -> usize {
    let mut answered: BTreeMap<u64, usize> = BTreeMap::new();
    for (inode, turn) in story.lock().unwrap().drain(..) {
        match turn {
            Moment::Answered => *answered.entry(inode).or_default() += 1,
            Moment::Came => {
                let above = inode - inode % 100;
                assert!(inode == above || answered.contains_key(&above), "{inode} too early");
            }
        }
    }
    assert_eq!(answered.len(), objects);
    answered.values().filter(|count| **count > 1).count()
}

#[test]
fn killed_at_twenty_moments_it_goes_on_to_the_same_end_in_the_same_order() {
    let (ground, story) = (Ground::new(), Story::default());
    let Some(mount) = slow_mount(Story::clone(&story)) else { return };
    let objects = plan(&ground, mount.path());
    let start = Instant::now();
    let (code, _, err) = ground.apply();
    assert_eq!(code, 0, "{err}");
    let whole = start.elapsed();
    assert_eq!(told(&story, objects), 0);
    let mut midway = 0;
    for round in 0..20 {
        let before = ground.runs().len();
        let file = ground.plan_file();
        let words = ["apply", file.to_str().unwrap(), "--yes"];
        kill_after(&ground, &words, whole.mul_f64(moment(round)));
        let runs = ground.runs();
        let Some(run) = runs.get(before) else {
            story.lock().unwrap().clear();
            continue;
        };
        assert!(run["damage"].is_null(), "{run}");
        if run["state"] == "unfinished" {
            midway += 1;
            let (code, _, err) = ground.run(&["runs", "resume", "--yes"]);
            assert_eq!(code, 0, "{err}");
        }
        // What was under way is set again, and nothing that was written down as done.
        assert!(told(&story, objects) <= BATCH, "round {round}");
        assert_eq!(ground.runs()[before]["state"], "finished");
    }
    assert!(midway >= 5, "only {midway} of 20 were killed midway");
}

/// What stands at a place now may not be what was listed.
#[test]
fn what_has_become_something_else_is_not_sent() {
    let Some(mount) = slow_mount(Story::default()) else { return };
    let mut items = slow_mount::items(1);
    let number = items.len();
    for (item, change) in items.iter_mut().skip(1).zip([
        |it: &mut Trigger| it.gfid = Some(Gfid::from_bytes([7; 16])),
        |it: &mut Trigger| it.folder = true,
        |it: &mut Trigger| it.at = NodePath::from("d0/gone"),
    ]) {
        let Item::Trigger(trigger) = item else { continue };
        change(trigger);
    }
    let bulk = Bulk::TriggerSync { mount: NodePath::from(mount.path()), pace: Pace::default() };
    let mut host = LocalExecutor::new(Tools::new(Path::new("gluster"), "ssh").unwrap());
    let batch = host.perform_batch(&bulk, &items).unwrap();
    assert_eq!(batch.done, number as u64 - 3);
    let failed: Vec<_> = batch.failed.iter().map(|it| (it.index, it.why.as_str())).collect();
    assert_eq!(
        failed,
        [
            (1, "another object has its path now"),
            (2, "its type has changed"),
            (3, "it no longer exists"),
        ]
    );
}
