//! Several bricks of one volume: who owns a file, and what they disagree on.

use serde_json::{Value, json};

use crate::bricks::FakeBrick;
use crate::{ask, run};

fn pair() -> Option<(FakeBrick, FakeBrick)> {
    Some((FakeBrick::new()?, FakeBrick::new()?))
}

fn ask_both(one: &FakeBrick, two: &FakeBrick, text: &str) -> Value {
    let two = two.path().to_str().unwrap();
    ask(one, &["--brick", two, text]).1.remove(0)
}

#[test]
fn the_brick_with_the_data_speaks() {
    let Some((one, two)) = pair() else { return };
    let gfid = two.file("file");
    one.linkto("file", gfid, "vol-client-1");
    let answer = ask_both(&one, &two, &gfid.to_string());
    assert_eq!(answer["brick"], json!(two.path()));
    assert_eq!((&answer["linkto"], &answer["disagrees"]), (&json!(null), &json!(false)));
    let other = &answer["elsewhere"][0];
    assert_eq!((&other["brick"], &other["linkto"]), (&json!(one.path()), &json!("vol-client-1")));
    // Alone, the pointer says what it is.
    let (code, answers) = ask(&one, &[gfid.to_string()]);
    assert_eq!((code, &answers[0]["linkto"]), (0, &json!("vol-client-1")));
}

#[test]
fn a_file_on_one_brick_is_no_disagreement_and_a_directory_is() {
    let Some((one, two)) = pair() else { return };
    let file = two.file("file").to_string();
    let dir = two.dir("dir").to_string();
    assert_eq!(ask_both(&one, &two, &file)["disagrees"], false);
    assert_eq!(ask_both(&one, &two, &dir)["disagrees"], true);
    let both = two.dir("both");
    one.dir_as("both", both);
    assert_eq!(ask_both(&one, &two, &both.to_string())["disagrees"], false);
}

#[test]
fn other_paths_and_other_gfids_are_shown() {
    let Some((one, two)) = pair() else { return };
    let moved = one.dir("old-name");
    two.dir_as("new-name", moved);
    let answer = ask_both(&one, &two, &moved.to_string());
    assert_eq!(answer["disagrees"], true);
    assert_eq!(answer["elsewhere"][0]["paths"], json!(["new-name"]));
    let args = ["--brick", two.path().to_str().unwrap(), &moved.to_string()];
    let text = String::from_utf8(run(one.path(), &args, b"").out).unwrap();
    assert!(text.contains("old-name") && text.contains("new-name"), "{text}");
    let (ours, theirs) = (one.dir("same"), two.dir("same"));
    let answer = ask_both(&one, &two, "./same");
    assert_eq!((&answer["gfid"], &answer["disagrees"]), (&json!(ours), &json!(true)));
    let says = answer["elsewhere"][0]["says"].as_str().unwrap();
    assert!(says.contains(&theirs.to_string()), "{says}");
}

#[test]
fn leftovers_of_each_brick_are_scanned_on_that_brick() {
    let Some((one, two)) = pair() else { return };
    let (a, b) = (one.old_file("a").to_string(), two.old_file("b").to_string());
    let args = ["--brick", two.path().to_str().unwrap(), &b, &a];
    let (code, answers) = ask(&one, &args);
    assert_eq!(code, 0);
    let found: Vec<_> = answers.iter().map(|answer| (&answer["brick"], &answer["paths"])).collect();
    let (one, two) = (json!(one.path()), json!(two.path()));
    assert_eq!(found, [(&two, &json!(["b"])), (&one, &json!(["a"]))]);
}
