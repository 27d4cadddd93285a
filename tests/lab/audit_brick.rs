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

/// When the first changes were recorded that the index of a primary's brick does not name, if any.
pub(crate) fn untold_since(lab: &Lab) -> Option<String> {
    let text = |it: &Value, at: &str| it.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let of_brick = |brick: &crate::shape::Brick| {
        let arguments = ["--quiet", "--format", "json", "audit", "brick", brick.dir];
        let (_, document) = read(&lab.georepair(brick.node, &arguments));
        let found = document.get("findings").and_then(Value::as_array).expect("a list").clone();
        let is = |it: &Value, at: &str, what: &str| text(it, at).as_deref() == Some(what);
        let untold = |it: &Value| is(it, "/code", "htime-gap") && is(it, "/severity", "loss");
        found.iter().filter(|it| untold(it)).find_map(|it| text(it, "/primary/first"))
    };
    lab.shape().primary.iter().filter_map(of_brick).min()
}

/// Damages a real brick of a stopped volume in every way that handles can be; each is exactly its
/// finding, and the brick is sound again afterwards.
pub(crate) fn damaged(brick: &Path) {
    let is = |codes_wanted: &[&str]| {
        let (code, document) = audit(brick);
        let mut found = codes(&document);
        found.sort_unstable();
        assert_eq!((code, found), (1, codes_wanted.to_vec()), "{document:#}");
    };
    let at = |path: &str| brick.join(path);
    let gfid = |path: &str| {
        let gfid = xattr::get(at(path), "trusted.gfid").expect("readable");
        georepair::domain::Gfid::from_bytes(gfid.expect("one").try_into().expect("16"))
    };
    let handle = |path: &str| brick.join(gfid(path).handle());
    let moved = |from: &str, to: &str, wanted: &[&str]| {
        fs::rename(at(from), at(to)).expect("moved behind the back");
        is(wanted);
        fs::rename(at(to), at(from)).expect("moved back");
    };
    let (file, kept) = (handle("Banana/30"), at(".glusterfs/kept"));
    fs::rename(&file, &kept).expect("a handle to lose");
    is(&["handle-missing"]);
    fs::hard_link(at("Banana/32"), &file).expect("another file's handle in its place");
    // It has two names.
    is(&["handle-wrong", "handle-wrong"]);
    fs::rename(&kept, &file).expect("its handle again");
    moved("Banana/31", "moved", &["gfid2path-stale"]);
    moved("-rf/-rf", ".glusterfs/kept", &["handle-orphan"]);
    moved("a:b", "a-b", &["handle-wrong"]);
    moved("a:b", ".glusterfs/kept", &["handle-dangling", "handle-orphan"]);
    fs::write(at("Banana/by hand"), "").expect("written behind the back");
    is(&["gfid-xattr-missing"]);
    let value = gfid("Banana/30");
    xattr::set(at("Banana/by hand"), "trusted.gfid", value.as_bytes()).expect("a copied gfid");
    is(&["gfid-duplicate"]);
    fs::remove_file(at("Banana/by hand")).expect("as before");
    unrecorded(&at("Banana/30"), || is(&["gfid2path-missing"]));
    ring(brick, || is(&["handle-cycle", "handle-cycle"]));
    sound(&[brick.to_owned()]);
}

/// Takes the record of a file's name away for a while.
fn unrecorded(file: &Path, meanwhile: impl Fn()) {
    let mut names = xattr::list(file).expect("a list");
    let record = names.find(|name| name.to_string_lossy().starts_with("trusted.gfid2path."));
    let record = record.expect("a record of its name");
    let value = xattr::get(file, &record).expect("readable").expect("a value");
    xattr::remove(file, &record).expect("a record to lose");
    meanwhile();
    xattr::set(file, &record, &value).expect("its record again");
}

/// Lays two handles of directories that each claim to stand in the other, for a while.
fn ring(brick: &Path, meanwhile: impl Fn()) {
    let gfids = ["c4b19f1c-cc18-4727-87a4-18de8fe0089e", "d5b19f1c-cc18-4727-87a4-18de8fe0089e"];
    let handle = |gfid: &str| {
        let shard = brick.join(".glusterfs").join(&gfid[..2]).join(&gfid[2..4]);
        fs::create_dir_all(&shard).expect("a shard");
        shard.join(gfid)
    };
    for (own, other) in [(gfids[0], gfids[1]), (gfids[1], gfids[0])] {
        let target = format!("../../{}/{}/{other}/round", &other[..2], &other[2..4]);
        std::os::unix::fs::symlink(target, handle(own)).expect("a handle");
    }
    meanwhile();
    for gfid in gfids {
        fs::remove_file(handle(gfid)).expect("a handle goes");
    }
}

/// Damages the history of a real brick of a stopped volume; each is exactly its finding.
fn history_damaged(brick: &Path) {
    let is = |codes_wanted: &[&str]| {
        let (code, document) = audit(brick);
        assert_eq!((code, codes(&document)), (1, codes_wanted.to_vec()), "{document:#}");
    };
    let folder = brick.join(".glusterfs/changelogs");
    let index = fs::read_dir(folder.join("htime")).expect("an index").flatten().next();
    let index = index.expect("one file").path();
    let changelog = closed(&folder).into_iter().nth(1).expect("changelogs of some rollovers");
    // A session that is at the beginning of history still needs all of it.
    let from = index.extension().expect("a time").to_string_lossy().parse().expect("a number");
    mark(brick, &volume_of(brick), from);
    let flat = folder.join(changelog.file_name().expect("its name"));
    let moved = |from: &Path, to: &Path, wanted: &str| {
        fs::rename(from, to).expect("moved behind the back");
        is(&[wanted]);
        fs::rename(to, from).expect("moved back");
    };
    moved(&changelog, &brick.join(".glusterfs/kept"), "changelog-missing");
    moved(&changelog, &flat, "changelog-misplaced");
    moved(&folder.join("htime"), &brick.join(".glusterfs/kept"), "htime-missing");
    let before = fs::read(&changelog).expect("a changelog");
    fs::write(&changelog, [&before[..], b"\x01no record\0"].concat()).expect("spoilt");
    is(&["changelog-damaged"]);
    fs::write(&changelog, &before).expect("as before");
    let litter = folder.join("htime/HTIME.1500000000.bak");
    fs::write(&litter, "").expect("litter");
    is(&["htime-litter"]);
    fs::remove_file(&litter).expect("as before");
    let count = xattr::get(&index, "trusted.glusterfs.htime").expect("readable").expect("a count");
    xattr::set(&index, "trusted.glusterfs.htime", b"1795230000:999\0").expect("another count");
    is(&["htime-count-wrong"]);
    xattr::set(&index, "trusted.glusterfs.htime", &count).expect("its count again");
    marks_damaged(brick, &is);
    sound(&[brick.to_owned()]);
}

/// The changelogs that are written to no more, oldest first.
fn closed(folder: &Path) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten();
    let is_closed =
        |it: &walkdir::DirEntry| it.file_name().to_string_lossy().starts_with("CHANGELOG.");
    all.filter(is_closed).map(walkdir::DirEntry::into_path).collect()
}

/// Leaves marks that no session can have left.
fn marks_damaged(brick: &Path, is: &impl Fn(&[&str])) {
    let (own, other) = (volume_of(brick), "0ce6dea6-46f4-4dca-a0cb-72351d8b1527");
    for (primary, sec, wanted) in [
        (own.as_str(), u32::MAX - 5, "stime-in-future"),
        (&own, 1_500_000_000, "stime-outside-history"),
        (other, 0, "stime-orphan"),
    ] {
        let key = mark(brick, primary, sec);
        is(&[wanted]);
        xattr::remove(brick, key).expect("no mark");
    }
}

fn volume_of(brick: &Path) -> String {
    let id = xattr::get(brick, "trusted.glusterfs.volume-id").expect("readable").expect("an id");
    georepair::domain::Gfid::from_bytes(id.try_into().expect("16")).to_string()
}

/// Sets how far a session of this primary has come, in seconds since 1970; answers with the key.
fn mark(brick: &Path, primary: &str, sec: u32) -> String {
    let key = format!("trusted.glusterfs.{primary}.222d8df5-ced4-48a4-a782-61eb9081b218.stime");
    xattr::set(brick, &key, &(u64::from(sec) << 32).to_be_bytes()).expect("a mark");
    key
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
/// leaves such a directory on the secondary (`README.md`, lesson 17).
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

/// A brick of 10.3 that was restarted counts more changelogs than its index holds; before that, its
/// history is damaged in other ways.
fn each_restart_counts_too_many(lab: &Lab) {
    let node = lab.primary();
    node.gluster(&["volume", "set", "gv0", "changelog.rollover-time", "1"]);
    node.gluster(&["volume", "set", "gv0", "changelog.changelog", "on"]);
    let brick = node.path("/srv/bricks/gv0");
    wait::happens("some rollovers", || {
        fs::write(lab.on_primary("roll"), "over").expect("a file");
        let (_, document) = audit(&brick);
        assert_eq!(codes(&document), Vec::<&str>::new(), "{document:#}");
        closed(&brick.join(".glusterfs/changelogs")).len() > 2
    });
    node.gluster(&["volume", "stop", "gv0", "force"]);
    history_damaged(&brick);
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
