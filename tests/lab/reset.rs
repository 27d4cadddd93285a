//! `georepair reset` on a real cluster: each level after the breakage it is for, crashes, refusals.

mod another_session;
mod asked;
mod lost_node;
mod untold;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::breakage::changelogs::is_stime;
use crate::lab::Lab;
use crate::listing;
use crate::session::{self, NAME};

const WHO: [&str; 2] = ["gv0", "s1::gv0dr"];

/// How long a reset may take, with a deaf start or two on a busy machine, in seconds.
const PATIENCE: u32 = 600;

/// Runs `georepair reset gv0 s1::gv0dr --level …` on m1.
fn reset(lab: &Lab, words: &[&str]) -> Output {
    georepair(lab, &[&["reset"], &WHO[..], &["--level"], words].concat())
}

fn georepair(lab: &Lab, words: &[&str]) -> Output {
    lab.primary().try_for(PATIENCE, &[&["georepair"], words].concat())
}

#[track_caller]
fn code(output: &Output, expected: i32) {
    let said = String::from_utf8_lossy(&output.stderr);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(expected), "{said}{told}");
}

/// Every mark of the session on the roots of all bricks of the primary.
fn marks(lab: &Lab) -> BTreeMap<(&'static str, String), Vec<u8>> {
    let mut marks = BTreeMap::new();
    for brick in lab.shape().primary {
        let root = lab.node(brick.node).path(brick.dir);
        for name in xattr::list(&root).expect("the brick's xattrs") {
            let name = name.to_string_lossy().into_owned();
            if name.ends_with("stime") {
                let value = xattr::get(&root, &name).expect("the mark").unwrap_or_default();
                marks.insert((brick.node, name), value);
            }
        }
    }
    marks
}

fn settings(lab: &Lab) -> String {
    let conf = format!("/var/lib/glusterd/geo-replication/{NAME}/gsyncd.conf");
    std::fs::read_to_string(lab.primary().path(conf)).expect("the session's settings")
}

fn write_tree(lab: &Lab, top: &str) {
    for folder in ["a/x", "a/y", "b/x/deep"] {
        let folder = lab.on_primary(top).join(folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        for file in ["one", "two words"] {
            std::fs::write(folder.join(file), format!("{top} {file}")).expect("a file");
        }
    }
}

fn empty_secondary(lab: &Lab) {
    for entry in std::fs::read_dir(lab.on_secondary("")).expect("the secondary").flatten() {
        if !entry.file_name().to_string_lossy().starts_with(".glusterfs") {
            let path = entry.path();
            let directory = std::fs::symlink_metadata(&path).is_ok_and(|about| about.is_dir());
            let removed = if directory {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

/// The published procedure ends Active with most of the data missing; `resync` brings it all.
#[test]
fn resync_brings_what_the_published_procedure_skips() {
    let Some(lab) = Lab::shared() else { return };
    write_tree(&lab, "resync");
    listing::wait_equal(&lab);
    // A hybrid crawl leaves an stime on every directory: those the published steps forget.
    code(&reset(&lab, &["resync", "--no-audit", "--yes"]), 0);
    session::stop(&lab);
    for ((node, name), _) in marks(&lab) {
        let brick = lab.shape().primary.iter().find(|brick| brick.node == node);
        let dir = brick.expect("the node's brick").dir;
        lab.run_on(node, &["setfattr", "-x", &name, dir]);
    }
    empty_secondary(&lab);
    session::start(&lab);
    session::live(&lab);
    let missing = listing::differences(&lab).expect("both sides");
    assert!(!missing.is_empty(), "the published procedure works here; then so be it");

    let before = settings(&lab);
    code(&reset(&lab, &["resync", "--no-audit", "--yes"]), 0);
    listing::wait_equal(&lab);
    assert_eq!(settings(&lab), before);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
}

#[test]
fn retry_starts_what_stands_and_proves_it() {
    let Some(lab) = Lab::shared() else { return };
    session::stop(&lab);
    code(&reset(&lab, &["retry", "--yes"]), 0);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
    listing::wait_equal(&lab);
}

#[test]
fn rewind_sends_again_what_was_lost_since() {
    let Some(lab) = Lab::shared() else { return };
    let before = lab.run_on("m1", &["date", "+%s"]);
    write_tree(&lab, "rewind");
    listing::wait_equal(&lab);
    // The stime is behind the last changelog: another one has to come before it covers the tree.
    session::live(&lab);
    std::fs::remove_dir_all(lab.on_secondary("rewind")).expect("removing it on the secondary");

    let then = marks(&lab);
    let refused = reset(&lab, &["rewind", "--yes", "--to", "2020-01-01T00:00:00Z"]);
    code(&refused, 3);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not covered by changelogs"));
    assert!(marks(&lab).iter().all(|(name, now)| then.get(name).is_none_or(|was| now >= was)));

    code(&reset(&lab, &["rewind", "--yes", "--to", before.trim()]), 0);
    listing::wait_equal(&lab);
}

/// Where georepair tells m1 what it is about.
const LOG: &str = "/tmp/reset.log";

/// Runs georepair on m1 and does something as soon as a step begins that is `wanted`. Answers with
/// that step, nothing where it ended before, and with how it ended.
fn at_step(
    lab: &Lab,
    words: &str,
    wanted: impl Fn(u32) -> bool,
    act: impl FnOnce(),
) -> (Option<u32>, Option<i32>) {
    let log = lab.primary().path(LOG);
    std::fs::write(&log, "").expect("an empty log");
    let line = format!("exec georepair {words} --yes 2>>{LOG}");
    std::thread::scope(|scope| {
        let run = scope.spawn(|| lab.primary().try_for(PATIENCE, &["bash", "-c", &line]));
        let begun = loop {
            let told = std::fs::read_to_string(&log).unwrap_or_default();
            let begun = told.lines().filter_map(|line| {
                line.strip_prefix("step ")?.split(' ').next()?.parse::<u32>().ok()
            });
            let begun = begun.filter(|step| wanted(*step)).last();
            if begun.is_some() || run.is_finished() {
                break begun;
            }
            // Short enough to meet a step before the next one begins.
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        if begun.is_some() {
            act();
        }
        (begun, run.join().expect("the run is waited for").status.code())
    })
}

/// Runs georepair on m1 and kills it as soon as it begins a step, or one that follows at once.
#[track_caller]
fn kill_at(lab: &Lab, step: u32, words: &str) {
    let kill = || lab.primary().signal("KILL", &lab.primary().processes(&["georepair", words]));
    let (begun, ended) = at_step(lab, words, |begun| begun >= step, kill);
    let said = std::fs::read_to_string(lab.primary().path(LOG)).unwrap_or_default();
    assert!(begun.is_some() && ended != Some(0), "step {step} of {words}: {ended:?}\n{said}");
}

/// The number of the step of a reset that says this.
#[track_caller]
fn step_of(lab: &Lab, words: &[&str], says: &str) -> u32 {
    let plan = reset(lab, &[words, &["--dry-run"]].concat());
    code(&plan, 1);
    let shown = String::from_utf8_lossy(&plan.stdout).into_owned();
    let step = shown.lines().find(|line| line.contains(says)).expect("a step that says so");
    step.split_whitespace().find_map(|word| word.parse().ok()).expect("its number")
}

/// The run that did not come to its end.
fn unfinished(lab: &Lab) -> String {
    let runs = lab.georepair("m1", &["runs", "list"]);
    let runs = String::from_utf8_lossy(&runs.stdout).into_owned();
    let run = runs.lines().find(|line| line.contains("unfinished")).expect("an unfinished run");
    run.split_whitespace().next().expect("its name").to_owned()
}

#[test]
fn killed_midway_it_goes_on_or_is_taken_back() {
    let Some(lab) = Lab::shared() else { return };
    // The tool's own look writes nothing: from a standing session every mark stays as it is.
    session::stop(&lab);
    let before = marks(&lab);
    let resync = "reset gv0 s1::gv0dr --level resync";
    kill_at(&lab, 6, resync);
    assert_ne!(marks(&lab), before, "step 4 was done");
    code(&georepair(&lab, &["runs", "undo", &unfinished(&lab), "--yes"]), 0);
    assert_eq!(marks(&lab), before);

    kill_at(&lab, 1, resync);
    for step in [2, 3, 4, 5, 6, 7, 8, 9] {
        kill_at(&lab, step, "runs resume");
    }
    code(&georepair(&lab, &["runs", "resume", "--yes"]), 0);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
    listing::wait_equal(&lab);
}

#[test]
fn one_node_that_cannot_be_asked_stops_everything() {
    let Some(lab) = Lab::shared() else { return };
    let monitors = || ["m1", "m2"].map(|it| lab.node(it).processes(&["gsyncd.py", "--monitor"]));
    session::wait_up(&lab);
    let running = monitors();
    assert!(running.iter().all(|of_node| !of_node.is_empty()), "{running:?}");
    let sshd = lab.node("m2").processes(&["sshd"]);
    lab.node("m2").signal("KILL", &sshd);
    let refused = reset(&lab, &["resync", "--yes", "--override", "nodes"]);
    lab.node("m2").start_sshd();
    code(&refused, 3);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("refused, nothing was changed: nodes"), "{said}");
    assert_eq!(monitors(), running, "the session was not even stopped");
    let runs = lab.georepair("m1", &["runs", "list", "--format", "json"]);
    assert!(!String::from_utf8_lossy(&runs.stdout).contains("unfinished"));
}

/// Xattrs by their names.
type Xattrs = BTreeMap<String, Vec<u8>>;

/// Everything that a reset could change of the primary's bricks: marks aside, the xattrs of every
/// entry; and the entries of the volume as clients see them.
fn primary(lab: &Lab) -> (Vec<Xattrs>, listing::Listing) {
    let roots = lab.shape().primary.iter().map(|brick| lab.node(brick.node).path(brick.dir));
    let entries = roots.flat_map(|root| {
        let walk = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
        walk.filter_entry(|it| it.file_name() != ".glusterfs")
    });
    let xattrs = entries.map(|entry| xattrs(entry.expect("an entry of the brick").path()));
    (xattrs.collect(), listing::list(&lab.on_primary("")).expect("the primary"))
}

/// What of an entry's xattrs stays as it is while nobody changes the entry.
fn xattrs(path: &Path) -> Xattrs {
    let names = xattr::list(path).expect("the entry's xattrs");
    let kept = names.filter_map(|name| {
        let name = name.to_string_lossy().into_owned();
        let value = xattr::get(path, &name).expect("an xattr")?;
        // Canaries come and go in the root, and its times tell so.
        let moving = ["stime", "xtime", "mdata"].iter().any(|it| name.ends_with(it));
        (!moving && !name.contains("afr.")).then_some((name, value))
    });
    kept.collect()
}

/// The changelogs of all bricks that were rolled over, with what they hold.
fn changelogs(lab: &Lab) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = lab
        .shape()
        .primary
        .iter()
        .map(|brick| lab.node(brick.node).path(brick.dir).join(".glusterfs/changelogs"));
    let files = folders.flat_map(walkdir::WalkDir::new).flatten();
    let done = files.filter(|it| it.file_name().to_string_lossy().starts_with("CHANGELOG."));
    done.map(|it| (it.path().to_owned(), std::fs::read(it.path()).expect("a changelog"))).collect()
}

/// The quarantine on the secondary, taken away to where the other side has no like of it.
fn quarantine(lab: &Lab) -> PathBuf {
    let entries = std::fs::read_dir(lab.on_secondary("")).expect("the secondary").flatten();
    let mut found = entries.filter(|it| it.file_name().to_string_lossy().contains("quarantine"));
    found.next().expect("a quarantine").path()
}

/// What the session's file sets, in any order: the CLI writes them in the order they are given.
fn set(settings: &str) -> BTreeSet<&str> {
    settings.lines().filter(|line| line.contains(" = ") && !line.contains("stime")).collect()
}

#[test]
fn full_mends_a_history_that_is_gone_and_keeps_the_settings() {
    let Some(lab) = Lab::shared() else { return };
    write_tree(&lab, "full");
    for (key, value) in
        [("sync-jobs", "5"), ("rsync-options", " --bwlimit=90000"), ("checkpoint", "now")]
    {
        session::georep(&lab, &["config", key, value]);
    }
    let broken = crate::breakage::changelogs::changelogs_deleted(&lab);
    let (before, was) = (settings(&lab), primary(&lab));

    // Taken back before the point of no return, from the last step ahead of it.
    let full = "reset gv0 s1::gv0dr --level full";
    let step = step_of(&lab, &["full"], "empty s1::gv0dr");
    let told = marks(&lab);
    kill_at(&lab, step - 1, full);
    assert_ne!(settings(&lab), before);
    code(&georepair(&lab, &["runs", "undo", &unfinished(&lab), "--yes"]), 0);
    assert_eq!(set(&settings(&lab)), set(&before));
    assert_eq!(marks(&lab), told);

    kill_at(&lab, 1, full);
    for step in 2..=step {
        kill_at(&lab, step, "runs resume");
    }
    code(&georepair(&lab, &["runs", "resume", "--yes"]), 0);
    assert_eq!(set(&settings(&lab)), set(&before));
    assert_eq!(primary(&lab), was);
    assert!(quarantine(&lab).join("full/a/x/two words").exists());
    std::fs::remove_dir_all(quarantine(&lab)).expect("removing the quarantine");
    listing::wait_equal(&lab);
    session::wait_status(&lab, "as it should be", |rows| session::all_well(&lab, rows));
    for key in ["!sync-jobs", "!rsync-options", "!checkpoint"] {
        session::georep(&lab, &["config", key]);
    }
    drop(broken);
}

#[test]
fn resync_onto_an_emptied_secondary_leaves_no_difference() {
    let Some(lab) = Lab::shared() else { return };
    write_tree(&lab, "clean");
    listing::wait_equal(&lab);
    session::stop(&lab);
    // What a crawl cannot see: a delete, and damage of equal size.
    std::fs::remove_file(lab.on_primary("clean/a/x/one")).expect("a delete");
    std::fs::write(lab.on_secondary("only-here"), "kept").expect("an entry of its own");
    // Another session's mark stays as it is.
    let mark = marks(&lab).into_keys().find(|(_, name)| is_stime(name));
    let (_, own) = mark.expect("the session's mark");
    let prefix = own.rsplitn(3, '.').last().expect("its first half");
    let other = format!("{prefix}.99999999-9999-4999-8999-999999999999.stime");
    for brick in lab.shape().primary {
        let set = ["setfattr", "-n", &other, "-v", "0x6b0107b100000000", brick.dir];
        lab.run_on(brick.node, &set);
    }
    let done = reset(&lab, &["resync", "--clean-secondary", "--yes"]);
    let listed = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(matches!(done.status.code(), Some(0 | 1)) && listed.contains("compared"), "{listed}");
    for brick in lab.shape().primary {
        let value = marks(&lab).get(&(brick.node, other.clone())).cloned();
        assert_eq!(value.as_deref(), Some(b"\x6b\x01\x07\xb1\0\0\0\0".as_slice()));
        lab.run_on(brick.node, &["setfattr", "-x", &other, brick.dir]);
    }
    assert_eq!(std::fs::read(quarantine(&lab).join("only-here")).expect("its copy"), b"kept");
    assert!(quarantine(&lab).join("clean/a/x/one").exists());
    for lost in ["only-on-primary", "content-differs", "size-differs", "gfid-differs"] {
        assert!(!listed.contains(lost), "{listed}");
    }
    std::fs::remove_dir_all(quarantine(&lab)).expect("removing the quarantine");
    listing::wait_equal(&lab);
}

#[test]
fn history_makes_the_index_anew_and_loses_no_delete() {
    let Some(lab) = Lab::shared() else { return };
    write_tree(&lab, "history");
    listing::wait_equal(&lab);
    let broken = crate::breakage::changelogs::htime_damaged(&lab);
    std::fs::remove_file(lab.on_primary("history/a/x/one")).expect("a delete");
    let before = settings(&lab);
    code(&reset(&lab, &["history", "--yes"]), 0);
    listing::wait_equal(&lab);
    assert_eq!(settings(&lab), before);
    for brick in lab.shape().primary {
        let root = lab.node(brick.node).path(brick.dir);
        let htime = std::fs::read_dir(root.join(".glusterfs/changelogs/htime")).expect("htime");
        let names: Vec<_> = htime.flatten().map(|entry| entry.file_name()).collect();
        assert!(names.len() == 1 && !names[0].to_string_lossy().contains("bak"), "{names:?}");
        let audit = lab.georepair(brick.node, &["audit", "brick", brick.dir]);
        let said = String::from_utf8_lossy(&audit.stdout).into_owned();
        assert!(!said.contains("htime-litter") && !said.contains("htime-gap"), "{said}");
    }
    drop(broken);
}

/// Runs the script of a node; `done` names the steps of the others.
fn run_script(lab: &Lab, node: &str, done: &str) -> Output {
    let line = format!("DONE='{done}' bash /tmp/scripts/{node}.sh </dev/null");
    lab.node(node).try_for(PATIENCE, &["bash", "-c", &line])
}

#[test]
fn scripts_do_what_the_plan_says_where_there_is_no_ssh() {
    let Some(lab) = Lab::shared() else { return };
    write_tree(&lab, "script");
    listing::wait_equal(&lab);
    code(&reset(&lab, &["resync", "--script", "/tmp/scripts"]), 0);
    let text =
        std::fs::read(lab.node("m1").path("/tmp/scripts/m2.sh")).expect("the other's script");
    std::fs::create_dir_all(lab.node("m2").path("/tmp/scripts")).expect("a folder on m2");
    std::fs::write(lab.node("m2").path("/tmp/scripts/m2.sh"), text).expect("its script");
    for node in ["m1", "m2"] {
        lab.run_on(node, &["bash", "-n", &format!("/tmp/scripts/{node}.sh")]);
    }
    std::fs::remove_dir_all(lab.on_secondary("script")).expect("a loss on the secondary");
    code(&run_script(&lab, "m1", ""), 3);
    code(&run_script(&lab, "m2", "2"), 3);
    code(&run_script(&lab, "m1", "3"), 3);
    code(&run_script(&lab, "m2", "2 5"), 0);
    let zero = |mark: &Vec<u8>| mark.iter().all(|byte| *byte == 0);
    assert!(marks(&lab).values().all(zero), "{:?}", marks(&lab));
    code(&run_script(&lab, "m1", "3 7"), 0);
    listing::wait_equal(&lab);
}

#[test]
fn another_session_is_named_before_it_loses_its_history() {
    let Some(lab) = Lab::shared() else { return };
    let find = lab.node("m2").path("/var/lib/glusterd/glusterfind/nightly/gv0");
    std::fs::create_dir_all(&find).expect("a glusterfind session");
    let refused = reset(&lab, &["full", "--yes"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    code(&refused, 3);
    assert!(said.contains("nightly") && said.contains("--override glusterfind"), "{said}");
    code(&reset(&lab, &["full", "--dry-run", "--override", "glusterfind"]), 1);
    code(&reset(&lab, &["resync", "--dry-run"]), 1);
    std::fs::remove_dir_all(lab.node("m2").path("/var/lib/glusterd/glusterfind")).expect("its end");
}
