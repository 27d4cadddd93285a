//! How far a scan is, on standard error: a bar on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::scan::Meter;

/// Draws a scan's progress until it is dropped.
#[derive(Debug)]
pub struct Progress {
    done: Arc<AtomicBool>,
    drawer: Option<JoinHandle<()>>,
}

/// What a drawer shows.
#[derive(Clone, Copy, Debug)]
struct Work {
    template: &'static str,
    what: &'static str,
    unit: &'static str,
    /// How much there is, or at most is; 0 where nobody knows.
    all: u64,
    done: fn(&Meter) -> u64,
}

impl Progress {
    /// Begins to draw, after the first second only: what is quick needs no bar.
    #[must_use]
    pub fn of_logs(meter: &Arc<Meter>, bytes: u64, quiet: bool) -> Self {
        let work = Work {
            template: "reading logs {bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} eta {eta}",
            what: "reading logs",
            unit: "bytes",
            all: bytes,
            done: |meter| meter.consumed.load(Ordering::Relaxed),
        };
        Self::begin(meter, work, quiet)
    }

    /// The same for a scan of bricks' names; `most` is how many there can be.
    #[must_use]
    pub fn of_names(meter: &Arc<Meter>, most: u64, quiet: bool) -> Self {
        let work = Work {
            template: "scanning {bar:30} {human_pos} names of at most {human_len} {per_sec}",
            what: "scanning",
            unit: "names at most",
            all: most,
            done: |meter| meter.entries.load(Ordering::Relaxed),
        };
        Self::begin(meter, work, quiet)
    }

    /// The same for the items of a list, `all` of them, counted in `entries`.
    #[must_use]
    pub fn of_items(meter: &Arc<Meter>, all: u64, quiet: bool) -> Self {
        let work = Work {
            template: "working {bar:30} {human_pos} of {human_len} {per_sec} eta {eta}",
            what: "working",
            unit: "items",
            all,
            done: |meter| meter.entries.load(Ordering::Relaxed),
        };
        Self::begin(meter, work, quiet)
    }

    fn begin(meter: &Arc<Meter>, work: Work, quiet: bool) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        if quiet {
            return Self { done, drawer: None };
        }
        let (meter, ended) = (Arc::clone(meter), Arc::clone(&done));
        let drawer = thread::spawn(move || draw(&meter, work, &ended));
        Self { done, drawer: Some(drawer) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(drawer) = self.drawer.take() {
            drawer.thread().unpark();
            let _ = drawer.join();
        }
    }
}

fn draw(meter: &Meter, work: Work, ended: &AtomicBool) {
    let began = Instant::now();
    let terminal = std::io::stderr().is_terminal();
    let pause = Duration::from_millis(if terminal { 100 } else { 10_000 });
    let bar = ProgressBar::new(work.all);
    if let Ok(style) = ProgressStyle::with_template(work.template) {
        bar.set_style(style);
    }
    loop {
        thread::park_timeout(pause);
        if ended.load(Ordering::Relaxed) {
            break;
        }
        if began.elapsed() < Duration::from_secs(1) {
            continue;
        }
        let done = (work.done)(meter);
        if terminal {
            bar.set_position(done);
        } else {
            let percent = done.saturating_mul(100) / work.all.max(1);
            anstream::eprintln!("{}: {percent} % of {} {}", work.what, work.all, work.unit);
        }
    }
    bar.finish_and_clear();
}
