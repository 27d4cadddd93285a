//! On real bricks of every kind, each gfid has the paths a walk of the namespace finds, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use georepair::domain::{Gfid, Name};
use georepair::scan::Meter;
use georepair::scan::brick::BrickRoot;
use georepair::scan::resolve::{Query, Resolver, Status};
use walkdir::WalkDir;

use crate::lab::Lab;
use crate::shape::{Brick, DISTRIBUTED};
use crate::{audit_brick, mount, requirements};

type Names = BTreeMap<Gfid, BTreeSet<Vec<u8>>>;

#[test]
fn gfids_of_every_kind_of_volume_resolve() {
    if !requirements::met() {
        return;
    }
    let lab = Lab::up_without_session(DISTRIBUTED);
    for (volume, kind) in
        [("arb", ["replica", "3", "arbiter", "1"]), ("ec", ["disperse", "3", "redundancy", "1"])]
    {
        let urls: Vec<_> = (1..=3).map(|n| format!("m1:/srv/bricks/{volume}-{n}")).collect();
        let mut arguments = vec!["volume", "create", volume];
        arguments.extend(kind);
        arguments.extend(urls.iter().map(String::as_str));
        arguments.push("force");
        lab.primary().gluster(&arguments);
        // Shards stand in a directory of their own, with a gfid of its own.
        lab.primary().gluster(&["volume", "set", volume, "features.shard", "on"]);
        lab.primary().gluster(&["volume", "set", volume, "features.shard-block-size", "4MB"]);
        lab.primary().gluster(&["volume", "start", volume]);
        mount::mount(&lab, "m1", volume, &format!("/mnt/{volume}"), &[]);
        let top = lab.primary().path(format!("/mnt/{volume}"));
        fill(&top);
        fs::write(top.join("sharded"), vec![7; 9 << 20]).expect("a file of three shards");
        let bricks = (1..=3).map(|n| lab.primary().path(format!("/srv/bricks/{volume}-{n}")));
        let bricks: Vec<_> = bricks.collect();
        agree(&bricks);
        audit_brick::sound(&bricks);
    }
    fill(&lab.on_primary("."));
    fill(&lab.on_secondary("."));
    let paths = |bricks: &[Brick]| -> Vec<PathBuf> {
        bricks.iter().map(|brick| lab.node(brick.node).path(brick.dir)).collect()
    };
    agree(&paths(DISTRIBUTED.primary));
    agree(&paths(DISTRIBUTED.secondary));
    audit_brick::sound(&paths(DISTRIBUTED.primary));
    audit_brick::sound(&paths(DISTRIBUTED.secondary));
    old_names_are_found_on_a_stopped_volume(&lab);
    lab.primary().gluster(&["volume", "stop", "ec"]);
    audit_brick::damaged(&lab.primary().path("/srv/bricks/ec-1"));
    the_chain_of_the_first_report(&paths(DISTRIBUTED.primary)[0]);
}

/// What users do to a volume: depth, odd names, links, renames, special files.
fn fill(top: &Path) {
    let odd: [&[u8]; 6] =
        [b"line\nbreak", b"it's \"q\"", b"-rf", b"caf\xe9", "caf\u{e9}".as_bytes(), b"a:b"];
    for name in odd {
        let dir = top.join(OsStr::from_bytes(name));
        fs::create_dir(&dir).expect("a directory");
        fs::write(dir.join(OsStr::from_bytes(name)), name).expect("a file");
    }
    let deep = top.join(vec!["deep"; 60].join("/"));
    fs::create_dir_all(&deep).expect("sixty levels");
    fs::create_dir_all(top.join("Banana/1602/160201_File_1602_XX.xls/OC_DEFAULT_MODULE"))
        .expect("the directories of the first report");
    for n in 0..40 {
        fs::write(top.join(format!("Banana/{n}")), "data").expect("a file");
        fs::hard_link(top.join(format!("Banana/{n}")), deep.join(format!("link-{n}")))
            .expect("a link");
    }
    for n in 0..20 {
        let to = top.join(format!("Banana/1602/moved-{n}"));
        fs::rename(top.join(format!("Banana/{n}")), to).expect("a rename");
    }
    fs::rename(top.join("Banana/1602"), top.join("Banana/1602-new")).expect("a moved directory");
    fs::rename(top.join("Banana/1602-new"), top.join("Banana/1602")).expect("and moved back");
    let spoof = format!("../../00/00/{}/spoofed", Gfid::ROOT);
    symlink(spoof, top.join("Banana/symlink")).expect("a symlink");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        top.join("Banana/fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .expect("a fifo");
}

fn gfid_of(path: &Path) -> Gfid {
    let value = xattr::get(path, "trusted.gfid").expect("readable").expect("a gfid");
    Gfid::from_bytes(value.try_into().expect("16 bytes"))
}

fn walk(brick: &Path) -> Names {
    let mut found = Names::new();
    let inside = WalkDir::new(brick).min_depth(1).into_iter();
    for entry in inside.filter_entry(|e| e.depth() != 1 || e.file_name() != ".glusterfs") {
        let entry = entry.expect("readable");
        let path = entry.path().strip_prefix(brick).expect("below").as_os_str().as_bytes().to_vec();
        found.entry(gfid_of(entry.path())).or_default().insert(path);
    }
    found
}

/// Each brick by itself says what a walk of it says; all of them together do not disagree.
fn agree(paths: &[PathBuf]) {
    let bricks: Vec<_> = paths.iter().map(|path| BrickRoot::open(path).expect("a brick")).collect();
    let meter = Meter::default();
    let mut all = BTreeSet::new();
    for (brick, path) in bricks.iter().zip(paths) {
        let want = walk(path);
        assert!(want.len() > 80, "{} is filled", path.display());
        one_brick(&Resolver::new(std::slice::from_ref(brick), &meter), &want);
        all.extend(want.into_keys());
    }
    let all: Vec<_> = all.into_iter().collect();
    for answer in Resolver::new(&bricks, &meter).resolve(&all).expect("readable") {
        assert_eq!(answer.status(), Some(Status::Resolved), "{answer:?}");
        assert!(
            !answer.disagrees() && answer.owner().is_some_and(|s| s.linkto.is_none()),
            "{answer:?}"
        );
    }
}

fn one_brick(resolver: &Resolver<'_>, want: &Names) {
    let gfids: Vec<_> = want.keys().copied().collect();
    for (answer, paths) in resolver.resolve(&gfids).expect("readable").iter().zip(want.values()) {
        let sight = answer.owner().expect("one brick");
        let found: BTreeSet<_> = sight.links.iter().map(|l| l.path.as_bytes().to_vec()).collect();
        assert_eq!((sight.status, &found), (Some(Status::Resolved), paths), "{answer:?}");
    }
    let names = want.iter().flat_map(|(gfid, paths)| paths.iter().map(move |path| (*gfid, path)));
    let asked = names.clone().map(|(_, path)| Query::Path(Name::from(path))).collect();
    for (answer, (gfid, _)) in resolver.answer(asked).expect("readable").iter().zip(names) {
        assert_eq!(answer.gfid, Some(gfid), "{answer:?}");
    }
}

/// Names from before gfid2path, with and without pgfid, the brick's process gone.
fn old_names_are_found_on_a_stopped_volume(lab: &Lab) {
    let node = lab.primary();
    let top = node.path("/mnt/arb");
    node.gluster(&["volume", "set", "arb", "storage.gfid2path", "off"]);
    for (build_pgfid, folder) in [("off", "old"), ("on", "with-pgfid")] {
        node.gluster(&["volume", "set", "arb", "storage.build-pgfid", build_pgfid]);
        fs::create_dir(top.join(folder)).expect("a directory");
        for n in 0..10 {
            let file = top.join(folder).join(n.to_string());
            fs::write(&file, "data").expect("a file");
            fs::hard_link(&file, top.join(format!("{folder}-{n}"))).expect("a link");
        }
        symlink("anywhere", top.join(folder).join("symlink")).expect("a symlink");
    }
    node.gluster(&["volume", "stop", "arb"]);
    let path = node.path("/srv/bricks/arb-1");
    let brick = [BrickRoot::open(&path).expect("a brick")];
    let meter = Meter::default();
    one_brick(&Resolver::new(&brick, &meter), &walk(&path));
    assert!(meter.folders.into_inner() > 0, "the names without any xattr need a scan");
}

fn the_chain_of_the_first_report(brick: &Path) {
    let path = "Banana/1602/160201_File_1602_XX.xls/OC_DEFAULT_MODULE";
    let gfid = gfid_of(&brick.join(path)).to_string();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_georepair"))
        .args(["--quiet", "--format", "json", "resolve-gfid", &gfid, "--brick"])
        .arg(brick)
        .output()
        .expect("georepair runs");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let found = |pointer| answer.pointer(pointer).expect("as the contract says");
    assert_eq!((output.status.code(), found("/gfids/0/paths/0")), (Some(0), &path.into()));
    let above = Path::new(path).ancestors().skip(1);
    let told = found("/gfids/0/ancestors").as_array().expect("a list").iter();
    for (told, above) in told.zip(above) {
        let gfid = told.get("gfid").and_then(|gfid| gfid.as_str());
        assert_eq!(gfid, Some(gfid_of(&brick.join(above)).to_string().as_str()));
    }
}
