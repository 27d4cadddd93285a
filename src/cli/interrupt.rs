//! Ctrl-C: the first asks to stop after the current step or batch, the second ends at once.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The flag that a signal raises, once [`watch`] was called.
pub(super) fn flag() -> Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    Arc::clone(FLAG.get_or_init(Arc::default))
}

/// From here on the first signal only raises the flag; before, each ends the process at once.
pub(super) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [SIGINT, SIGTERM] {
            // The order matters: at the first signal the flag is not yet raised, so no shutdown.
            // If the handlers cannot be set, Ctrl-C ends at once; a run can be resumed after that too.
            let _ = flag::register_conditional_shutdown(signal, 130, flag());
            let _ = flag::register(signal, flag());
        }
    });
}
