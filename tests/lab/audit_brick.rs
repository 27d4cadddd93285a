//! `audit brick` and `audit ready` on real bricks: sound ones are silent, damage is found.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::lab::Lab;
use crate::shape::REPLICATED;
use crate::{load, requirements, session, wait};

/// What an audit answered: its exit code and its document.
fn read(output: &std::process::Output) -> (i32, Value) {
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("it ended by itself"), document)
}

fn codes(document: &Value) -> Vec<&str> {
    let list = document.get("findings").or_else(|| document.get("needs"));
    let list = list.and_then(Value::as_array).expect("a list");
    list.iter().filter_map(|it| it.get("code").and_then(Value::as_str)).collect()
}

fn audit(brick: &Path) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_georepair"));
    command.args(["--quiet", "--format", "json", "audit", "brick", "--offline"]).arg(brick);
    read(&command.output().expect("georepair runs"))
}

/// Nothing is found on these bricks, and all of them could be seen.
pub(crate) fn sound(bricks: &[PathBuf]) {
    for brick in bricks {
        let (code, document) = audit(brick);
        assert_eq!((code, codes(&document)), (0, vec![]), "{}: {document:#}", brick.display());
    }
}

/// Damages a real brick of a stopped volume in several ways; each is exactly its finding.
pub(crate) fn damaged(brick: &Path) {
    let expect = |codes_wanted: &[&str]| {
        let (code, document) = audit(brick);
        assert_eq!((code, codes(&document)), (1, codes_wanted.to_vec()), "{document:#}");
    };
    let gfid = xattr::get(brick.join("Banana/30"), "trusted.gfid").expect("readable");
    let gfid = georepair::domain::Gfid::from_bytes(gfid.expect("one").try_into().expect("16"));
    let handle = brick.join(gfid.handle());
    fs::remove_file(&handle).expect("a handle to lose");
    expect(&["handle-missing"]);
    fs::hard_link(brick.join("Banana/30"), &handle).expect("its handle again");
    fs::rename(brick.join("Banana/31"), brick.join("moved")).expect("moved behind the back");
    expect(&["gfid2path-stale"]);
    fs::rename(brick.join("moved"), brick.join("Banana/31")).expect("moved back");
    fs::write(brick.join("Banana/by hand"), "").expect("written behind the back");
    expect(&["gfid-xattr-missing"]);
    fs::remove_file(brick.join("Banana/by hand")).expect("as before");
    fs::rename(brick.join("a:b"), brick.join("a-b")).expect("a directory moved");
    expect(&["handle-wrong"]);
    fs::rename(brick.join("a-b"), brick.join("a:b")).expect("moved back");
    sound(&[brick.to_owned()]);
}

/// A running session under load: what comes and goes is no finding, nor is anything else.
#[test]
fn a_session_under_load_is_sound() {
    let Some(lab) = Lab::shared() else { return };
    let top = lab.on_primary("audit-brick");
    fs::create_dir_all(&top).expect("a directory");
    let looks = || {
        for node in ["m1", "m2", "m1", "m2", "m1"] {
            let arguments = ["--quiet", "--format", "json", "audit", "brick", "/srv/bricks/gv0"];
            let (code, document) = read(&lab.georepair(node, &arguments));
            assert_eq!((code, codes(&document)), (0, vec![]), "{document:#}");
            let notes = document.get("notes").expect("notes").to_string();
            assert!(!notes.contains("options"), "glusterd was asked: {notes}");
        }
    };
    load::meanwhile(|round| churn(&top, round), looks);
    sound(&[lab.secondary().path("/srv/bricks/gv0dr")]);
    fs::remove_dir_all(&top).expect("tidied");
}

/// Creates, links, renames and removes through the mount. What is removed was never renamed: gsyncd
/// leaves such a directory on the secondary (`README.md`, lesson 14).
fn churn(top: &Path, round: u32) {
    let (dir, moved) = (top.join(format!("dir-{round}")), top.join(format!("moved-{round}")));
    fs::create_dir(&dir).expect("a directory");
    fs::write(dir.join("file"), "data").expect("a file");
    fs::hard_link(dir.join("file"), dir.join("link")).expect("a link");
    fs::rename(dir.join("file"), dir.join("renamed")).expect("a rename");
    if round.is_multiple_of(2) {
        fs::remove_dir_all(&dir).expect("removed");
    } else {
        fs::rename(&dir, &moved).expect("a moved directory");
    }
}

fn ready(lab: &Lab) -> (i32, Value) {
    let arguments = ["--quiet", "--format", "json", "audit", "ready", "gv0", session::URL];
    read(&lab.georepair("m1", &arguments))
}

#[test]
fn readiness_is_known_before_a_session_exists() {
    if !requirements::met() {
        return;
    }
    let lab = Lab::up_without_session(REPLICATED);
    let expect = |what: &str, wanted: &[&str]| {
        let (code, document) = ready(&lab);
        let wanted_code = i32::from(!wanted.is_empty());
        assert_eq!(
            (code, codes(&document)),
            (wanted_code, wanted.to_vec()),
            "{what}: {document:#}"
        );
    };
    expect("a good pair of volumes", &[]);
    lab.primary().gluster(&["system::", "execute", "gsec_create"]);
    expect("with the session's key", &[]);
    let key = "/var/lib/glusterd/geo-replication/secret.pem.pub";
    let public = fs::read_to_string(lab.primary().path(key)).expect("the public key");
    let authorized = lab.secondary().path("/root/.ssh/authorized_keys");
    let before = fs::read_to_string(&authorized).expect("root's keys");
    let bare = public.split_once("\" ").map_or(public.as_str(), |(_, key)| key);
    fs::write(&authorized, format!("{before}\n{bare}\n")).expect("a key");
    expect("a key without its forced command", &["ssh-key-no-forced-command"]);
    fs::write(&authorized, &before).expect("as before");

    lab.primary().gluster(&["volume", "set", "gv0", "changelog.encoding", "binary"]);
    expect("binary changelogs", &["option-unfit"]);
    lab.primary().gluster(&["volume", "reset", "gv0", "changelog.encoding"]);
    fs::write(lab.on_secondary("already there"), "").expect("a file");
    expect("a secondary that is not empty", &["secondary-not-empty"]);
    fs::remove_file(lab.on_secondary("already there")).expect("removed");
    rsync_says_3_5(&lab);
    expect("rsync 3.5.0 on a primary", &["rsync-incompatible"]);
    fs::remove_file(lab.primary().path("/usr/local/bin/rsync")).expect("as before");
    lab.secondary().gluster(&["volume", "stop", "gv0dr", "force"]);
    expect("a stopped secondary", &["secondary-unreachable-volume"]);
    lab.secondary().gluster(&["volume", "start", "gv0dr"]);
    lab.primary().run_on(&["fallocate", "-l", "280M", "/mnt/gv0/large"]);
    expect("more data than fits", &["secondary-too-small"]);
    lab.primary().run_on(&["rm", "/mnt/gv0/large"]);
    each_restart_counts_too_many(&lab);
}

/// A brick of 10.3 that was restarted counts more changelogs than its index holds.
fn each_restart_counts_too_many(lab: &Lab) {
    let node = lab.primary();
    node.gluster(&["volume", "set", "gv0", "changelog.rollover-time", "1"]);
    node.gluster(&["volume", "set", "gv0", "changelog.changelog", "on"]);
    let brick = node.path("/srv/bricks/gv0");
    wait::happens("some rollovers", || {
        fs::write(lab.on_primary("roll"), "over").expect("a file");
        let (_, document) = audit(&brick);
        assert_eq!(codes(&document), Vec::<&str>::new(), "{document:#}");
        let index = fs::read_dir(brick.join(".glusterfs/changelogs/htime")).expect("an index");
        index.flatten().any(|entry| entry.metadata().is_ok_and(|about| about.len() > 800))
    });
    node.gluster(&["volume", "stop", "gv0", "force"]);
    node.gluster(&["volume", "start", "gv0"]);
    wait::happens("the count is found wrong", || {
        codes(&audit(&brick).1).contains(&"htime-count-wrong")
    });
}

fn rsync_says_3_5(lab: &Lab) {
    let stub = lab.primary().path("/usr/local/bin/rsync");
    fs::write(&stub, "#!/bin/sh\necho 'rsync  version 3.5.0  protocol version 32'\n")
        .expect("a stub");
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).expect("executable");
}
