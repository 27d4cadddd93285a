//! The audit of a session, against what both mounts show, and on every kind of volume.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::lab::Lab;
use crate::node::Node;
use crate::shape::{Brick, DISTRIBUTED};
use crate::{listing, load, mount, requirements, session, wait};

/// What an audit said.
#[derive(Debug)]
struct Audit {
    exit: Option<i32>,
    findings: Vec<Value>,
    head: Value,
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Audits the bricks at these places.
#[track_caller]
fn audit(primary: &[PathBuf], secondary: &[PathBuf], flags: &[&str]) -> Audit {
    let mut command = Command::new(env!("CARGO_BIN_EXE_georepair"));
    command.args(["--quiet", "--format", "json", "audit", "session"]).args(flags);
    for (flag, bricks) in [("--primary-brick", primary), ("--secondary-brick", secondary)] {
        for brick in bricks {
            command.arg(flag).arg(brick);
        }
    }
    let output = command.output().expect("georepair runs");
    let mut head: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let findings = head.get_mut("findings").map(Value::take);
    let findings = findings.and_then(|list| list.as_array().cloned()).expect("a list");
    Audit { exit: output.status.code(), findings, head }
}

fn bricks(lab: &Lab, bricks: &[Brick]) -> Vec<PathBuf> {
    bricks.iter().map(|brick| lab.node(brick.node).path(brick.dir)).collect()
}

fn of_lab(lab: &Lab, flags: &[&str]) -> Audit {
    audit(&bricks(lab, lab.shape().primary), &bricks(lab, lab.shape().secondary), flags)
}

impl Audit {
    fn grave(&self) -> impl Iterator<Item = &Value> {
        self.findings.iter().filter(|finding| text(finding, "/severity") != "benign")
    }

    fn codes(&self) -> Vec<&str> {
        self.grave().map(|finding| text(finding, "/code")).collect()
    }

    /// Code and path of each, in order.
    fn found(&self) -> Vec<(&str, &str)> {
        let mut found: Vec<_> =
            self.grave().map(|it| (text(it, "/code"), text(it, "/path"))).collect();
        found.sort_unstable();
        found
    }

    fn first(&self, pointer: &str) -> &str {
        self.findings.first().map_or("", |finding| text(finding, pointer))
    }

    fn pending(&self) -> Option<u64> {
        self.head.get("pending").and_then(Value::as_u64)
    }

    /// Whether some finding speaks of the path, or of a tree it stands in.
    fn covers(&self, path: &Path) -> bool {
        self.findings.iter().any(|finding| {
            let lost = ["only-on-primary", "only-on-secondary", "gfid-differs", "type-differs"];
            let whole = lost.contains(&text(finding, "/code"));
            paths(finding).any(|told| path == told || (whole && path.starts_with(told)))
        })
    }
}

/// The paths of a finding on both sides.
fn paths(finding: &Value) -> impl Iterator<Item = &Path> {
    let sides = ["/primary/paths", "/secondary/paths"].map(|side| finding.pointer(side));
    let lists = sides.into_iter().flatten().filter_map(Value::as_array).flatten();
    lists.filter_map(Value::as_str).map(Path::new)
}

/// Code and path of what an audit finds.
pub(crate) type Found = [(&'static str, &'static str)];

/// The audit says of a lab what the listings of both mounts say, no more and no less, and finds
/// exactly what is wanted; what it calls pending excuses it from the rest of what is listed.
#[track_caller]
pub(crate) fn agrees(lab: &Lab, wanted: &Found) {
    let mut last = None;
    let agreed = wait::poll(wait::PATIENCE, || {
        let before = listing::differences(lab).ok()?;
        let told = of_lab(lab, &["--content", "--settle", "5"]);
        let after = listing::differences(lab).ok()?;
        let waits = told.pending().is_none_or(|pending| pending > 0);
        let complete = waits || before.iter().all(|(path, _)| told.covers(path));
        // The mounts do not show that a directory has two gfids, only what it comes to below.
        let listed = |path: &Path| before.iter().any(|(other, _)| other.starts_with(path));
        let sound = told
            .grave()
            .filter(|it| text(it, "/code") != "data-sync-empty")
            .all(|it| paths(it).any(listed));
        let exit = i32::from(told.grave().next().is_some());
        let exact = told.found() == wanted;
        let fits = before == after && complete && sound && exact && told.exit == Some(exit);
        last = Some((before, told));
        // A mark moves with the next change; and a worker that came up deaf moves none.
        if waits && session::all_well(lab, &session::status(lab)) {
            session::live(lab);
        }
        fits.then_some(())
    });
    assert!(agreed.is_some(), "the audit does not say what the mounts show: {last:#?}");
}

/// Files that arrived empty are told as what they are.
#[track_caller]
pub(crate) fn names_empty_files(lab: &Lab) {
    let mut rounds = 0..;
    let told = wait::until("the marks are past the empty file", || {
        let told = of_lab(lab, &["--settle", "5"]);
        if told.pending() == Some(0) {
            return Some(told);
        }
        // A mark moves with the next change; a directory needs no rsync.
        let next = rounds.next().unwrap_or_default();
        let next = lab.on_primary("rsync-3.5").join(format!("moves-{next}"));
        std::fs::create_dir(next).expect("another change");
        None
    });
    assert_eq!(told.codes(), ["size-differs", "data-sync-empty"], "{told:#?}");
    assert_eq!(told.first("/path"), "rsync-3.5/a.txt");
    assert!(told.first("/says").starts_with("empty on the secondary"), "{told:#?}");
}

/// A healthy session has no difference, whatever users do meanwhile.
#[test]
fn a_session_under_load_has_no_difference() {
    let Some(lab) = Lab::shared() else { return };
    let top = lab.on_primary("load");
    std::fs::create_dir_all(&top).expect("a directory");
    let looks = || {
        for _ in 0..4 {
            std::thread::sleep(Duration::from_secs(2));
            let told = of_lab(&lab, &["--settle", "4"]);
            assert_eq!((told.codes(), told.exit), (vec![], Some(0)), "{told:#?}");
            assert!(told.pending().is_some(), "{told:#?}");
        }
    };
    load::meanwhile(|round| churn(&top, round), looks);
    session::live(&lab);
    let told = of_lab(&lab, &["--settle", "30", "--content"]);
    assert_eq!((told.codes(), told.pending()), (vec![], Some(0)), "{told:#?}");
    by_name(&lab, told.head.get("compared"));
    std::fs::remove_dir_all(&top).expect("the load goes");
}

/// The same from a node of the primary, which reads the other nodes' bricks over ssh.
#[track_caller]
fn by_name(lab: &Lab, compared: Option<&Value>) {
    let flags = ["--quiet", "--format", "json", "audit", "session", "gv0", "s1::gv0dr"];
    let output = lab.georepair("m1", &flags);
    let head: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!((output.status.code(), head.get("compared")), (Some(0), compared), "{output:?}");
    lab.run_on("s1", &["mv", "/usr/local/bin/georepair", "/usr/local/bin/gone"]);
    let output = lab.georepair("m1", &flags);
    lab.run_on("s1", &["mv", "/usr/local/bin/gone", "/usr/local/bin/georepair"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(said.contains("georepair is not installed on s1") && said.contains("scp"), "{said}");
}

/// Makes, renames, links, changes and removes. What is removed was never renamed: gsyncd leaves such
/// a directory on the secondary (`README.md`, lesson 17).
fn churn(top: &Path, round: u32) {
    let dir = top.join(format!("d{}", round % 5));
    let name = |kind: &str| dir.join(format!("{kind}{round}"));
    // What another round removed meanwhile is as good as any.
    drop(std::fs::create_dir_all(&dir));
    drop(std::fs::write(name("f"), round.to_string()));
    drop(std::fs::rename(name("f"), name("g")));
    drop(std::os::unix::fs::symlink("anywhere", name("s")));
    drop(std::fs::hard_link(name("g"), name("l")));
    if round.is_multiple_of(3) {
        drop(std::fs::remove_file(name("g")));
    }
    if round % 11 == 10 {
        drop(std::fs::rename(&dir, top.join(format!("moved{round}"))));
    }
    if round % 23 == 22 {
        let brief = top.join("brief");
        drop(std::fs::create_dir(&brief));
        drop(std::fs::write(brief.join("file"), round.to_string()));
        drop(std::fs::remove_dir_all(&brief));
    }
}

/// Volumes of every kind against secondaries of another: equal is equal, and a lost file is lost.
#[test]
fn topologies_do_not_matter() {
    if !requirements::met() {
        return;
    }
    let lab = Lab::up_without_session(DISTRIBUTED);
    lab.primary().gluster(&["system::", "execute", "gsec_create"]);
    let kinds = [
        Kind {
            name: "arb",
            form: &["replica", "3", "arbiter", "1"],
            bricks: 3,
            copies: 1,
            there: &[],
            sharded: false,
        },
        Kind {
            name: "ec",
            form: &["disperse", "3", "redundancy", "1"],
            bricks: 3,
            copies: 2,
            there: &[],
            sharded: false,
        },
        Kind {
            name: "sh",
            form: &[],
            bricks: 2,
            copies: 2,
            there: &["replica", "2"],
            sharded: true,
        },
    ];
    std::thread::scope(|scope| {
        for kind in &kinds {
            scope.spawn(|| kind.replicate(&lab));
        }
    });
    session::create(&lab);
    session::start(&lab);
    fill(&lab.on_primary("filled"));
    for kind in &kinds {
        kind.compare(&lab);
    }
    session::live(&lab);
    let told = of_lab(&lab, &["--settle", "60", "--content"]);
    assert_eq!((told.codes(), told.pending()), (vec![], Some(0)), "{told:#?}");
}

/// A pair of volumes and how they are made.
struct Kind {
    name: &'static str,
    form: &'static [&'static str],
    bricks: usize,
    /// Bricks of the secondary.
    copies: usize,
    there: &'static [&'static str],
    sharded: bool,
}

impl Kind {
    fn dirs(&self, lab: &Lab) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let here =
            (1..=self.bricks).map(|n| lab.primary().path(format!("/srv/bricks/{}-{n}", self.name)));
        let there = (1..=self.copies)
            .map(|n| lab.secondary().path(format!("/srv/bricks/{}dr-{n}", self.name)));
        (here.collect(), there.collect())
    }

    /// Makes both volumes, fills the primary and starts a session: half of it arrives by a
    /// crawl, half by changelogs.
    fn replicate(&self, lab: &Lab) {
        let (here, there) = (self.name.to_owned(), format!("{}dr", self.name));
        self.make(lab.primary(), &here, self.form, self.bricks);
        self.make(lab.secondary(), &there, self.there, self.copies);
        mount::mount(lab, "m1", &here, &format!("/mnt/{here}"), &[]);
        let top = lab.primary().path(format!("/mnt/{here}"));
        fill(&top.join("before"));
        let url = format!("s1::{there}");
        let georep = |words: &[&str]| {
            lab.primary().gluster(&[&["volume", "geo-replication", &here, &url], words].concat());
        };
        georep(&["create", "push-pem", "force"]);
        georep(&["start"]);
    }

    fn make(&self, node: &Node, volume: &str, form: &[&str], bricks: usize) {
        let name = node.name();
        let urls: Vec<_> =
            (1..=bricks).map(|n| format!("{name}:/srv/bricks/{volume}-{n}")).collect();
        let mut words = vec!["volume", "create", volume];
        words.extend(form);
        words.extend(urls.iter().map(String::as_str));
        words.push("force");
        node.gluster(&words);
        if self.sharded {
            node.gluster(&["volume", "set", volume, "features.shard", "on"]);
            node.gluster(&["volume", "set", volume, "features.shard-block-size", "4MB"]);
        }
        node.gluster(&["volume", "set", volume, "changelog.rollover-time", "3"]);
        node.gluster(&["volume", "start", volume]);
    }

    /// Both sides become equal; then a file is lost, and that is all that is told.
    fn compare(&self, lab: &Lab) {
        let (here, there) = self.dirs(lab);
        let mut last = None;
        // The content of fragments cannot be compared, and that is said.
        let flags = if self.name == "ec" {
            &["--settle", "1"][..]
        } else {
            &["--settle", "1", "--content"]
        };
        let equal = wait::poll(wait::PATIENCE, || {
            let told = audit(&here, &there, flags);
            let fine = told.exit == Some(0) && told.pending() == Some(0);
            last = Some(told);
            fine.then_some(())
        });
        assert!(equal.is_some(), "{} and its secondary do not become equal: {last:#?}", self.name);
        mount::mount(
            lab,
            "s1",
            &format!("{}dr", self.name),
            &format!("/mnt/{}dr", self.name),
            &["--client-pid=-1", "--aux-gfid-mount", "--acl"],
        );
        let lost = lab.secondary().path(format!("/mnt/{}dr/before/tree", self.name));
        std::fs::remove_dir_all(lost).expect("a tree goes");
        let told = audit(&here, &there, &["--settle", "1"]);
        assert_eq!((told.codes(), told.exit), (vec!["only-on-primary"], Some(1)), "{told:#?}");
        assert_eq!(told.first("/path"), "before/tree");
        assert_eq!(told.findings.first().and_then(|it| it.get("below")?.as_u64()), Some(20));
    }
}

fn fill(top: &Path) {
    std::fs::create_dir_all(top.join("tree")).expect("a directory");
    for n in 0..20 {
        std::fs::write(top.join(format!("tree/{n}")), "x".repeat(n * 1000)).expect("a file");
        std::fs::write(top.join(format!("old{n}")), "y".repeat(n)).expect("a file");
        std::fs::rename(top.join(format!("old{n}")), top.join(format!("new{n}"))).expect("moves");
    }
    std::fs::hard_link(top.join("new3"), top.join("link")).expect("a link");
    std::os::unix::fs::symlink("new3", top.join("symlink")).expect("a symlink");
    std::fs::write(top.join("large"), vec![7; 9 << 20]).expect("a file of three shards");
}
