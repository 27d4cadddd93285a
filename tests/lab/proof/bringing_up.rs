//! From nothing to a session that replicates.

use crate::capture::Scene;
use crate::lab::Lab;
use crate::requirements;
use crate::shape::REPLICATED;

#[test]
fn a_lab_comes_up_and_goes_away() {
    if !requirements::met() {
        return;
    }
    let (lab, times) = Lab::up(REPLICATED);
    println!("{times:?} stalls {}", lab.stalls());
    let what = "Nothing was broken: both volumes and the session were created and started.";
    let scene = Scene::from_the_start(&lab, "healthy-start", what);
    scene
        .tell("created and started both volumes and the session; it is Active, a file has arrived");
    scene.save();
    println!("{:#?}", crate::session::status(&lab));
}
