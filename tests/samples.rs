//! The sample logs: each diagnosis is in a snapshot, and every code of logs has a sample.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

mod support;

use georepair::domain::{Code, Family};
use serde_json::Value;
use support::georepair;

/// A code about a worker that no log shows by itself.
const NOT_IN_LOGS: &[&str] = &["worker-stalled"];

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs");
    let mut samples: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.sort();
    samples
}

/// The diagnosis of a sample; `None` if the breakage leaves no log at all.
fn diagnose(folder: &Path) -> Option<Value> {
    let out = georepair(["diagnose", "--format", "json"]).arg(folder).output().unwrap();
    if out.status.code() == Some(5) {
        assert!(String::from_utf8_lossy(&out.stderr).contains("no log files below"));
        return None;
    }
    Some(serde_json::from_slice(&out.stdout).unwrap())
}

/// Verdict, workers and findings of a sample, one per line, without what differs between captures.
fn story(diagnosis: &Value) -> String {
    let mut out = format!("{}\n", diagnosis["verdict"].as_str().unwrap());
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    for worker in diagnosis["workers"].as_array().unwrap() {
        let (node, brick) = (word(&worker["node"]), word(&worker["brick"]));
        let (state, crawl) = (word(&worker["state"]), word(&worker["crawl"]));
        out +=
            &format!("  worker {node}:{brick} {state}, {crawl}, {} restarts\n", worker["restarts"]);
    }
    for (index, finding) in diagnosis["findings"].as_array().unwrap().iter().enumerate() {
        let number =
            |key: &str| finding[key].as_i64().map(|n| format!(" {key} {n}")).unwrap_or_default();
        let list = |key: &str| match finding[key].as_array().unwrap().len() {
            0 => String::new(),
            count => format!(" {key} {count}"),
        };
        let healed = if finding["healed"] == true { " healed" } else { "" };
        out += &format!(
            "  {index} {} {} {}{healed} ×{}{}{}{}{}{}{}\n",
            word(&finding["severity"]),
            word(&finding["code"]),
            word(&finding["side"]),
            finding["count"],
            number("errno"),
            number("exit_code"),
            list("gfids"),
            list("entries"),
            list("changelogs"),
            number("caused_by"),
        );
    }
    out
}

#[test]
fn each_sample_tells_its_story() {
    let mut stories = String::new();
    for folder in samples() {
        assert!(folder.join("README.md").is_file(), "{}: README.md is missing", folder.display());
        let name = folder.file_name().unwrap().display().to_string();
        let story = diagnose(&folder).map_or("nothing is logged\n".to_owned(), |d| story(&d));
        stories += &format!("## {name}\n{story}\n");
    }
    insta::assert_snapshot!(stories);
}

#[test]
fn every_code_of_logs_is_shown_by_a_sample() {
    let mut shown: BTreeSet<String> = NOT_IN_LOGS.iter().map(|code| (*code).to_owned()).collect();
    for folder in samples() {
        let Some(diagnosis) = diagnose(&folder) else { continue };
        let findings = diagnosis["findings"].as_array().unwrap();
        shown.extend(findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()));
    }
    let of_logs = Code::ALL.iter().filter(|code| code.family() == Family::Logs);
    let missing: Vec<_> = of_logs.filter(|code| !shown.contains(code.slug())).collect();
    assert!(missing.is_empty(), "no sample shows {missing:?}");
}
