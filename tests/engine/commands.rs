//! The commands: what is shown, what is asked, what is refused, and with which exit code.

use georepair::plan::{Action, Guard, NodePath, Object, State, Work};
use serde_json::Value;

use crate::real::{Ground, MARK, here};
use crate::support::PROGRAM;
use crate::{crashes, real};

fn saved(ground: &Ground, change: impl FnOnce(&mut georepair::plan::Plan)) {
    let mut plan = ground.plan();
    change(&mut plan);
    let lists = ground.dir.path();
    georepair::apply::save_plan(&plan, lists, &ground.plan_file()).unwrap();
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let ground = Ground::new();
    ground.plan();
    let began = ground.listing();
    let file = ground.plan_file();
    let words = ["apply", file.to_str().unwrap(), "--dry-run", "--format", "json"];
    let (code, out, err) = ground.run(&words);
    assert_eq!((code, ground.listing() == began, ground.runs().len()), (1, true, 0), "{err}");
    let shown: Value = serde_json::from_str(&out).unwrap();
    let saved: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(shown, saved);
    let (code, again, _) = ground.run(&words);
    assert_eq!((code, again == out), (1, true));
}

#[test]
fn a_finished_plan_changes_nothing_the_second_time() {
    let ground = Ground::new();
    ground.plan();
    assert_eq!(ground.apply().0, 0);
    let ended = ground.listing();
    let (code, _, err) = ground.apply();
    assert_eq!((code, ground.listing() == ended), (0, true), "{err}");
}

#[test]
fn without_a_yes_nothing_happens() {
    let ground = Ground::new();
    ground.plan();
    let began = ground.listing();
    let (code, out, err) = ground.run(&["apply", ground.plan_file().to_str().unwrap()]);
    assert_eq!((code, out.as_str(), ground.listing() == began), (3, "", true), "{err}");
    assert!(err.contains("no terminal to confirm at") && err.contains("--yes"), "{err}");
    assert!(ground.runs().is_empty());
}

#[test]
fn a_plan_that_no_longer_fits_is_refused_with_every_difference() {
    let ground = Ground::new();
    saved(&ground, |plan| {
        let at = NodePath::from(ground.at("world/d0"));
        let mark = Object::Xattr { at, name: MARK.to_owned() };
        let gone = Object::Xattr { at: NodePath::from(ground.at("no")), name: MARK.to_owned() };
        plan.steps[3].guards = vec![
            Guard::Unchanged { object: mark, was: State::value(&[1]) },
            Guard::Unchanged { object: gone, was: State::Absent },
            Guard::FreeSpace { at: NodePath::from(ground.world()), bytes: u64::MAX },
            Guard::Mounted { at: NodePath::from(ground.world()), volume: "gv0".to_owned() },
        ];
    });
    let began = ground.listing();
    let (code, _, err) = ground.apply();
    assert_eq!((code, ground.listing() == began, ground.runs().len()), (3, true, 0), "{err}");
    for told in [
        "step 4",
        "is 0x01",
        "is 0x07",
        "its path does not exist",
        "bytes are free",
        "not a mount point",
    ] {
        assert!(err.contains(told), "{told:?} in {err}");
    }
}

#[test]
fn a_run_is_listed_shown_taken_back_and_forgotten() {
    let ground = Ground::new();
    let plan = ground.plan();
    let began = ground.listing();
    assert_eq!(ground.apply().0, 0);
    let run = ground.runs().remove(0);
    let steps = plan.steps.len();
    assert_eq!(
        (&run["state"], &run["steps"], &run["done"]),
        (&"finished".into(), &steps.into(), &steps.into())
    );
    let id = run["run"].as_str().unwrap().to_owned();
    let (code, shown, _) = ground.run(&["runs", "show", &id]);
    assert_eq!(code, 0);
    assert!(shown.contains("2500 items done, 0 failed"), "{shown}");
    assert!(shown.contains(&format!("georepair runs undo {id}")), "{shown}");

    let (code, ..) = ground.run(&["runs", "undo", &id, "--dry-run"]);
    assert_eq!(code, 1);
    let (code, _, err) = ground.run(&["runs", "undo", &id, "--yes"]);
    assert_eq!((code, ground.listing() == began), (0, true), "{err}");
    assert_eq!(ground.runs()[0]["state"], "undone");
    let (code, _, err) = ground.run(&["runs", "undo", &id, "--yes"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("was already undone by run"), "{err}");

    // Pruning the run that undid it deletes both.
    let undo = ground.runs()[1]["run"].as_str().unwrap().to_owned();
    let (code, _, err) = ground.run(&["runs", "prune", &undo, "--yes"]);
    assert_eq!((code, ground.listing() == began), (0, true), "{err}");
    let left = ground.runs();
    assert_eq!(
        (left.len(), left[0]["title"].as_str()),
        (1, Some("delete 2 runs and what they kept"))
    );
}

#[test]
fn forgetting_a_run_deletes_what_it_kept_and_nothing_else() {
    let ground = Ground::new();
    ground.plan();
    assert_eq!(ground.apply().0, 0);
    let id = ground.runs()[0]["run"].as_str().unwrap().to_owned();
    assert!(ground.at("world/aside/tree/deep/file").exists());
    let before = ground.listing();
    let (code, _, err) = ground.run(&["runs", "prune", &id, "--yes"]);
    assert_eq!(code, 0, "{err}");
    let mut expected = before;
    expected.retain(|path, _| !path.starts_with("aside/tree"));
    assert_eq!(ground.listing(), expected);
    let (code, ..) = ground.run(&["runs", "show", &id]);
    assert_eq!(code, 2, "the run itself is gone");
}

#[test]
fn a_run_that_somebody_is_at_is_left_to_them() {
    let ground = Ground::new();
    ground.plan();
    assert_eq!(ground.apply().0, 0);
    let id = ground.runs()[0]["run"].as_str().unwrap().to_owned();
    let lock = std::fs::File::options()
        .write(true)
        .open(ground.at("state/runs").join(&id).join("lock"))
        .unwrap();
    lock.lock().unwrap();
    for verb in ["resume", "undo", "prune"] {
        let (code, _, err) = ground.run(&["runs", verb, &id, "--yes"]);
        assert_eq!(code, 3, "{verb}: {err}");
        assert!(err.contains("in use by another georepair process"), "{err}");
    }
}

#[test]
fn what_was_recreated_at_its_place_survives_the_undo() {
    let ground = Ground::new();
    ground.plan();
    assert_eq!(ground.apply().0, 0);
    std::fs::create_dir_all(ground.at("world/tree/new")).unwrap();
    let id = ground.runs()[0]["run"].as_str().unwrap().to_owned();
    let (code, _, err) = ground.run(&["runs", "undo", &id, "--yes"]);
    assert_eq!(code, 0, "{err}");
    assert!(ground.at("world/tree/deep/file").exists(), "the old tree is back");
    assert!(ground.at("world/aside/tree/new").exists(), "the new one is kept");
}

#[test]
fn a_run_that_drifted_stops_and_says_all_three_states() {
    let ground = Ground::new();
    saved(&ground, |plan| {
        // An xattr of a name that no file system takes: begun, and never done.
        let at = NodePath::from(ground.at("world/d1"));
        let object = Object::Xattr { at, name: "nonsense".to_owned() };
        plan.steps[0].does = Work::Set(Action { object, wanted: State::value(&[1]) });
    });
    let (code, _, err) = ground.apply();
    assert!([3, 4].contains(&code), "{err}");
    assert!(err.contains("step 1 on"), "{err}");
}

#[test]
fn a_plan_that_is_none_is_refused() {
    let ground = Ground::new();
    let plan = ground.plan();
    let mut text: Value = serde_json::to_value(&plan).unwrap();
    for (field, wrong) in [
        ("schema", Value::from("georepair/plan/2")),
        ("steps", serde_json::json!([{ "id": 1 }])),
        ("unknown", Value::from(1)),
    ] {
        let right = text[field].clone();
        text[field] = wrong;
        write(&ground, &text);
        let (code, _, err) = ground.apply();
        assert_eq!(code, 3, "{field}: {err}");
        assert!(err.contains("is not a georepair plan"), "{err}");
        text[field] = right;
    }
}

#[expect(clippy::disallowed_methods, reason = "a test writes its plan by hand")]
fn write(ground: &Ground, text: &Value) {
    std::fs::write(ground.plan_file(), text.to_string()).unwrap();
}

#[test]
fn a_plan_is_read_as_it_was_written() {
    let ground = Ground::new();
    let plan = ground.plan();
    let read = georepair::apply::read_plan(&ground.plan_file()).unwrap();
    assert_eq!((read.digest(), &read), (plan.digest(), &plan));
    assert!(plan.steps.iter().all(|step| step.node == here()));
    let _ = (crashes::plan(Vec::new()), real::MARK);
}

/// At a terminal: `script` gives one, and what is typed.
#[test]
fn the_sessions_name_typed_at_a_terminal_is_a_yes() {
    let ground = Ground::new();
    ground.plan();
    let began = ground.listing();
    let mut words = vec![PROGRAM.to_owned()];
    words.extend(["apply".to_owned(), ground.plan_file().display().to_string()]);
    words.extend(["--state-dir".to_owned(), ground.at("state").display().to_string()]);
    let line = shlex::try_join(words.iter().map(String::as_str)).unwrap();
    for (typed, code) in [("yes\n", 3), ("gv0 s1::gv0dr\n", 0)] {
        let ran = assert_cmd::Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .write_stdin(typed)
            .timeout(std::time::Duration::from_mins(1))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert_eq!(ran.status.code(), Some(code), "{said}");
        assert_eq!(ground.listing() == began, code == 3, "{said}");
        assert!(said.contains("Type gv0 s1::gv0dr to continue"), "{said}");
    }
}
