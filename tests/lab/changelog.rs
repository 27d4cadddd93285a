//! `georepair changelog` on real bricks: what was done is told, what waits arrives, a stall is seen.

#![expect(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::breakage::workers;
use crate::lab::{Lab, Shared};
use crate::{session, wait};

/// Runs `georepair changelog … --format json` on a node; its exit code and its document.
fn changelog(lab: &Lab, node: &str, arguments: &[&str]) -> (i32, Value) {
    let out = lab.georepair(node, &[&["changelog"], arguments, &["--format", "json"]].concat());
    let document = serde_json::from_slice(&out.stdout);
    let document = document.unwrap_or_else(|error| panic!("{error}: {out:?}"));
    (out.status.code().expect("it was not killed"), document)
}

/// The same on this machine, which sees the bricks of all nodes.
fn changelog_here(arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_georepair"));
    command.arg("changelog").args(arguments).args(["--format", "json"]);
    let out = command.output().expect("the program runs");
    let document = serde_json::from_slice(&out.stdout);
    let document = document.unwrap_or_else(|error| panic!("{error}: {out:?}"));
    (out.status.code().expect("it was not killed"), document)
}

/// Every kind of change that a mount can make.
fn work(top: &Path) {
    let odd = |name: &[u8]| top.join(OsStr::from_bytes(name));
    let done = (|| -> std::io::Result<()> {
        fs::create_dir_all(top.join("d1/deep"))?;
        fs::write(top.join("d1/f"), "one")?;
        fs::hard_link(top.join("d1/f"), top.join("d1/hard"))?;
        symlink("d1/f", top.join("sym"))?;
        for name in [&b"new\nline"[..], "über".as_bytes(), b"caf\xe9", b"two words", b"100%25"] {
            fs::write(odd(name), "odd")?;
        }
        fs::set_permissions(top.join("d1/f"), fs::Permissions::from_mode(0o600))?;
        for _ in 0..2 {
            fs::write(top.join("f.part"), "part")?;
            fs::rename(top.join("f.part"), top.join("f"))?;
            fs::remove_file(top.join("f"))?;
        }
        fs::write(top.join("over"), "old")?;
        fs::write(top.join("src"), "new")?;
        fs::rename(top.join("src"), top.join("over"))?;
        fs::rename(top.join("d1"), top.join("d2"))?;
        fs::rename(odd(b"two words"), odd(b"d2/deep/moved caf\xe9"))?;
        fs::remove_file(top.join("d2/hard"))?;
        fs::remove_file(odd(b"new\nline"))?;
        fs::create_dir(top.join("gone"))?;
        fs::remove_dir(top.join("gone"))?;
        fs::remove_file(top.join("sym"))
    })();
    done.expect("the volume can be worked on");
}

/// What each path's life is, as operations on entries.
const LIVES: &[(&str, &[&str])] = &[
    ("top/d1/f", &["CREATE", "LINK", "UNLINK"]),
    ("top/sym", &["SYMLINK", "UNLINK"]),
    ("top/new\nline", &["CREATE", "UNLINK"]),
    ("top/über", &["CREATE"]),
    ("top/two words", &["CREATE", "RENAME"]),
    ("top/100%25", &["CREATE"]),
    ("top/f.part", &["CREATE", "RENAME", "UNLINK", "CREATE", "RENAME", "UNLINK"]),
    ("top/over", &["CREATE", "CREATE", "RENAME"]),
    ("top/d1", &["MKDIR", "RENAME"]),
    ("top/d2/deep", &["MKDIR"]),
    ("top/gone", &["MKDIR", "RMDIR"]),
];

/// Works on a replicated volume with these options; what its bricks tell has to be what was done.
fn done_is_told(lab: &Lab, volume: &str, encoding: &str, capture: &str) {
    let brick = format!("/srv/bricks/{volume}");
    let gluster = |arguments: &[&str]| lab.primary().gluster(&[&["volume"], arguments].concat());
    let bricks = [format!("m1:{brick}"), format!("m2:{brick}")];
    gluster(&["create", volume, "replica", "2", &bricks[0], &bricks[1], "force"]);
    for (key, value) in [
        ("changelog.encoding", encoding),
        ("changelog.capture-del-path", capture),
        ("changelog.rollover-time", "3"),
        ("changelog.changelog", "on"),
    ] {
        gluster(&["set", volume, key, value]);
    }
    gluster(&["start", volume]);
    let at = format!("/mnt/{volume}");
    crate::mount::mount(lab, "m1", volume, &at, &[]);
    work(&lab.primary().path(&at).join("top"));
    // Both bricks as one machine sees them.
    let seen: Vec<_> =
        ["m1", "m2"].iter().map(|node| lab.node(node).path(&brick).display().to_string()).collect();
    for (path, life) in LIVES {
        let asked = ["history", "--brick", &seen[0], "--brick", &seen[1], path];
        let (code, told) = changelog_here(&asked);
        let records = told["records"].as_array().expect("a list");
        let entries: Vec<_> = records
            .iter()
            .filter(|record| record["type"] == "E")
            .map(|record| record["fop"].as_str().expect("an operation"))
            .collect();
        assert_eq!((code, &entries[..]), (0, *life), "{path:?} {encoding} {capture}: {told}");
        assert!(records.iter().filter(|r| r["type"] == "E").all(|r| r["also"][0].is_string()));
    }
    let (_, told) = changelog_here(&["history", "--brick", &seen[0], "top/f"]);
    let patterns: Vec<_> =
        told["reuses"].as_array().expect("a list").iter().map(|reuse| &reuse["pattern"]).collect();
    assert_eq!(patterns, ["recreated", "staged"]);
}

#[test]
fn everything_done_on_a_mount_is_told() {
    let Some(lab) = Lab::shared() else { return };
    for (volume, encoding, capture) in [
        ("ascii-off", "ascii", "off"),
        ("ascii-on", "ascii", "on"),
        ("binary-off", "binary", "off"),
        ("binary-on", "binary", "on"),
    ] {
        done_is_told(&lab, volume, encoding, capture);
        let top = lab.primary().path(format!("/mnt/{volume}"));
        fs::remove_dir_all(top.join("top")).expect("cleaned up");
        lab.run_on("m1", &["umount", &format!("/mnt/{volume}")]);
        lab.primary().gluster(&["volume", "stop", volume]);
        lab.primary().gluster(&["volume", "delete", volume]);
    }
}

/// The backlog of the Active worker's brick.
fn backlog(lab: &Shared) -> (i32, Value) {
    let active = crate::wait::until("a worker is Active", || {
        session::status(lab).into_iter().find(|row| row.status == "Active")
    });
    let (code, found) = changelog(lab, &active.node, &["pending", "--brick", &active.brick]);
    (code, found["bricks"][0].clone())
}

#[test]
fn pending_agrees_with_what_arrives_and_finds_the_stall() {
    let Some(lab) = Lab::shared() else { return };
    session::live(&lab);
    wait::happens("everything is replicated", || backlog(&lab).1["changelogs"] == 0);
    let idle = backlog(&lab);
    assert_eq!((idle.0, &idle.1["stalled"]), (0, &Value::Bool(false)), "{}", idle.1);
    let broken = workers::worker_stalled(&lab);
    wait::happens("the stall is found", || backlog(&lab).0 == 1);
    let (_, row) = backlog(&lab);
    assert_eq!((&row["stalled"], &row["worker"]), (&true.into(), &"Active".into()), "{row}");
    assert!(row["entries"].as_u64() >= Some(4), "the canaries wait: {row}");
    broken.mend();
    wait::happens("what waited has arrived", || {
        let (code, row) = backlog(&lab);
        code == 0 && row["changelogs"] == 0
    });
}
