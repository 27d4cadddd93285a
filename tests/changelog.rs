//! `georepair changelog` over files and built bricks, as its users run it.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "tests build bricks and run the program")]

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

#[path = "support/skipped.rs"]
mod skipped;
mod support;

use georepair::domain::{Fop, Gfid};
use georepair::format::changelog::{
    Change, Encoding, Entry, Form, Owner, Place, Record, Version, encode,
};
use serde_json::Value;
use skipped::skipped;
use support::georepair;

const ASCII: Form = Form { version: Version::V1_2, encoding: Encoding::Ascii };
const BINARY: Form = Form { version: Version::V1_2, encoding: Encoding::Binary };
const T: u32 = 1_795_230_000;

/// A brick that is built record by record.
struct Brick {
    root: tempfile::TempDir,
    form: Form,
    dated: bool,
}

impl Brick {
    fn new(form: Form) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(".glusterfs/changelogs/htime")).unwrap();
        Self { root, form, dated: true }
    }

    fn path(&self) -> &Path {
        self.root.path()
    }

    fn folder(&self) -> PathBuf {
        self.path().join(".glusterfs/changelogs")
    }

    /// Writes the changelog whose slice ends then; `None` for the one still written to.
    fn slice(&self, end: Option<u32>, changes: &[(u8, Change<'static>)]) -> PathBuf {
        let mut bytes = self.form.header().into_bytes();
        for (n, change) in changes {
            let record = Record { offset: 0, gfid: gfid(*n), change: change.clone() };
            encode(&record, self.form, &mut bytes);
        }
        let path = match end {
            None => self.folder().join("CHANGELOG"),
            Some(end) if self.dated => {
                fs::create_dir_all(self.folder().join("2026/11/21")).unwrap();
                self.folder().join(format!("2026/11/21/CHANGELOG.{end}"))
            }
            Some(end) => self.folder().join(format!("CHANGELOG.{end}")),
        };
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes an HTIME: ends of slices, those in `empty` without a file.
    fn htime(&self, ends: &[u32], empty: &[u32]) -> PathBuf {
        let mut bytes = Vec::new();
        for end in ends {
            let name = if empty.contains(end) { "changelog" } else { "CHANGELOG" };
            let folder = self.folder().join("2026/11/21");
            bytes.extend(format!("{}/{name}.{end}\0", folder.display()).bytes());
        }
        let path = self.folder().join(format!("htime/HTIME.{}", ends[0] - 15));
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Sets the marks; `false` if `trusted.*` xattrs cannot be set.
    fn mark(&self, kind: &str, sec: u32) -> bool {
        let name = format!("trusted.glusterfs.{PRIMARY}.{SECONDARY}.{kind}");
        let value = (u64::from(sec) << 32).to_be_bytes();
        let set = xattr::set(self.path(), name, &value);
        if let Err(error) = &set {
            skipped(&format!("trusted.* xattrs cannot be set here ({error})"));
        }
        set.is_ok()
    }
}

const PRIMARY: &str = "9b3002ce-0e65-4185-b3aa-6622b330e7ef";
const SECONDARY: &str = "604def0a-db8e-4d6e-95da-353f2587fedd";

fn gfid(n: u8) -> Gfid {
    if n == 1 { Gfid::ROOT } else { Gfid::from_bytes([n; 16]) }
}

fn place(parent: u8, name: &[u8]) -> Place<'static> {
    Place { parent: gfid(parent), name: Cow::Owned(name.to_vec()) }
}

fn entry(fop: Fop, parent: u8, name: &[u8]) -> Change<'static> {
    let made = matches!(fop, Fop::CREATE | Fop::MKDIR | Fop::MKNOD);
    let mode = if fop == Fop::MKDIR { 0o40_755 } else { 0o100_644 };
    let owner = made.then_some(Owner { mode, uid: 0, gid: 0 });
    Change::Entry(Entry { fop, owner, place: place(parent, name), to: None, path: None })
}

fn rename(from: (u8, &[u8]), to: (u8, &[u8])) -> Change<'static> {
    let (from, to) = (place(from.0, from.1), place(to.0, to.1));
    Change::Entry(Entry {
        fop: Fop::RENAME,
        owner: None,
        place: from,
        to: Some(Box::new(to)),
        path: None,
    })
}

fn run(args: &[&str]) -> (i32, String, String) {
    let out = georepair(["changelog"]).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

fn json(args: &[&str]) -> (i32, Value) {
    let (code, out, _) = run(&[args, &["--format", "json"]].concat());
    (code, serde_json::from_str(&out).unwrap())
}

fn str(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The fops of the records, in order.
fn fops(document: &Value) -> Vec<&str> {
    let records = document["records"].as_array().unwrap();
    records.iter().map(|record| record["fop"].as_str().unwrap_or("DATA")).collect()
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/changelogs").join(name)
}

fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u32::try_from(since.as_secs()).unwrap()
}

#[test]
fn every_operation_of_a_real_brick_is_shown() {
    let (code, out, err) = run(&["show", str(&sample("ascii-CHANGELOG.1795252008"))]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out);
}

#[test]
fn both_encodings_tell_the_same_of_the_same_work() {
    let of = |name: &str| {
        let (code, document) = json(&["show", str(&sample(name))]);
        assert_eq!((code, &document["torn"]), (0, &Value::Bool(false)));
        let names = |record: &Value| {
            let field = |key: &str| record[key].as_str().unwrap_or("-").to_owned();
            ["type", "fop", "name", "name_bytes", "new_name", "deleted_path"].map(field)
        };
        document["records"].as_array().unwrap().iter().map(names).collect::<Vec<_>>()
    };
    // The binary volume distributes over two bricks, and DHT says where its files and links are.
    for time in ["1795252000", "1795252008"] {
        let ascii = of(&format!("ascii-CHANGELOG.{time}"));
        let mut binary = of(&format!("binary-q1-CHANGELOG.{time}"));
        binary.extend(of(&format!("binary-q2-CHANGELOG.{time}")));
        for record in ascii.iter().filter(|record| record[0] == "E") {
            assert!(binary.contains(record), "{record:?} at {time}");
        }
    }
}

#[test]
fn filters_pick_by_gfid_name_operation_and_time() {
    let brick = Brick::new(ASCII);
    let data = Change::Data;
    let changes =
        [(7, entry(Fop::CREATE, 1, b"a")), (7, data.clone()), (8, entry(Fop::LINK, 7, b"b"))];
    let early = brick.slice(Some(T), &changes);
    let late = brick.slice(Some(T + 15), &[(8, data), (8, rename((7, b"b"), (1, b"a")))]);
    let count = |filter: &[&str]| {
        let (code, found) = json(&[&["show", str(&early), str(&late)], filter].concat());
        assert_eq!(code, 0);
        assert_eq!(found["count"], found["records"].as_array().unwrap().len());
        found["count"].as_u64().unwrap()
    };
    let nested = format!("{}/b", gfid(7));
    assert_eq!(count(&[]), 5);
    assert_eq!(count(&["--gfid", &gfid(7).to_string()]), 2);
    assert_eq!(count(&["--path", "a"]), 2);
    assert_eq!(count(&["--path", &nested]), 2);
    assert_eq!(count(&["--path", "elsewhere/b"]), 0);
    assert_eq!(count(&["--matching", "^[ab]$"]), 3);
    assert_eq!(count(&["--matching", "^B$"]), 0);
    assert_eq!(count(&["--matching", "(?i)^B$", "--op", "LINK"]), 1);
    assert_eq!(count(&["--op", "data"]), 2);
    assert_eq!(count(&["--op", "rename,LINK"]), 2);
    assert_eq!(count(&["--op", "E", "--gfid", &gfid(8).to_string()]), 2);
    assert_eq!(count(&["--since", &(T + 1).to_string()]), 2);
    assert_eq!(count(&["--until", "2026-11-21T03:00:00Z"]), 3);
}

#[test]
fn every_key_is_there_and_names_are_exact() {
    let brick = Brick::new(BINARY);
    let made = entry(Fop::CREATE, 1, b"caf\xe9\n");
    let path = brick.slice(Some(T), &[(7, made), (7, Change::Data)]);
    let (_, found) = json(&["show", str(&path)]);
    let [first, second] = &found["records"].as_array().unwrap()[..] else { panic!() };
    let keys = |record: &Value| record.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(first), keys(second));
    assert_eq!(first["time"], "2026-11-21T03:00:00Z");
    assert_eq!(first["brick"].as_str(), brick.path().canonicalize().unwrap().to_str());
    assert_eq!((&first["file"], &first["offset"]), (&"CHANGELOG.1795230000".into(), &51.into()));
    assert_eq!((&first["mode"], &first["name_bytes"]), (&0o100_644.into(), &"636166e90a".into()));
    assert_eq!(
        (&second["type"], &second["fop"], &second["name"]),
        (&"D".into(), &Value::Null, &Value::Null)
    );
    let (_, lines, _) = run(&["show", str(&path), "--format", "jsonl"]);
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((lines.lines().count(), &last["torn"]), (3, &Value::Bool(false)));
}

#[test]
fn a_cut_tail_and_damage_are_told_and_cost_nothing_else() {
    let brick = Brick::new(ASCII);
    let all: Vec<_> = (10..20).map(|n| (n, entry(Fop::CREATE, 1, b"name"))).collect();
    let path = brick.slice(Some(T), &all);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let (code, found) = json(&["show", str(&path)]);
    assert_eq!((code, &found["torn"], &found["count"]), (1, &Value::Bool(true), &9.into()));
    let mut hurt = whole;
    let third = 51 + 3 * (hurt.len() - 51) / 10;
    hurt[third] = 0xff;
    fs::write(&path, hurt).unwrap();
    let (code, found) = json(&["show", str(&path)]);
    assert_eq!((code, &found["torn"], &found["count"]), (1, &Value::Bool(false), &9.into()));
    assert_eq!(found["damaged"].as_array().unwrap().len(), 1);
    let (_, _, err) = run(&["show", str(&path)]);
    assert!(err.contains("are not a record: no record begins so"), "{err}");
    assert_eq!(run(&["show", "/nowhere/CHANGELOG.1"]).0, 5);
}

#[test]
fn patterns_match_bytes_and_never_hang() {
    let brick = Brick::new(BINARY);
    let odd = [b"caf\xe9\n.part".as_slice(), &[b'a'; 250], "\u{fc}.txt".as_bytes()];
    let made: Vec<_> = odd.iter().map(|name| (7, entry(Fop::CREATE, 1, name))).collect();
    let path = brick.slice(Some(T), &made);
    let count = |pattern| json(&["show", str(&path), "--matching", pattern]).1["count"].clone();
    assert_eq!(count(r"^caf\xe9.\.part$"), 1);
    assert_eq!(count("^\u{fc}"), 1);
    assert_eq!(count("(a*)*(a|aa)+b"), 0);
    for bad in ["(", "(a{1000}){1000}"] {
        assert_eq!(run(&["show", str(&path), "--matching", bad]).0, 2, "{bad}");
    }
}

/// Puts files into a tar archive as gsyncd's `tarfile` does.
fn archive(at: &Path, members: &[(&str, &[u8])]) {
    let mut tar = tar::Builder::new(fs::File::create(at).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.finish().unwrap();
}

#[test]
fn the_archive_of_a_worker_is_read_member_by_member() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive_202611.tar");
    let line = |n: u8| format!("D {}\n", gfid(n)).into_bytes();
    let (early, late) = (format!("CHANGELOG.{T}"), format!("CHANGELOG.{}", T + 15));
    archive(&path, &[(&early, &[line(7), line(8)].concat()), (&late, &line(7))]);
    let (code, found) = json(&["show", str(&path)]);
    assert_eq!((code, &found["count"]), (0, &3.into()));
    assert_eq!(found["records"][0]["time"], "2026-11-21T03:00:00Z");
    assert_eq!(found["records"][2]["file"], late.as_str());
    let (_, found) = json(&["show", str(&path), "--gfid", &gfid(8).to_string()]);
    assert_eq!(found["count"], 1);
    let (_, found) = json(&["show", str(&path), "--since", &(T + 1).to_string()]);
    assert_eq!(found["count"], 1);

    let whole = fs::read(&path).unwrap();
    // Cut within the second member's header, within its record, and made of nonsense.
    for (cut, records) in [(1200, 2), (1536 + 20, 2)] {
        fs::write(&path, &whole[..cut]).unwrap();
        let (code, found) = json(&["show", str(&path)]);
        assert_eq!((code, &found["torn"], &found["count"]), (1, &true.into(), &records.into()));
    }
    let mut odd = whole;
    odd[1024 + 124..1024 + 135].fill(b'7');
    fs::write(&path, odd).unwrap();
    let (code, found) = json(&["show", str(&path)]);
    assert_eq!((code, &found["count"]), (1, &2.into()));
}

#[test]
fn an_index_is_read_like_a_changelog() {
    let brick = Brick::new(ASCII);
    let path = brick.htime(&[T, T + 15, T + 30], &[T + 15]);
    let (code, found) = json(&["show", str(&path)]);
    assert_eq!((code, found["records"].as_array().unwrap().len()), (0, 3));
    assert_eq!(found["records"][1]["empty"], true);
    assert!(found["records"][0]["path"].as_str().unwrap().ends_with("CHANGELOG.1795230000"));
}

#[test]
fn the_life_of_a_name_is_told_once_for_all_replicas() {
    let (a, b) = (Brick::new(ASCII), Brick::new(BINARY));
    let story = |n: u8| {
        [
            (n, entry(Fop::CREATE, 9, b"f.part")),
            (n, rename((9, b"f.part"), (9, b"f"))),
            (n, entry(Fop::UNLINK, 9, b"f")),
        ]
    };
    let folder = [(9, entry(Fop::MKDIR, 1, b"dir"))];
    // The replicas roll over at other times: one has both lives in one slice.
    a.slice(Some(T), &folder);
    a.slice(Some(T + 15), &[story(20), story(21)].concat());
    b.slice(Some(T + 5), &[&folder[..], &story(20)].concat());
    b.slice(Some(T + 20), &story(21));
    let bricks = ["history", "--brick", str(a.path()), "--brick", str(b.path())];
    let (code, told) = json(&[&bricks[..], &["dir/f.part"]].concat());
    let life = ["CREATE", "RENAME", "UNLINK"];
    assert_eq!((code, fops(&told)), (0, [life, life].concat()));
    let times: Vec<_> =
        told["records"].as_array().unwrap().iter().map(|r| r["time"].as_str()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(told["records"][0]["also"].as_array().unwrap().len(), 1);
    let patterns: Vec<_> =
        told["reuses"].as_array().unwrap().iter().map(|r| (&r["pattern"], &r["name"])).collect();
    assert_eq!(
        patterns,
        [(&"recreated".into(), &"f".into()), (&"staged".into(), &"f.part".into())]
    );
    let (_, told) = json(&[&bricks[..], &[&gfid(21).to_string()]].concat());
    assert_eq!(fops(&told), life);
    assert_eq!(told["reuses"].as_array().unwrap().len(), 2);
    let (_, out, _) = run(&[&bricks[..], &["dir/f"]].concat());
    insta::assert_snapshot!(out);
}

#[test]
fn parents_are_named_as_they_were_then() {
    let mut brick = Brick::new(ASCII);
    brick.dated = false;
    brick.slice(Some(T), &[(9, entry(Fop::MKDIR, 1, b"old")), (10, entry(Fop::MKDIR, 9, b"sub"))]);
    brick.slice(
        Some(T + 15),
        &[(20, entry(Fop::CREATE, 10, b"x")), (9, rename((1, b"old"), (1, b"new")))],
    );
    brick.slice(None, &[(20, rename((10, b"x"), (9, b"y"))), (10, entry(Fop::RMDIR, 9, b"sub"))]);
    for id in ["old/sub/x", "new/sub/x", "new/y", &gfid(20).to_string()] {
        let (_, told) = json(&["history", "--brick", str(brick.path()), id]);
        assert_eq!(fops(&told), ["CREATE", "RENAME"], "{id}");
        assert_eq!(told["records"][0]["parent_path"], "old/sub");
        assert_eq!(told["records"][1]["parent_path"], "new/sub");
        assert_eq!(told["records"][1]["new_parent_path"], "new");
        assert_eq!(told["records"][1]["time"], Value::Null);
    }
    let (code, _, err) = run(&["history", "--brick", str(brick.path()), "never/there"]);
    assert_eq!(code, 0);
    assert!(err.contains("no changelog names"), "{err}");
}

#[test]
fn a_handle_tells_where_a_directory_is() {
    let brick = Brick::new(ASCII);
    brick.slice(Some(T), &[(20, entry(Fop::CREATE, 9, b"x"))]);
    let handle = brick.path().join(gfid(9).handle());
    fs::create_dir_all(handle.parent().unwrap()).unwrap();
    let target = format!("../../00/00/{}/here", Gfid::ROOT);
    std::os::unix::fs::symlink(target, &handle).unwrap();
    let asked = ["history", "--brick", str(brick.path()), &gfid(20).to_string()];
    assert_eq!(json(&asked).1["records"][0]["parent_path"], "here");
    // A user's symlink has a hard link for a handle, and may say anything.
    fs::hard_link(handle, brick.path().join("spoof")).unwrap();
    assert_eq!(json(&asked).1["records"][0]["parent_path"], Value::Null);
}

#[test]
fn what_replaced_an_object_belongs_to_its_life() {
    let brick = Brick::new(ASCII);
    let saved = [
        (20, entry(Fop::CREATE, 1, b"doc")),
        (21, entry(Fop::CREATE, 1, b"doc.tmp")),
        (21, rename((1, b"doc.tmp"), (1, b"doc"))),
    ];
    brick.slice(Some(T), &saved);
    let (_, told) = json(&["history", "--brick", str(brick.path()), &gfid(20).to_string()]);
    assert_eq!(fops(&told), ["CREATE", "RENAME"]);
    assert_eq!(told["records"][1]["replaced"], gfid(20).to_string());
    assert_eq!(told["reuses"][0]["pattern"], "replaced");
}

fn pending(brick: &Brick, more: &[&str]) -> (i32, Value) {
    let places = ["--sessions-dir", "/nowhere", "--working-dir", "/nowhere"];
    let args = [&["pending", "--brick", str(brick.path())][..], &places, more].concat();
    let (code, found) = json(&args);
    (code, found["bricks"][0].clone())
}

#[test]
fn the_backlog_is_what_stands_past_stime() {
    let brick = Brick::new(ASCII);
    let t = now() - 600;
    let slices = [t, t + 15, t + 30];
    let work = [
        (20, entry(Fop::CREATE, 1, b"a")),
        (20, Change::Data),
        (20, Change::Metadata { fop: Fop::SETATTR, owner: None }),
    ];
    for end in slices {
        brick.slice(Some(end), &work);
    }
    brick.slice(None, &work);
    brick.htime(&[t, t + 15, t + 30, t + 45], &[t + 45]);
    let handle = brick.path().join(gfid(20).handle());
    fs::create_dir_all(handle.parent().unwrap()).unwrap();
    fs::write(handle, [b'x'; 1234]).unwrap();
    let (code, row) = pending(&brick, &[]);
    assert_eq!((code, &row["records"], &row["stime"]), (5, &Value::Null, &Value::Null));
    if !brick.mark("stime", t - 1) {
        return;
    }
    let (code, row) = pending(&brick, &[]);
    assert_eq!((code, &row["stalled"]), (1, &true.into()), "{row}");
    assert_eq!((&row["changelogs"], &row["records"]), (&3.into(), &9.into()));
    assert_eq!(
        (&row["entries"], &row["data"], &row["metadata"]),
        (&3.into(), &3.into(), &3.into())
    );
    assert_eq!((&row["bytes"], &row["rollover_seconds"]), (&1234.into(), &15.into()));
    assert_eq!(row["resent"][0]["times"], 3);
    assert!((570..=600).contains(&row["lag_seconds"].as_i64().unwrap()), "{row}");
    brick.mark("entry_stime", t + 29);
    let (_, row) = pending(&brick, &[]);
    assert_eq!((&row["entries"], &row["records"]), (&1.into(), &7.into()));
}

#[test]
fn an_idle_volume_is_no_stall() {
    let brick = Brick::new(ASCII);
    let t = now() - 600;
    brick.slice(Some(t), &[(20, Change::Data)]);
    brick.slice(None, &[]);
    brick.htime(&[t, t + 15, t + 30], &[t + 15, t + 30]);
    // What gsyncd writes when it is done with a changelog: its time less one second.
    if !brick.mark("stime", t - 1) {
        return;
    }
    let (code, row) = pending(&brick, &[]);
    assert_eq!((code, &row["stalled"], &row["changelogs"]), (0, &false.into(), &0.into()));
    assert_eq!((&row["lag_seconds"], &row["oldest"]), (&0.into(), &Value::Null));
    brick.htime(&[t, t + 15, t + 30], &[t + 15]);
    let (code, row) = pending(&brick, &[]);
    assert_eq!((code, &row["missing"]), (1, &1.into()), "a changelog is gone");
}

#[test]
fn a_stall_needs_an_active_worker() {
    let brick = Brick::new(ASCII);
    let t = now() - 600;
    brick.slice(Some(t), &[(20, Change::Data)]);
    if !brick.mark("stime", t - 100) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let session = home.path().join("geo/P_s1_S");
    fs::create_dir_all(&session).unwrap();
    let prefix = format!("[vars]\nstime-xattr-prefix = trusted.glusterfs.{PRIMARY}.{SECONDARY}\n");
    fs::write(session.join("gsyncd.conf"), prefix).unwrap();
    let full = brick.path().canonicalize().unwrap();
    let file = session.join(format!("brick_{}.status", str(&full).replace('/', "%2F")));
    let dirs = (home.path().join("geo"), home.path().join("work"));
    let judged = |status: &str, crawl: &str| {
        let text = format!(r#"{{"worker_status": "{status}", "crawl_status": "{crawl}"}}"#);
        fs::write(&file, text).unwrap();
        let dirs = ["--sessions-dir", str(&dirs.0), "--working-dir", str(&dirs.1)];
        let (code, found) = json(&[&["pending", "--brick", str(brick.path())][..], &dirs].concat());
        assert_eq!(found["bricks"][0]["session"], "P_s1_S");
        (code, found["bricks"][0]["stalled"].as_bool().unwrap())
    };
    assert_eq!(judged("Active", "Changelog Crawl"), (1, true));
    assert_eq!(judged("Active", "History Crawl"), (0, false));
    assert_eq!(judged("Passive", "N/A"), (0, false));
    assert_eq!(judged("Faulty", "N/A"), (0, false));
    let flat = str(&full).trim_matches('/').replace('/', "-");
    let busy = dirs.1.join("P_s1_S").join(flat).join(".processing");
    fs::create_dir_all(&busy).unwrap();
    fs::write(busy.join(format!("CHANGELOG.{}", t - 15)), "").unwrap();
    assert_eq!(judged("Active", "Changelog Crawl"), (1, true), "cut off in the middle");
    fs::write(busy.join(format!("CHANGELOG.{t}")), "").unwrap();
    assert_eq!(judged("Active", "Changelog Crawl"), (0, false), "slow is not stalled");
}

#[test]
fn stats_add_up_and_delete_nothing() {
    let brick = Brick::new(ASCII);
    brick.slice(Some(T), &[(20, entry(Fop::CREATE, 9, b"a")), (20, Change::Data)]);
    let kept = brick.slice(Some(T + 15), &[(9, entry(Fop::MKDIR, 1, b"dir"))]);
    let args = ["stats", "--brick", str(brick.path()), "--glusterfind-dir", "/nowhere"];
    let (code, found) = json(&args);
    let row = &found["bricks"][0];
    assert_eq!((code, &row["files"], &row["ops"]["DATA"]), (0, &2.into(), &1.into()));
    assert_eq!(row["hot"].as_array().unwrap().len(), 2);
    assert_eq!(row["unneeded"], Value::Null);
    if !brick.mark("stime", T + 15) {
        return;
    }
    let (_, found) = json(&args);
    assert_eq!(found["bricks"][0]["unneeded"]["files"], 1);
    let find = tempfile::tempdir().unwrap();
    fs::create_dir_all(find.path().join("s1/P")).unwrap();
    fs::write(find.path().join("s1/P/status"), (T - 100).to_string()).unwrap();
    let (_, found) = json(&[&args[..4], &[str(find.path())]].concat());
    assert_eq!(found["bricks"][0]["unneeded"]["files"], 0, "glusterfind still needs it");
    assert!(kept.exists());
}

#[test]
fn a_brick_without_changelogs_is_told_so() {
    let empty = tempfile::tempdir().unwrap();
    let (code, _, err) = run(&["pending", "--brick", str(empty.path())]);
    assert_eq!(code, 5);
    assert!(err.contains("no changelogs at") && err.contains("hint: "), "{err}");
}
