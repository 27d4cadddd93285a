//! From nothing to a session that replicates.

use crate::lab::Lab;
use crate::shape::REPLICATED;
use crate::requirements;

#[test]
fn a_lab_comes_up_and_goes_away() {
    if !requirements::met() {
        return;
    }
    let (lab, times) = Lab::up(REPLICATED);
    println!("{times:?} stalls {}", lab.stalls());
    println!("{:#?}", crate::session::status(&lab));
}
