//! `diagnose --brick`: what a log blames is looked up on a brick.

#![expect(clippy::disallowed_methods, reason = "a test writes the changelog it reads")]

use assert_cmd::Command;
use georepair::domain::Gfid;
use serde_json::Value;

use crate::bricks::{FakeBrick, new_gfid};
use crate::support::georepair;

/// One failed `CREATE` a line, as 10.3 logs it.
fn failures(entries: &[(String, String, &str)]) -> String {
    let line = |(gfid, parent, name): &(String, String, &str)| {
        format!(
            "[2026-11-21 03:35:51.81961] E [primary(worker /b):788:log_failures] _GPrimary: ENTRY FAILED \
             [{{data=({{'op': 'CREATE', 'gfid': '{gfid}', 'entry': '.gfid/{parent}/{name}'}}, 17, \
             {{'secondary_gfid': 'd07c1219-28ef-4c98-a63f-09dcd1c3ba5a'}})}}]\n"
        )
    };
    entries.iter().map(line).collect()
}

/// Diagnoses a log and looks its gfids up on the brick.
fn diagnose(brick: &FakeBrick, log: impl Into<Vec<u8>>) -> Value {
    let mut command = georepair(["diagnose", "-", "--format", "json", "--brick"]);
    command.arg(brick.path());
    let output = Command::from_std(command).write_stdin(log).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn each_suspect_is_present_renamed_or_gone() {
    let Some(brick) = FakeBrick::new() else { return };
    let folder = brick.dir("folder").to_string();
    let (here, moved) = (brick.file("folder/here"), brick.file("folder/new name"));
    let log = failures(&[
        (here.to_string(), folder.clone(), "here"),
        (moved.to_string(), folder.clone(), "old name"),
        (new_gfid().to_string(), folder, "gone"),
    ]);
    let diagnosis = diagnose(&brick, log);
    let entries = diagnosis["findings"][0]["entries"].as_array().unwrap();
    let told: Vec<_> = entries.iter().map(|e| (e["now"].as_str(), e["path"].as_str())).collect();
    let want = [
        (Some("present"), Some("folder/here")),
        (Some("renamed"), Some("folder/new name")),
        (Some("gone"), None),
    ];
    assert_eq!(told, want);
    assert!(diagnosis["findings"][0]["says"].as_str().unwrap().contains("1 gone, 1 present"));
}

#[test]
fn what_a_given_up_changelog_dropped_is_listed_with_its_path() {
    let Some(brick) = FakeBrick::new() else { return };
    let (sent, lost) = (brick.file("sent"), brick.file("lost"));
    let changelogs = brick.path().join(".glusterfs/changelogs/2026/11/21");
    std::fs::create_dir_all(&changelogs).unwrap();
    let header = "GlusterFS Changelog | version: v1.2 | encoding : 2\n";
    let made = format!("E{sent}\0{}\033188\00\00\0{}/sent\0", 23, Gfid::ROOT);
    std::fs::write(changelogs.join("CHANGELOG.1795232542"), format!("{header}{made}D{lost}\0"))
        .unwrap();
    let log = "[2026-11-21 03:45:51.1] E [primary(worker /b):1388:process] _GPrimary: changelogs could \
               not be processed completely - moving on... [{files=['CHANGELOG.1795232542', 'CHANGELOG.7']}]\n";
    let diagnosis = diagnose(&brick, log);
    let finding = &diagnosis["findings"][0];
    assert_eq!(finding["gfids"], serde_json::json!([lost]));
    assert_eq!(finding["entries"][0]["path"], "lost");
    assert!(diagnosis["notes"][0].as_str().unwrap().contains("CHANGELOG.7 is on none"));
}
