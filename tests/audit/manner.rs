//! `audit session`: what is read, in which parts, when it pauses, and that it leaves no trace.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use crate::bricks::FakeBrick;
use crate::pair::Pair;
use crate::support::georepair;
use crate::told;

/// Sides whose files differ in content, at equal sizes and times.
fn changed() -> Option<Pair> {
    let pair = Pair::filled()?;
    (0..20).for_each(|n| pair.secondary.rewrite(&format!("d/e/{n}"), "CONTENT"));
    Some(pair)
}

#[test]
fn content_is_read_where_wanted() {
    let Some(pair) = changed() else { return };
    assert_eq!(pair.audit(&[]).code, 0, "sizes and times are equal");
    let told = pair.audit(&["--content"]);
    assert_eq!((told.code, told.findings().len()), (1, 20));
    assert!(told.findings().iter().all(|(code, _)| *code == "content-differs"));
    let some = pair.audit(&["--content", "--sample", "2"]);
    assert!((1..20).contains(&some.findings().len()), "{:?}", some.findings());
    let again = pair.audit(&["--content", "--sample", "2"]);
    assert_eq!(some.findings(), again.findings(), "always the same files");
}

#[test]
fn parts_are_the_whole() {
    let Some(pair) = changed() else { return };
    let whole = pair.audit(&["--content"]);
    for parts in [
        [["--shard", "1/2"], ["--shard", "2/2"]],
        [["--range", "0000..9d2f"], ["--range", "9d30..ffff"]],
    ] {
        let told = parts.map(|part| pair.audit(&[&part[..], &["--content"]].concat()));
        let sum = |count: &dyn Fn(&crate::AuditOutput) -> u64| told.iter().map(count).sum::<u64>();
        let compared = |it: &crate::AuditOutput| it.document["compared"].as_u64().unwrap();
        assert_eq!(sum(&compared), compared(&whole));
        assert_eq!(sum(&|it| it.findings().len() as u64), 20);
        assert!(told.iter().all(|it| !it.findings().is_empty()), "each has some");
        assert!(told[0].list("scope").contains("only gfids that begin with 0000"));
    }
}

#[test]
fn nonsense_is_usage() {
    let Some(pair) = Pair::new() else { return };
    for flags in [
        &["--shard", "0/2"][..],
        &["--shard", "3/2"],
        &["--range", "ffff..0000"],
        &["--range", "0..f"],
        &["--range", "0000..7fff", "--shard", "1/2"],
        &["--sample", "3"],
    ] {
        assert_eq!(pair.run(flags).status.code(), Some(2), "{flags:?}");
    }
    pair.secondary.belong(u128::from_be_bytes([7; 16]));
    assert_eq!(pair.run(&[]).status.code(), Some(2), "both sides are one volume");
}

/// An audit that pauses at once, with its first word read.
fn paused(pair: &Pair, file: &Path) -> Child {
    let flags = ["--settle", "0", "--pause-file", file.to_str().unwrap()];
    let mut child = georepair(pair.words(&flags))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert!(said.starts_with("paused: ") && said.contains(" exists"), "{said}");
    child
}

#[test]
fn a_pause_lasts_as_long_as_its_file() {
    let Some(pair) = Pair::filled() else { return };
    let file = pair.primary.at("../pause").with_extension(std::process::id().to_string());
    fs::write(&file, "").unwrap();
    let mut child = paused(&pair, &file);
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    fs::remove_file(&file).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn when_stopped_it_says_how_to_go_on() {
    let Some(pair) = Pair::filled() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    let child = paused(&pair, file.path());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let told = told(&child.wait_with_output().unwrap());
    assert_eq!((told.code, told.findings()), (130, vec![]));
    assert!(told.list("unseen").contains("--range 0000..ffff"), "{}", told.list("unseen"));
}

/// Everything that reading could change of a brick.
fn traces(brick: &FakeBrick) -> BTreeMap<PathBuf, (u64, i64, i64, i64, i64)> {
    let walk = walkdir::WalkDir::new(brick.path()).into_iter().map(Result::unwrap);
    // No call reads a symlink without touching it.
    let kept = walk.filter(|entry| !entry.file_type().is_symlink());
    let told = kept.map(|entry| {
        let about = entry.metadata().unwrap();
        let times = (about.atime(), about.atime_nsec(), about.mtime(), about.ctime());
        (entry.path().to_owned(), (about.size(), times.0, times.1, times.2, times.3))
    });
    told.collect()
}

#[test]
fn nothing_is_touched() {
    let Some(pair) = Pair::filled() else { return };
    // As old as relatime lets no reader pass without a trace.
    let old = fs::FileTimes::new().set_accessed(UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    for brick in pair.both() {
        for entry in walkdir::WalkDir::new(brick.path()).into_iter().map(Result::unwrap) {
            if entry.file_type().is_file() || entry.file_type().is_dir() {
                fs::File::open(entry.path()).unwrap().set_times(old).unwrap();
            }
        }
    }
    let before = pair.both().map(traces_later);
    assert_eq!(pair.audit(&["--content"]).code, 0);
    assert_eq!(pair.both().map(traces), before);
    let one = &pair.primary;
    assert_eq!(crate::audit(one).findings(), []);
    assert_eq!(traces(one), before[0]);
}

/// The same, once `WalkDir` itself has left its traces.
fn traces_later(brick: &FakeBrick) -> BTreeMap<PathBuf, (u64, i64, i64, i64, i64)> {
    drop(traces(brick));
    traces(brick)
}
