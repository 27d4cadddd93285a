//! `diagnose` on logs of every release, on logs from the field, and on files that are not logs.
#![expect(clippy::disallowed_methods, reason = "tests write the logs they read")]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

mod support;

use serde_json::Value;
use support::georepair;

fn run(args: &[&str]) -> Output {
    georepair(args).output().unwrap()
}

fn logs(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(folder)
}

fn diagnose(path: &Path) -> Value {
    let out = run(&["diagnose", path.to_str().unwrap(), "--format", "json"]);
    serde_json::from_slice(&out.stdout).unwrap_or_else(|error| {
        panic!("{}: {error}: {}", path.display(), String::from_utf8_lossy(&out.stderr))
    })
}

/// Count, failing gfids, errnos and operations of a code, over all its findings.
#[derive(Default, PartialEq, Eq, Debug)]
struct Sum {
    count: u64,
    gfids: BTreeSet<String>,
    errnos: BTreeSet<String>,
    ops: BTreeSet<String>,
}

fn texts<'a>(list: &'a Value, key: &str) -> impl Iterator<Item = String> + use<'a> {
    let key = key.to_owned();
    list.as_array().into_iter().flatten().filter_map(move |item| {
        let text = if key.is_empty() { item } else { item.get(&key)? };
        text.as_str().map(str::to_owned)
    })
}

/// What was found beyond the benign, by code.
fn found(diagnosis: &Value) -> BTreeMap<String, Sum> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for finding in diagnosis["findings"].as_array().unwrap() {
        if finding["severity"] == "benign" {
            continue;
        }
        let sum = sums.entry(finding["code"].as_str().unwrap().to_owned()).or_default();
        sum.count += finding["count"].as_u64().unwrap();
        sum.gfids.extend(texts(&finding["gfids"], ""));
        sum.ops.extend(texts(&finding["entries"], "op"));
        sum.ops.extend(finding["op"].as_str().map(str::to_owned));
        sum.errnos.extend(finding["errno"].as_i64().map(|errno| errno.to_string()));
    }
    sums
}

fn expected(path: &Path) -> BTreeMap<String, Sum> {
    let set = |text: &str| {
        let items = text.split(',').filter(|item| *item != "-").map(str::to_owned);
        items.collect::<BTreeSet<_>>()
    };
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let [code, count, gfids, errnos, ops] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let sum = Sum {
            count: count.parse().unwrap(),
            gfids: set(gfids),
            errnos: set(errnos),
            ops: set(ops),
        };
        (code.to_owned(), sum)
    });
    rows.collect()
}

/// Logs printed from each release's own format strings: every code it can log, and nothing else.
#[test]
fn every_release_is_read_rightly() {
    let mut read = 0;
    for entry in fs::read_dir(logs("eras")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let diagnosis = diagnose(&path);
        let expected = expected(&path.with_extension("expect.tsv"));
        let found = found(&diagnosis);
        let name = path.display();
        let codes = |sums: &BTreeMap<String, Sum>| sums.keys().cloned().collect::<Vec<_>>();
        assert_eq!(codes(&found), codes(&expected), "{name}");
        for (code, want) in &expected {
            let got = &found[code];
            assert_eq!(got.count, want.count, "{name}: {code}");
            assert_eq!(got.gfids, want.gfids, "{name}: {code}");
            assert!(got.errnos.is_superset(&want.errnos), "{name}: {code}: {got:?}");
            assert!(got.ops.is_superset(&want.ops), "{name}: {code}: {got:?}");
        }
        assert_eq!(diagnosis["sources"][0]["unparsed"], 0, "{name}");
        assert!(diagnosis["sources"][0]["release"].is_string(), "{name}: no release");
        read += 1;
    }
    assert!(read >= 32, "only {read} logs");
}

/// Verdict, then each finding with its severity, gfids, errno and what caused it, a line each.
fn story(diagnosis: &Value) -> String {
    let mut out = format!("{}\n", diagnosis["verdict"].as_str().unwrap());
    for (index, finding) in diagnosis["findings"].as_array().unwrap().iter().enumerate() {
        let text = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
        let number = |key: &str| finding[key].as_i64().map_or("-".to_owned(), |n| n.to_string());
        out += &format!(
            "{index} {} {} {} ×{} errno {} exit {} op {} by {}\n",
            text("severity"),
            text("code"),
            text("side"),
            number("count"),
            number("errno"),
            number("exit_code"),
            text("op"),
            number("caused_by"),
        );
        for gfid in texts(&finding["gfids"], "") {
            out += &format!("    gfid {gfid}\n");
        }
        for entry in finding["entries"].as_array().unwrap() {
            let text = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
            out += &format!(
                "    entry {} in {} is {} not {} at {}\n",
                text("name"),
                text("parent"),
                text("gfid"),
                text("secondary_gfid"),
                text("path"),
            );
        }
        for changelog in texts(&finding["changelogs"], "") {
            out += &format!("    {changelog}\n");
        }
    }
    for source in diagnosis["sources"].as_array().unwrap() {
        out += &format!("release {} unparsed {}\n", source["release"], source["unparsed"]);
    }
    out
}

/// Logs that operators published, with the right diagnosis of each.
#[test]
fn logs_from_the_field_tell_their_story() {
    let mut paths: Vec<_> =
        fs::read_dir(logs("field")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let stories: Vec<_> = paths
        .iter()
        .map(|path| {
            format!("## {}\n{}", path.file_stem().unwrap().display(), story(&diagnose(path)))
        })
        .collect();
    assert!(stories.len() >= 20);
    insta::assert_snapshot!(stories.join("\n"));
}

/// An ordinary day: nothing logged while a worker starts, stops and starts again is a fault.
#[test]
fn an_ordinary_day_is_nothing_wrong() {
    let out = run(&["diagnose", logs("ordinary.log").to_str().unwrap(), "--color", "never"]);
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(text.starts_with("HEALTHY"), "{text}");
    assert_eq!(out.status.code(), Some(0));
}

/// The other side's exception of the same second explains the broken connection.
#[test]
fn the_other_sides_exception_explains_the_broken_connection() {
    let folder = tempfile::tempdir().unwrap();
    let primary = folder.path().join("primary-m1");
    let secondary = folder.path().join("secondary-s1");
    fs::create_dir_all(&primary).unwrap();
    fs::create_dir_all(&secondary).unwrap();
    let mut theirs = String::new();
    let mut ours = String::new();
    for round in 0..50 {
        let at = |second: u32| format!("2026-11-21 03:{:02}:{second:02}", round % 60);
        ours += &format!(
            "[{}.1] E [syncdutils(worker /b):325:log_raise_exception] <top>: connection to peer is broken\n\
             [{}.2] I [gsyncdstatus(monitor):247:set_worker_status] GeorepStatus: Worker Status Change [{{status=Faulty}}]\n\
             [{}.3] I [monitor(monitor):158:monitor] Monitor: starting gsyncd worker [{{brick=/b}}, {{secondary_node=s1}}]\n",
            at(10),
            at(10),
            at(20),
        );
        theirs += &format!(
            "[{}.9] E [repce(secondary m1/b):121:worker] <top>: call failed: \nTraceback (most recent call last):\n  \
             File \"/usr/libexec/glusterfs/python/syncdaemon/resource.py\", line 700, in entry_ops\n    x\n\
             OSError: [Errno 28] Kein Platz: '.gfid/9b4e2f70-d6c1-47a9-a3e8-05f1b7c2d964/big'\n",
            at(9),
        );
    }
    fs::write(primary.join("gsyncd.log"), ours).unwrap();
    fs::write(secondary.join("gsyncd.log"), theirs).unwrap();
    let diagnosis = diagnose(folder.path());
    let findings = diagnosis["findings"].as_array().unwrap();
    let codes: Vec<_> = findings
        .iter()
        .map(|f| (f["code"].as_str().unwrap(), f["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(codes, [("entry-failed", 50), ("peer-broken", 50)]);
    assert_eq!(
        (findings[0]["side"].as_str(), findings[0]["errno"].as_i64()),
        (Some("secondary"), Some(28))
    );
    assert_eq!(findings[1]["caused_by"], 0);
    assert_eq!(diagnosis["workers"][0]["restarts"], 50);
    assert_eq!(diagnosis["verdict"], "faulty");
}

/// Ten thousand children of one missing parent are one finding, caused by the parent's own failure.
#[test]
fn children_of_a_missing_parent_are_one_finding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gsyncd.log");
    let parent = "7aa0f2ad-0000-4000-8000-000000000001";
    let head = "[2026-11-21 03:35:51.81961] E [primary(worker /b):788:log_failures] _GPrimary: ENTRY FAILED";
    let mut log = format!(
        "{head} [{{data=({{'op': 'MKDIR', 'gfid': '{parent}', 'entry': '.gfid/00000000-0000-0000-0000-000000000001/d'}}, 17, {{'secondary_gfid': '55a689e3-0000-4000-8000-000000000002'}})}}]\n",
    );
    for child in 0..10_000 {
        log += &format!(
            "{head} [{{data=({{'op': 'CREATE', 'gfid': 'e42c2f3b-0000-4000-8000-{child:012x}', 'entry': '.gfid/{parent}/f{child}'}}, 2, {{}})}}]\n",
        );
    }
    let other = "7aa0f2ad-0000-4000-8000-000000000002";
    log += &format!(
        "{head} [{{data=({{'op': 'CREATE', 'gfid': 'e42c2f3b-0000-4000-9000-000000000001', 'entry': '.gfid/{other}/f'}}, 2, {{}})}}]\n",
    );
    fs::write(&path, log).unwrap();
    let diagnosis = diagnose(&path);
    let findings = diagnosis["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 3);
    assert_eq!((&findings[2]["caused_by"], &findings[2]["count"]), (&Value::Null, &Value::from(1)));
    assert_eq!(
        (findings[0]["code"].as_str(), findings[0]["errno"].as_i64()),
        (Some("entry-mkdir-failed"), Some(17))
    );
    assert_eq!(findings[0]["entries"][0]["secondary_gfid"], "55a689e3-0000-4000-8000-000000000002");
    assert_eq!(findings[1]["code"], "entry-parent-missing");
    assert_eq!(findings[1]["caused_by"], 0);
    assert_eq!(findings[1]["gfids"].as_array().unwrap().len(), 10_000);
    assert_eq!(findings[1]["count"], 10_000);
}

/// A file that is not a log gives a note with its path and an exit code of the contract, and never
/// hangs.
#[test]
fn bad_input_is_named_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let binary: Vec<u8> =
        (0..200_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let mut endless = b"[2026-11-21 03:35:51.81961] E [primary(worker /b):788:log_failures] _GPrimary: ENTRY FAILED [{data=({'op': '".to_vec();
    endless.resize(100 << 20, b'A');
    let fifo = folder.path().join("fifo.log");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .unwrap();
    for (path, note, code) in [
        (write("empty.log", b""), "the file is empty", 5),
        (write("binary.log", &binary), "no line in a known log format", 5),
        (write("cut.log.gz", &[0x1f, 0x8b, 8, 0, 0]), "cut.log.gz: ", 5),
        (write("packed.log.xz", b"\xfd7zXZ\0\0\0\0"), "xz -dc", 5),
        (fifo.to_str().unwrap().to_owned(), "not a regular file", 5),
        (folder.path().join("absent.log").to_str().unwrap().to_owned(), "cannot read", 5),
    ] {
        let out = run(&["diagnose", &path, "--format", "json"]);
        let said = String::from_utf8_lossy(&out.stdout).into_owned()
            + &String::from_utf8_lossy(&out.stderr);
        assert!(said.contains(note), "{path}: {said}");
        assert_eq!(out.status.code(), Some(code), "{path}: {said}");
    }
    let out = run(&["diagnose", &write("endless.log", &endless), "--format", "json"]);
    let diagnosis: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(diagnosis["sources"][0]["bytes"], 100 << 20);
    assert_eq!(out.status.code(), Some(1));
}

/// A log that could not be read may hold the failure: the verdict is not healthy.
#[test]
fn what_could_not_be_read_is_no_all_clear() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(logs("ordinary.log"), folder.path().join("gsyncd.log")).unwrap();
    fs::write(folder.path().join("gsyncd.log.1.gz"), [0x1f, 0x8b, 8, 0, 0]).unwrap();
    let out = run(&["diagnose", folder.path().to_str().unwrap(), "--color", "never"]);
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(text.starts_with("UNKNOWN") && text.contains("gsyncd.log.1.gz: "), "{text}");
    assert_eq!(out.status.code(), Some(5));
}

/// A file name that is python, shell or terminal control is shown, never executed.
#[test]
fn hostile_names_stay_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gsyncd.log");
    let hostile = r"\x1b]0;owned\x07 data=open('REACHED','w') # }, {error=5}] $(touch REACHED)";
    let log = format!(
        "[2026-11-21 03:35:51.81961] E [primary(worker /b):788:log_failures] _GPrimary: ENTRY FAILED [{{data=({{'op': 'CREATE', 'gfid': 'e42c2f3b-0c42-40d8-aeae-e6b8f95040db', 'entry': \".gfid/00000000-0000-0000-0000-000000000001/{hostile}\"}}, 17, {{'secondary_gfid': 'd07c1219-28ef-4c98-a63f-09dcd1c3ba5a'}})}}]\n",
    );
    fs::write(&path, log).unwrap();
    let diagnosis = diagnose(&path);
    let entry = &diagnosis["findings"][0]["entries"][0];
    let name = entry["name"].as_str().unwrap();
    assert!(name.starts_with("\u{1b}]0;owned\u{7} data=open('REACHED'"), "{name:?}");
    assert!(name.ends_with("$(touch REACHED)"), "{name:?}");
    let human = run(&["diagnose", path.to_str().unwrap(), "--color", "never", "-v"]);
    assert!(human.stdout.iter().all(|byte| *byte == b'\n' || !byte.is_ascii_control()));
    assert!(!folder.path().join("REACHED").exists() && !Path::new("REACHED").exists());
}

/// The next night reads only what is new; a night without a new line is not a fault.
#[test]
fn since_last_reads_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let (log, state) = (folder.path().join("gsyncd.log"), folder.path().join("state"));
    let line = "[2026-11-21 03:35:51.81961] E [primary(worker /b):788:log_failures] _GPrimary: META FAILED [{data=({'op': 'META', 'go': '.gfid/e42c2f3b-0c42-40d8-aeae-e6b8f95040db'}, 1, 'chmod')}]\n";
    let run = || {
        let args = [
            "diagnose",
            "--since-last",
            "--format",
            "json",
            "--state-dir",
            state.to_str().unwrap(),
            log.to_str().unwrap(),
        ];
        let out = run(&args);
        let diagnosis: Value = serde_json::from_slice(&out.stdout).unwrap();
        (diagnosis["findings"][0]["count"].as_u64(), out.status.code())
    };
    fs::write(&log, line.repeat(3)).unwrap();
    assert_eq!(run(), (Some(3), Some(1)));
    assert_eq!(run(), (None, Some(0)));
    fs::write(&log, line.repeat(5)).unwrap();
    assert_eq!(run(), (Some(2), Some(1)));
}

/// Rotated and compressed parts are one log; `jsonl` prints one finding per line and the head last.
#[test]
fn packed_rotations_and_jsonl() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let line = |second: u32| {
        format!(
            "[2026-11-21 03:35:{second:02}.1] E [primary(worker /b):788:process] _GPrimary: changelogs could not be processed completely - moving on... [{{files=['CHANGELOG.{second}']}}]\n"
        )
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(line(10).as_bytes()).unwrap();
    fs::write(folder.path().join("gsyncd.log.1.gz"), packed.finish().unwrap()).unwrap();
    fs::write(folder.path().join("gsyncd.log"), line(20)).unwrap();
    let out = run(&["diagnose", folder.path().to_str().unwrap(), "--format", "jsonl"]);
    let lines: Vec<Value> = out
        .stdout
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["changelogs"], serde_json::json!(["CHANGELOG.10", "CHANGELOG.20"]));
    assert_eq!(
        (lines[1]["schema"].as_str(), lines[1].get("findings")),
        (Some("georepair/diagnosis/1"), None)
    );
}

/// A growing log is followed: what is new is printed, one finding per line.
#[test]
fn follow_tells_what_is_new() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gsyncd.log");
    let line = |changelog: u32| {
        format!(
            "[2026-11-21 03:35:51.1] E [primary(worker /b):788:process] _GPrimary: changelogs could not be processed completely - moving on... [{{files=['CHANGELOG.{changelog}']}}]\n"
        )
    };
    fs::write(&path, line(1)).unwrap();
    let mut child = georepair(["diagnose", "--follow", "--format", "jsonl", "--quiet"])
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || loop {
        let value: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if value.get("code").is_some() {
            return value["changelogs"].clone();
        }
    };
    assert_eq!(next(), serde_json::json!(["CHANGELOG.1"]));
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    file.write_all(line(2).as_bytes()).unwrap();
    assert_eq!(next(), serde_json::json!(["CHANGELOG.2"]));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A line that represents twelve counts twelve, from its first time to its last.
#[test]
fn folded_repeats_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mnt-b.log");
    let said = "W [MSGID: 114031] [client-rpc-fops_v2.c:2618:client4_0_lookup_cbk] 0-v-client-0: remote operation failed. [{path=<gfid:993b2ecf-4e88-45ca-82a0-f15608a47941>}, {gfid=993b2ecf-4e88-45ca-82a0-f15608a47941}, {errno=2}, {error=No such file or directory}]";
    let log = format!(
        "[2026-11-21 03:42:20.000000 +0000] {said}\nThe message \"{said}\" repeated 12 times between [2026-11-21 03:42:22.703208 +0000] and [2026-11-21 03:44:22.000001 +0000]\n"
    );
    fs::write(&path, log).unwrap();
    let finding = diagnose(&path)["findings"][0].clone();
    assert_eq!(
        (finding["code"].as_str(), finding["count"].as_u64()),
        (Some("missing-on-secondary"), Some(13))
    );
    assert_eq!(
        (finding["first"].as_str(), finding["last"].as_str()),
        (Some("2026-11-21T03:42:20Z"), Some("2026-11-21T03:44:22.000001Z"))
    );
}

/// gsyncd before 3.7.7 logged local time, including summer time; later releases log UTC.
#[test]
fn local_times_of_old_releases_are_read_in_their_zone() {
    let first = |release: &str| {
        let log = logs(&format!("eras/{release}-primary.log"));
        let args = ["diagnose", log.to_str().unwrap(), "--format", "json", "--tz", "Europe/Berlin"];
        let diagnosis: Value = serde_json::from_slice(&run(&args).stdout).unwrap();
        let plain = diagnose(&log)["sources"][0]["first"].as_str().unwrap().to_owned();
        (plain, diagnosis["sources"][0]["first"].as_str().unwrap().to_owned())
    };
    let (utc, berlin) = first("3.7.6");
    assert_eq!((&utc[11..13], &berlin[11..13]), ("09", "08"), "{utc} {berlin}");
    let (utc, berlin) = first("3.8.15");
    assert_eq!(utc, berlin);
}
