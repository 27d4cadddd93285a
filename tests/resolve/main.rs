//! `resolve-gfid` on bricks built by hand: every status, and every defect of earlier resolvers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at surprises")]

mod asking;
#[path = "../bricks/mod.rs"]
mod bricks;
mod directories;
mod files;
mod findings;
mod model;
mod names;
mod refusals;
mod several;
#[path = "../support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::path::Path;

use assert_cmd::Command;
use bricks::FakeBrick;
use serde_json::Value;
use support::georepair;

/// What a run gave.
struct Ran {
    code: i32,
    out: Vec<u8>,
    err: String,
}

/// Runs `georepair resolve-gfid` with a minute's patience.
fn run(brick: &Path, args: &[impl AsRef<OsStr>], stdin: &[u8]) -> Ran {
    let mut command = georepair(["resolve-gfid", "--brick"]);
    command.arg(brick).args(args);
    let mut command = Command::from_std(command);
    let output =
        command.write_stdin(stdin).timeout(std::time::Duration::from_mins(1)).output().unwrap();
    Ran {
        code: output.status.code().expect("it ended by itself"),
        out: output.stdout,
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Asks for JSON and answers with the exit code and the list of gfids.
fn ask(brick: &FakeBrick, args: &[impl AsRef<OsStr>]) -> (i32, Vec<Value>) {
    let mut all: Vec<&OsStr> = vec![OsStr::new("--format"), OsStr::new("json")];
    all.extend(args.iter().map(AsRef::as_ref));
    let ran = run(brick.path(), &all, b"");
    assert!(!ran.err.contains("error"), "{}", ran.err);
    let document: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!(document["schema"], "georepair/gfids/1");
    (ran.code, document["gfids"].as_array().unwrap().clone())
}

/// Asks for one gfid.
fn ask_one(brick: &FakeBrick, gfid: impl std::fmt::Display) -> (i32, Value) {
    let (code, mut gfids) = ask(brick, &[gfid.to_string()]);
    assert_eq!(gfids.len(), 1);
    (code, gfids.remove(0))
}

/// The gfids of an answer's ancestors, nearest first.
fn ancestors(answer: &Value) -> Vec<(&str, &str)> {
    let list = answer["ancestors"].as_array().unwrap();
    list.iter().map(|a| (a["gfid"].as_str().unwrap(), a["name"].as_str().unwrap())).collect()
}
