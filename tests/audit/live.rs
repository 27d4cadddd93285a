//! A brick that changes while it is read gives no false finding.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::audit;
use crate::bricks::FakeBrick;

/// Creates, renames and removes as the brick's own process does: object, gfid, handle, record one
/// after the other, so that each state in between is met.
#[test]
fn what_comes_and_goes_meanwhile_is_no_finding() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.dir("a");
    brick.dir("b");
    for n in 0..2_000 {
        brick.file(format!("a/{n}"));
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for n in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let gfid = brick.file(format!("b/new-{n}"));
                let dir = brick.dir(format!("b/dir-{n}"));
                if n % 2 == 0 {
                    fs::remove_file(brick.at(format!("b/new-{n}"))).unwrap();
                    brick.lose_handle(gfid);
                    brick.lose_handle(dir);
                    fs::remove_dir(brick.at(format!("b/dir-{n}"))).unwrap();
                }
                let from = n % 2_000;
                brick.rename(&format!("a/{from}"), &format!("a/renamed-{n}"));
                brick.rename(&format!("a/renamed-{n}"), &format!("a/{from}"));
            }
        });
        for _ in 0..5 {
            let told = audit(&brick);
            done.store(told.code != 0, Ordering::Relaxed);
            assert_eq!((told.findings(), told.code), (vec![], 0));
        }
        done.store(true, Ordering::Relaxed);
    });
}
