//! Work that goes on while something else is looked at.

use std::sync::atomic::{AtomicBool, Ordering};

/// Calls `work` with 0, 1, 2 … for as long as `body` runs, at least once; it ends as well when
/// `body` panics, or nobody would ever learn of that.
pub(crate) fn meanwhile<T>(work: impl Fn(u32) + Sync, body: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for round in 0.. {
                work(round);
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let _over = SetOnDrop(&over);
        body()
    })
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn work_ends_when_the_body_panics() {
    let fell = std::panic::catch_unwind(|| meanwhile(|_| (), || panic!("on purpose")));
    assert!(fell.is_err());
}
