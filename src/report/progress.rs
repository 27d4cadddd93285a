//! How far a task is, on standard error: a bar on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::task::{Phase, Progress, RunningPhase, Unit};

/// What ends sooner needs no bar.
const QUICK: Duration = Duration::from_secs(1);
/// Between two drawings of a bar, and between two lines where there is no terminal.
const REDRAW: Duration = Duration::from_millis(100);
const LINES: Duration = Duration::from_secs(10);

/// Reports the progress of tasks on standard error.
#[derive(Clone, Copy, Debug)]
pub struct TerminalProgress {
    /// Whether nothing is reported.
    pub quiet: bool,
}

impl Progress for TerminalProgress {
    fn phase(&self, phase: Phase) -> RunningPhase {
        if self.quiet {
            return Box::new(());
        }
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let drawer = thread::spawn(move || draw(&phase, &seen));
        Box::new(Drawing { ended, drawer: Some(drawer) })
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            anstream::eprintln!("{text}");
        }
    }
}

/// A phase being drawn, until it is dropped.
struct Drawing {
    ended: Arc<AtomicBool>,
    drawer: Option<JoinHandle<()>>,
}

impl Drop for Drawing {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(drawer) = self.drawer.take() {
            drawer.thread().unpark();
            let _ = drawer.join();
        }
    }
}

fn draw(phase: &Phase, ended: &AtomicBool) {
    let began = Instant::now();
    let terminal = std::io::stderr().is_terminal();
    let bar = ProgressBar::new(phase.all);
    if let Ok(style) = ProgressStyle::with_template(&template(phase)) {
        bar.set_style(style);
    }
    loop {
        thread::park_timeout(if terminal { REDRAW } else { LINES });
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let elapsed = began.elapsed();
        if elapsed < QUICK {
            continue;
        }
        if terminal {
            bar.set_position(phase.done());
        } else {
            anstream::eprintln!("{}", line(phase, elapsed));
        }
    }
    bar.finish_and_clear();
}

/// The bar; where it is not known how much there is, a count and the time.
fn template(phase: &Phase) -> String {
    let what = phase.what;
    match (phase.unit, phase.all) {
        (Unit::Bytes, _) => {
            format!(
                "{what} {{bar:30}} {{bytes}}/{{total_bytes}} {{binary_bytes_per_sec}} eta {{eta}}"
            )
        }
        (_, 0) => format!("{what}: {{human_pos}}, {{elapsed}}"),
        (Unit::Names, _) => {
            format!("{what} {{bar:30}} {{human_pos}} names of at most {{human_len}} {{per_sec}}")
        }
        (Unit::Objects, _) => {
            format!("{what} {{bar:30}} {{human_pos}} of {{human_len}} {{per_sec}} eta {{eta}}")
        }
    }
}

/// The same as a line of its own.
fn line(phase: &Phase, elapsed: Duration) -> String {
    let (what, done, all, seconds) = (phase.what, phase.done(), phase.all, elapsed.as_secs());
    match (phase.unit, all) {
        (_, 0) => format!("{what}: {done}, {seconds} s"),
        (Unit::Names, _) => format!("{what}: {done} names of at most {all}, {seconds} s"),
        (Unit::Bytes, _) => format!("{what}: {} % of {all} bytes", done.saturating_mul(100) / all),
        (Unit::Objects, _) => format!("{what}: {done} of {all}, {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_claims_a_share_of_an_unknown_whole() {
        let meter = Arc::default();
        let lines = [
            (
                Phase::objects("waiting for the session", &meter, 0),
                "waiting for the session: 7, 9 s",
            ),
            (Phase::objects("sending", &meter, 9), "sending: 7 of 9, 9 s"),
            (Phase::names(&meter, 0), "scanning: 7, 9 s"),
            (Phase::names(&meter, 8), "scanning: 7 names of at most 8, 9 s"),
            (Phase::logs(&meter, 4), "reading logs: 50 % of 4 bytes"),
        ];
        meter.entries.store(7, Ordering::Relaxed);
        meter.consumed.store(2, Ordering::Relaxed);
        for (phase, text) in lines {
            assert_eq!(line(&phase, Duration::from_secs(9)), text);
        }
    }
}
