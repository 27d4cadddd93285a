//! Steps on a peer, through `georepair agent world` and an ssh that stays on this machine.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use georepair::apply::save_plan;
use georepair::plan::{Plan, Step};

use crate::real::Ground;
use crate::support::PROGRAM;

const PEER: &str = "peer.invalid";

/// An ssh that drops its options and the host, does `first`, and runs the command here.
#[expect(clippy::disallowed_methods, reason = "a test writes its own ssh")]
fn ssh(ground: &Ground, first: &str) -> PathBuf {
    let path = ground.at("ssh");
    let georepair = std::path::Path::new(PROGRAM);
    let folder = georepair.parent().unwrap().display();
    let text = format!(
        "#!/bin/sh\nexport PATH={folder}:/usr/bin:/bin\nwhile [ \"$1\" != -- ]; do shift; done\n{first}\n"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The ground's plan, done by the peer.
fn plan_on_peer(ground: &Ground) {
    let plan = ground.plan();
    let steps = plan.steps.into_iter().map(|step| Step { node: PEER.to_owned(), ..step });
    let plan = Plan { steps: steps.collect(), ..plan };
    save_plan(&plan, ground.dir.path(), &ground.plan_file()).unwrap();
}

fn apply(ground: &Ground, ssh: &std::path::Path) -> Command {
    let file = ground.plan_file();
    ground.georepair(&["apply", file.to_str().unwrap(), "--yes", "--ssh", ssh.to_str().unwrap()])
}

const HERE: &str = "exec sh -c \"$3\"";

/// Shell that passes on so many lines and no byte more.
fn passing(lines: u32) -> String {
    format!("for n in $(seq {lines}); do IFS= read -r line; printf '%s\\n' \"$line\"; done")
}

#[test]
fn a_peer_does_its_steps_and_takes_them_back() {
    let (model, ground) = (Ground::new(), Ground::new());
    let began = ground.listing();
    model.plan();
    assert_eq!(model.apply().0, 0);
    plan_on_peer(&ground);
    let ssh = ssh(&ground, HERE);
    let done = apply(&ground, &ssh).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(ground.listing(), model.listing());
    let id = ground.runs()[0]["run"].as_str().unwrap().to_owned();
    let (code, _, err) =
        ground.run(&["runs", "undo", &id, "--yes", "--ssh", ssh.to_str().unwrap()]);
    assert_eq!((code, ground.listing() == began), (0, true), "{err}");
}

#[test]
fn a_peer_that_is_lost_midway_leaves_a_run_to_resume() {
    let (model, ground) = (Ground::new(), Ground::new());
    model.plan();
    assert_eq!(model.apply().0, 0);
    for questions in [24, 39, 69] {
        let ground = Ground::new();
        plan_on_peer(&ground);
        let lost = ssh(&ground, &format!("({}) | sh -c \"$3\"", passing(questions)));
        let done = apply(&ground, &lost).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(4), "{said}");
        assert!(said.contains("georepair runs resume"), "{said}");
        let ssh = ssh(&ground, HERE);
        let (code, _, err) =
            ground.run(&["runs", "resume", "--yes", "--ssh", ssh.to_str().unwrap()]);
        assert_eq!((code, ground.listing() == model.listing()), (0, true), "{err}");
    }
    drop(ground);
}

#[test]
fn a_peer_that_cannot_be_reached_is_told_and_nothing_is_begun() {
    let ground = Ground::new();
    plan_on_peer(&ground);
    let ssh = ssh(&ground, "echo 'no route to host' >&2; exit 255");
    let done = apply(&ground, &ssh).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{said}");
    assert!(said.contains(PEER) && said.contains("no route to host"), "{said}");
    assert!(ground.runs().is_empty());
}

#[test]
fn a_peer_of_another_version_is_refused_with_the_command_that_copies_this_one() {
    let ground = Ground::new();
    plan_on_peer(&ground);
    let ssh =
        ssh(&ground, "echo '{\"schema\":\"georepair/agent/1\",\"version\":\"0.0.9\"}'; exec cat");
    let done = apply(&ground, &ssh).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{said}");
    let ours = env!("CARGO_PKG_VERSION");
    assert!(said.contains(&format!("georepair 0.0.9 on {PEER}, {ours} here")), "{said}");
    assert!(said.contains(&format!("{PEER} 'cat >")), "{said}");
    assert!(ground.runs().is_empty());
}

/// Starts a run whose peer holds its breath after so many questions, until the file `go` is there;
/// answers when it does so.
fn held(ground: &Ground, questions: u32) -> Child {
    plan_on_peer(ground);
    let (go, held) = (ground.at("go"), ground.at("held"));
    let hold = format!(
        "({}; touch {}; while [ ! -e {} ]; do sleep 0.02; done; cat) | sh -c \"$3\"; touch {}",
        passing(questions),
        held.display(),
        go.display(),
        ground.at("ended").display()
    );
    let ssh = ssh(ground, &hold);
    let child = apply(ground, &ssh).process_group(0).spawn().unwrap();
    wait_for(&held);
    child
}

#[track_caller]
fn wait_for(file: &std::path::Path) {
    let patience = Instant::now();
    while !file.exists() {
        assert!(patience.elapsed() < Duration::from_mins(1), "{} never came", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What Ctrl-C at a terminal does: everything in the foreground hears it.
fn ctrl_c(child: &Child) {
    let group = rustix::process::Pid::from_child(child);
    rustix::process::kill_process_group(group, rustix::process::Signal::INT).unwrap();
    std::thread::sleep(Duration::from_millis(200));
}

#[test]
fn ctrl_c_ends_the_step_and_leaves_a_run_to_resume() {
    let ground = Ground::new();
    let mut child = held(&ground, 40);
    ctrl_c(&child);
    assert!(child.try_wait().unwrap().is_none(), "it waits for the step under way");
    std::fs::File::create(ground.at("go")).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let run = &ground.runs()[0];
    assert_eq!(run["state"], "unfinished");
    let id = run["run"].as_str().unwrap();
    let (_, shown, _) = ground.run(&["runs", "show", id, "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let begun = shown["list"].as_array().unwrap().iter().filter(|step| step["state"] == "begun");
    assert_eq!(begun.count(), 0, "the step under way was ended: {shown}");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let ground = Ground::new();
    let mut child = held(&ground, 40);
    ctrl_c(&child);
    let patience = Instant::now();
    // Two signals that come before the process runs are one.
    let ended = loop {
        ctrl_c(&child);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        assert!(patience.elapsed() < Duration::from_mins(1), "it waits for the peer");
    };
    assert_eq!(ended.code(), Some(130));
    std::fs::File::create(ground.at("go")).unwrap();
    let ssh = ssh(&ground, HERE);
    let (code, _, err) = ground.run(&["runs", "resume", "--yes", "--ssh", ssh.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
}

/// What was asked of a peer before the connection broke reaches it when the run went on without
/// it, or was taken back.
#[test]
fn a_peer_left_behind_changes_nothing_when_the_run_went_on() {
    // A look or a change, whichever it is that comes late.
    for (verb, questions) in
        (37..39).flat_map(|questions| [("resume", questions), ("undo", questions)])
    {
        let ground = Ground::new();
        let mut child = held(&ground, questions);
        child.kill().unwrap();
        child.wait().unwrap();
        let ssh = ssh(&ground, HERE);
        let id = ground.runs()[0]["run"].as_str().unwrap().to_owned();
        let (code, _, err) =
            ground.run(&["runs", verb, &id, "--yes", "--ssh", ssh.to_str().unwrap()]);
        assert_eq!(code, 0, "{err}");
        let then = ground.listing();
        std::fs::File::create(ground.at("go")).unwrap();
        wait_for(&ground.at("ended"));
        assert_eq!(ground.listing(), then, "{verb} after question {questions}");
        assert_eq!(std::fs::read_dir(ground.at("state/turns")).unwrap().count(), 0, "{verb}");
    }
}
