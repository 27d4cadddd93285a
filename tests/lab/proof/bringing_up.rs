//! From nothing to a session that replicates.

use crate::capture::Capture;
use crate::lab::Lab;
use crate::requirements;
use crate::session;
use crate::shape::REPLICATED;

#[test]
fn from_nothing_to_active() {
    if !requirements::met() {
        return;
    }
    let (lab, times) = Lab::up(REPLICATED);
    let what = "Nothing was broken: both volumes and the session were created and started.";
    let capture = Capture::from_the_start(&lab, "healthy-start", what);
    capture.tell("the session is Active and a file written now has arrived");
    capture.save();
    say!("{times:?}");
    assert!(times.nodes < times.active && times.active < times.live, "{times:?}");
    let rows = session::status(&lab);
    assert!(session::all_well(&lab, &rows), "{rows:#?}");
    // The status as operators see it says what the status files say.
    let shown = session::georep(&lab, &["status"]);
    assert!(shown.contains("Active") && shown.contains("Passive"), "{shown}");
}
