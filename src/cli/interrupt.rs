//! Ctrl-C: the first asks to stop after the current step or batch, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// From here on the first signal raises the flag that is answered.
pub(super) fn watched() -> Arc<AtomicBool> {
    let raised = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the first signal finds the flag down and passes the shutdown by.
        // Where the handlers cannot be set, Ctrl-C ends at once, which a run survives as well.
        let _ = flag::register_conditional_shutdown(signal, 130, Arc::clone(&raised));
        let _ = flag::register(signal, Arc::clone(&raised));
    }
    raised
}
