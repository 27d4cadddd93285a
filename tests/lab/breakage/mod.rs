//! Ways to break a session, named after what is broken. Each proves that it did, and can be mended.

pub(crate) mod changelogs;
pub(crate) mod connection;
pub(crate) mod entries;
pub(crate) mod names;
pub(crate) mod transfer;
pub(crate) mod workers;

use crate::capture::Capture;
use crate::lab::Lab;
use crate::{session, wait};

/// The nodes whose gsyncd.log tells the primary's part.
pub(crate) const PRIMARIES: &[&str] = &["m1", "m2"];
/// The nodes whose logs tell the secondary's part.
pub(crate) const SECONDARIES: &[&str] = &["s1"];

/// A session that is broken in one known way.
#[must_use = "a broken lab is to be mended for the next test"]
pub(crate) struct Broken<'lab> {
    capture: Capture<'lab>,
    mend: Mend,
}

type Mend = Box<dyn FnOnce(&Lab)>;

impl<'lab> Broken<'lab> {
    fn new(capture: Capture<'lab>, mend: impl FnOnce(&Lab) + 'static) -> Self {
        Self { capture, mend: Box::new(mend) }
    }

    /// What was done and logged so far.
    pub(crate) fn capture(&self) -> &Capture<'lab> {
        &self.capture
    }

    /// Takes the breakage back, by a way no reader of logs would call a repair, and proves that
    /// changes travel again.
    #[track_caller]
    pub(crate) fn mend(self) {
        self.capture.save();
        let lab = self.capture.lab();
        (self.mend)(lab);
        session::live(lab);
    }
}

/// Writes a small file on the primary.
#[track_caller]
fn write(lab: &Lab, path: &str, content: &str) {
    let path = lab.on_primary(path);
    std::fs::create_dir_all(path.parent().expect("it has a parent")).expect("a directory");
    std::fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Waits until some worker is Faulty.
#[track_caller]
fn wait_faulty(capture: &Capture<'_>) {
    session::wait_status(capture.lab(), "Faulty", |rows| session::any(rows, "Faulty"));
    capture.tell("the session's status shows Faulty");
}

/// The node and brick whose worker is Active; one that has just started again is waited for.
#[track_caller]
pub(crate) fn active(lab: &Lab) -> session::Worker {
    wait::until("a worker is Active", || {
        session::status(lab).into_iter().find(|row| row.status == "Active")
    })
}
