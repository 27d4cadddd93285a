//! `--script DIR`: quoted, syntactically sound, and with the same end as a run.

use std::process::{Command, Stdio};

use georepair::plan::{Guard, NodePath, Object, State, Step, script};

use crate::crashes;
use crate::real::{Ground, MARK, here};

#[expect(clippy::disallowed_methods, reason = "a test runs the script that it reads")]
fn bash(words: &[&std::ffi::OsStr], done: &str) -> (i32, String) {
    let georepair = std::path::Path::new(env!("CARGO_BIN_EXE_georepair")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", georepair.display());
    let mut bash = Command::new("bash");
    bash.args(words).env("DONE", done).env("PATH", path).stdin(Stdio::null());
    let output = bash.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test asks shells what they think of a script")]
fn a_script_ends_where_a_run_ends() {
    let (model, ground) = (Ground::new(), Ground::new());
    model.plan();
    assert_eq!(model.apply().0, 0);
    ground.plan();
    let began = ground.listing();
    let folder = ground.at("scripts");
    let words =
        ["apply", ground.plan_file().to_str().unwrap(), "--script", folder.to_str().unwrap()]
            .map(str::to_owned);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (code, _, err) = ground.run(&words);
    assert_eq!((code, ground.listing() == began), (0, true), "{err}");
    let file = folder.join(format!("{}.sh", here()));
    for shell in ["sh", "bash"] {
        let checked = Command::new(shell).arg("-n").arg(&file).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
    let (code, said) = bash(&[file.as_os_str()], "");
    assert_eq!(code, 0, "{said}");
    assert_eq!(ground.listing(), model.listing(), "{said}");
    let (code, said) = bash(&[file.as_os_str()], "");
    assert_eq!((code, ground.listing()), (0, model.listing()), "{said}");
}

#[test]
fn a_script_stops_where_its_plan_does_not_fit() {
    let ground = Ground::new();
    let at = NodePath::from(ground.at("world/d0"));
    let object = Object::Xattr { at, name: MARK.to_owned() };
    let guard = Guard::Unchanged { object: object.clone(), was: State::value(&[1]) };
    let step = Step { guards: vec![guard], ..crashes::step(object, State::Absent) };
    let began = ground.listing();
    let (code, said) = run_on(&ground, vec![step], "m1", "");
    assert_eq!((code, ground.listing() == began), (3, true), "{said}");
    assert!(said.contains("step 1 does not match the system"), "{said}");
}

/// What takes more than a command is executed by georepair: with the same end, or refused.
#[test]
fn a_step_of_many_commands_is_executed_by_georepair() {
    let ground = Ground::new();
    let at = NodePath::from(ground.world());
    let step = |bytes| {
        let marks = Object::DirectoryMarks { at: at.clone(), name: MARK.to_owned() };
        let guards = vec![Guard::FreeSpace { at: at.clone(), bytes }];
        vec![Step { guards, ..crashes::step(marks, State::Spent) }]
    };
    let marked = || ground.listing().values().filter(|(_, _, mark)| mark.is_some()).count();
    let began = marked();
    let (code, said) = run_on(&ground, step(u64::MAX), "m1", "");
    assert_eq!((code, marked()), (3, began), "{said}");
    assert!(said.contains("bytes are free"), "{said}");
    let (code, said) = run_on(&ground, step(1), "m1", "");
    assert_eq!((code, marked()), (0, 0), "{said}");
    let (code, said) = run_on(&ground, step(1), "m1", "");
    assert_eq!((code, said.contains("already done")), (0, true), "{said}");
}

#[test]
fn a_script_waits_for_the_steps_of_other_nodes() {
    let ground = Ground::new();
    let at = NodePath::from(ground.at("world/d0"));
    let object = Object::Xattr { at, name: MARK.to_owned() };
    let first = Step { node: "m2".to_owned(), ..crashes::step(object.clone(), State::value(&[1])) };
    let second = crashes::step(object, State::Absent);
    let began = ground.listing();
    let steps = vec![first, second];
    let (code, said) = run_on(&ground, steps.clone(), "m1", "");
    assert_eq!((code, ground.listing() == began), (3, true), "{said}");
    let (code, said) = run_on(&ground, steps, "m1", "1");
    assert_eq!((code, ground.listing() == began), (0, false), "{said}");
}

#[expect(clippy::disallowed_methods, reason = "a test writes its script by hand")]
fn run_on(ground: &Ground, steps: Vec<Step>, node: &str, done: &str) -> (i32, String) {
    let scripts = script::scripts(&crashes::plan(steps));
    let file = ground.at("script.sh");
    std::fs::write(&file, &scripts[&format!("{node}.sh")]).unwrap();
    bash(&[file.as_os_str()], done)
}

/// A brick's changelogs of two layouts, with an index that began twice.
#[expect(clippy::disallowed_methods, reason = "a test lays out its files")]
fn brick(ground: &Ground, name: &str) -> std::path::PathBuf {
    let brick = ground.at(name);
    let base = brick.join(".glusterfs/changelogs");
    for end in [5, 100_012, 100_019] {
        let path = base.join(format!("CHANGELOG.{end}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    for end in [100_021, 100_033, 100_060] {
        let path = base.join(format!("1970/01/02/CHANGELOG.{end}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    // The one that the brick was writing: its last change was the same for both.
    let live = std::fs::File::create(base.join("CHANGELOG")).unwrap();
    let changed = std::time::UNIX_EPOCH + std::time::Duration::from_secs(100_075);
    live.set_modified(changed).unwrap();
    std::fs::create_dir(base.join("htime")).unwrap();
    for name in ["HTIME.100010", "HTIME.100050", "HTIME.100010.bak"] {
        std::fs::write(base.join("htime").join(name), "rubbish").unwrap();
    }
    brick
}

/// Every index file by its name: its content, the brick's name taken out, and its count.
fn index(at: &std::path::Path, brick: &str) -> Vec<(String, String, Vec<u8>)> {
    let files = std::fs::read_dir(at).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let count = xattr::get(&path, "trusted.glusterfs.htime").unwrap().unwrap_or_default();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, text.replace(brick, ""), count)
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

#[test]
fn an_index_of_changelogs_is_the_same_from_a_script() {
    let ground = Ground::new();
    if xattr::get(ground.world(), "trusted.none").is_err() {
        return;
    }
    let mut found = Vec::new();
    for name in ["one", "two"] {
        let brick = brick(&ground, name);
        let at = brick.join("made");
        let object = Object::HistoryIndex {
            brick: NodePath::from(brick.as_path()),
            at: NodePath::from(at.as_path()),
        };
        let step = Step { node: here(), ..crashes::step(object, State::InPlace) };
        if name == "one" {
            let plan = crashes::plan(vec![step]);
            georepair::apply::save_plan(&plan, ground.dir.path(), &ground.plan_file()).unwrap();
            let (code, _, err) = ground.apply();
            assert_eq!(code, 0, "{err}");
        } else {
            let (code, said) = run_on(&ground, vec![step], &here(), "");
            assert_eq!(code, 0, "{said}");
        }
        let current = xattr::get(&at, "trusted.glusterfs.current_htime").unwrap();
        assert_eq!(current.as_deref(), Some(b"HTIME.100050".as_slice()));
        found.push(index(&at, &brick.display().to_string()));
    }
    assert_eq!(found[0], found[1]);
    let names: Vec<_> = found[0].iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["HTIME.100010", "HTIME.100019", "HTIME.100050"]);
    assert_eq!((&*found[0][1].2, &*found[0][2].2), (&b"100033:2"[..], &b"100075:2"[..]));
}
