//! How much faster many at once are than one at a time, on a mount that takes 1 ms for each
//! change: as root, `cargo bench --bench trigger`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench stops at the first surprise and tells its figures"
)]

mod slow_mount;

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use georepair::apply::Executor as _;
use georepair::apply::local::LocalExecutor;
use georepair::plan::{Bulk, Item, NodePath, Pace};
use georepair::scan::cluster::Tools;
use slow_mount::{SlowMount, Story};

/// Directories: with their files, one batch of 1024.
const DIRECTORIES: u64 = 64;
const ROUNDS: usize = 5;

fn main() {
    if !rustix::process::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
        println!("SKIPPED: needs root and /dev/fuse");
        return;
    }
    let mount = SlowMount::new(Story::default()).unwrap();
    let items = slow_mount::items(DIRECTORIES);
    println!("{} objects, each change answered after {:?}", items.len(), slow_mount::ANSWER);
    let mut slow = Vec::new();
    let mut fast = Vec::new();
    // In turns, so that what else the machine does falls on both alike.
    for _ in 0..ROUNDS {
        slow.push(seconds(mount.path(), &items, 1));
        fast.push(seconds(mount.path(), &items, 64));
    }
    let rate = |seconds: f64| items.len() as f64 / seconds;
    let (slow, fast) = (median(slow), median(fast));
    println!("one at a time   {slow:.3} s  {:>8.0}/s", rate(slow));
    println!(
        "64 in flight    {fast:.3} s  {:>8.0}/s  {:.1} times as fast",
        rate(fast),
        slow / fast
    );
}

fn seconds(mount: &Path, items: &[Item], jobs: usize) -> f64 {
    let pace = Pace { jobs: NonZeroUsize::new(jobs).unwrap(), ..Pace::default() };
    let bulk = Bulk::TriggerSync { mount: NodePath::from(mount), pace };
    let mut host = LocalExecutor::new(Tools::new(Path::new("gluster"), "ssh").unwrap());
    let begin = Instant::now();
    let batch = host.perform_batch(&bulk, items).unwrap();
    let took = begin.elapsed().as_secs_f64();
    assert_eq!((batch.done, batch.failed.len()), (items.len() as u64, 0), "{batch:?}");
    took
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
