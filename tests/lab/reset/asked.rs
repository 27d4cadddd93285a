//! `georepair reset` at a terminal: one question at a time.

use super::{PATIENCE, write_tree};
use crate::lab::Lab;
use crate::{listing, session};

/// Runs georepair on m1 at a terminal and types; returns what the terminal showed.
fn at_a_terminal(lab: &Lab, words: &str, typed: &[&str]) -> (Option<i32>, String) {
    let line = format!(
        "printf '%s\\n' \"$@\" | script --quiet --return --command 'georepair {words}' /dev/null"
    );
    let output = lab.primary().try_for(PATIENCE, &[&["bash", "-c", &line, "bash"], typed].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn asked_step_by_step_it_purges_the_secondary() {
    let Some(lab) = Lab::shared() else { return };
    write_tree(&lab, "asked");
    listing::wait_equal(&lab);
    std::fs::write(lab.on_secondary("only-here"), "gone soon").expect("an entry of its own");

    // Whoever does not type the session's name has changed nothing.
    let (code, shown) =
        at_a_terminal(&lab, "reset gv0 s1::gv0dr", &["resync", "purge", "gv0", "s1::gv0dr"]);
    assert_eq!(code, Some(3), "{shown}");
    assert!(lab.on_secondary("only-here").exists());

    let name = "gv0 s1::gv0dr";
    let answers = ["nonsense", "resync", "purge", name, name];
    let (code, shown) = at_a_terminal(&lab, "reset gv0 s1::gv0dr", &answers);
    assert_eq!(code, Some(0), "{shown}");
    // Which level that is depends on what this lab's logs tell of the tests before.
    for part in ["Which level?", "not a valid answer", "recommended: ", "cost", "irreversible"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(!lab.on_secondary("only-here").exists(), "it was purged");
    let names = std::fs::read_dir(lab.on_secondary("")).expect("the secondary").flatten();
    let kept = names.filter(|it| it.file_name().to_string_lossy().contains("quarantine"));
    assert_eq!(kept.count(), 0);
    listing::wait_equal(&lab);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
}
