//! How to be no burden to the machine: low priority, and pauses while it has other things to do.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the machine is looked at during a pause.
const LOOK: Duration = Duration::from_millis(200);

/// When to pause, and when to stop.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    /// Pauses while the load average of the last minute is above this.
    pub max_load: Option<f64>,
    /// Pauses while this file exists.
    pub pause_file: Option<PathBuf>,
    /// Raised by Ctrl-C.
    pub stop: Arc<AtomicBool>,
    /// Whether to keep quiet about pauses.
    pub quiet: bool,
}

impl Throttle {
    /// Gives other processes the way; the I/O priority follows (`ioprio_set(2)`). To be called
    /// before any thread starts.
    pub fn be_nice() {
        // Where it is not permitted, the work is done at the usual priority.
        let _ = rustix::process::setpriority_process(None, 19);
    }

    /// Waits until the machine has room for more; false once the work is to be stopped.
    #[must_use]
    pub fn go_on(&self) -> bool {
        let mut told = self.quiet;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            let Some(why) = self.why_wait() else { return true };
            if !told {
                anstream::eprintln!("paused: {why}");
                told = true;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn why_wait(&self) -> Option<String> {
        if let Some(file) = self.pause_file.as_ref().filter(|file| file.exists()) {
            return Some(format!("{} is there", file.display()));
        }
        let most = self.max_load?;
        let load = std::fs::read_to_string("/proc/loadavg").ok()?;
        let load = load.split(' ').next()?.parse::<f64>().ok()?;
        (load > most).then(|| format!("the load is {load}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_for_the_file_and_the_load_and_ends_when_stopped() {
        let idle = Throttle { quiet: true, ..Throttle::default() };
        assert!(idle.go_on());
        let file = tempfile::NamedTempFile::new().unwrap();
        let paused = Throttle { pause_file: Some(file.path().to_owned()), ..idle.clone() };
        assert!(paused.why_wait().is_some_and(|why| why.contains("is there")));
        let busy = Throttle { max_load: Some(-1.0), ..idle.clone() };
        assert!(busy.why_wait().is_some_and(|why| why.contains("load")));
        assert_eq!(Throttle { max_load: Some(1e9), ..idle }.why_wait(), None);
        paused.stop.store(true, Ordering::Relaxed);
        assert!(!paused.go_on());
    }
}
