//! Throttling: low priority; pauses under load or while the pause file exists.

use std::path::PathBuf;
use std::time::Duration;

use super::Context;

/// Between two checks during a pause.
const POLL: Duration = Duration::from_millis(200);

/// When to pause.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    /// Pauses while the load average of the last minute is above this.
    pub max_load: Option<f64>,
    /// Pauses while this file exists.
    pub pause_file: Option<PathBuf>,
}

impl Throttle {
    /// Lowers the process's priority; the I/O priority follows (`ioprio_set(2)`). To be called
    /// before any thread starts.
    pub fn be_nice() {
        // If it is not permitted, the work is done at the usual priority.
        let _ = rustix::process::setpriority_process(None, 19);
    }

    /// Waits while a reason to pause holds; false once the task is asked to stop.
    #[must_use]
    pub fn may_continue(&self, context: &Context) -> bool {
        let mut reported = false;
        loop {
            if context.is_stopped() {
                return false;
            }
            let Some(why) = self.pause_reason() else { return true };
            if !reported {
                context.progress.line(&format!("paused: {why}"));
                reported = true;
            }
            std::thread::sleep(POLL);
        }
    }

    fn pause_reason(&self) -> Option<String> {
        if let Some(file) = self.pause_file.as_ref().filter(|file| file.exists()) {
            return Some(format!("{} exists", file.display()));
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
        let (idle, context) = (Throttle::default(), Context::silent());
        assert!(idle.may_continue(&context));
        let file = tempfile::NamedTempFile::new().unwrap();
        let paused = Throttle { pause_file: Some(file.path().to_owned()), ..idle.clone() };
        assert!(paused.pause_reason().is_some_and(|why| why.contains("exists")));
        let busy = Throttle { max_load: Some(-1.0), ..idle.clone() };
        assert!(busy.pause_reason().is_some_and(|why| why.contains("load")));
        assert_eq!(Throttle { max_load: Some(1e9), ..idle }.pause_reason(), None);
        context.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(!paused.may_continue(&context));
    }
}
