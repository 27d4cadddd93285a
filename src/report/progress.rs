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

impl Progress {
    /// Begins to draw, after the first second only: what is quick needs no bar.
    #[must_use]
    pub fn of_logs(meter: &Arc<Meter>, bytes: u64, quiet: bool) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        if quiet {
            return Self { done, drawer: None };
        }
        let (meter, ended) = (Arc::clone(meter), Arc::clone(&done));
        let drawer = thread::spawn(move || draw(&meter, bytes, &ended));
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

fn draw(meter: &Meter, bytes: u64, ended: &AtomicBool) {
    let began = Instant::now();
    let terminal = std::io::stderr().is_terminal();
    let pause = Duration::from_millis(if terminal { 100 } else { 10_000 });
    let bar = ProgressBar::new(bytes);
    let style = ProgressStyle::with_template(
        "reading logs {bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} eta {eta}",
    );
    if let Ok(style) = style {
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
        let read = meter.consumed.load(Ordering::Relaxed);
        if terminal {
            bar.set_position(read);
        } else {
            let percent = read.saturating_mul(100) / bytes.max(1);
            anstream::eprintln!("reading logs: {percent} % of {bytes} bytes");
        }
    }
    bar.finish_and_clear();
}
