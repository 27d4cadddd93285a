//! `trigger-sync` on real volumes: what it mends, proves and refuses, and what a death leaves.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::lab::Lab;
use crate::mount::{self, ON_PRIMARY, ON_SECONDARY};
use crate::shape::REPLICATED;
use crate::volume::{PRIMARY, SECONDARY};
use crate::{listing, session};

const BRICK: &str = "/srv/bricks/gv0";
/// A mount as gsyncd's own: what is made through it is recorded nowhere, so nothing replicates it.
const UNRECORDED: &str = "/mnt/unrecorded";

/// Runs trigger-sync on m1.
fn trigger(lab: &Lab, words: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_georepair");
    let command = [program, "--format", "json", "trigger-sync", "--mount"];
    lab.node("m1").try_for(600, &[&command[..], words].concat())
}

/// Runs it to its end and answers with its document.
#[track_caller]
fn triggered(lab: &Lab, words: &[&str]) -> Value {
    let output = trigger(lab, &[&[ON_PRIMARY, "--yes"], words].concat());
    let shown = String::from_utf8_lossy(&output.stderr);
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}: {shown}", output.status));
    assert_eq!(output.status.code(), Some(0), "{told:#}\n{shown}");
    told
}

#[track_caller]
fn assert_proven(told: &Value, objects: u64) {
    let verified = &told["verified"];
    for (key, wanted) in [
        ("recorded", objects),
        ("not_recorded", 0),
        ("arrived", objects),
        ("different", 0),
        ("missing", 0),
    ] {
        assert_eq!(verified[key], wanted, "{key}: {told:#}");
    }
    assert_eq!(verified["sent"], true, "{told:#}");
}

/// Makes a tree that no changelog knows: `folders` directories of `files` files, by user 33. One
/// file of each directory has content; the others are empty, which is made faster.
fn make_unrecorded(lab: &Lab, top: &str, folders: u32, files: u32) {
    mount::mount(lab, "m1", PRIMARY, UNRECORDED, &["--client-pid=-1"]);
    let script = format!(
        "cd {UNRECORDED}; mkdir -m 2751 {top}; chown 33:34 {top}; cd {top}; \
         seq {folders} | setpriv --reuid 33 --regid 34 --clear-groups \
         xargs -P 8 -I D bash -ec 'mkdir -m 710 D; cd D; echo in D >1; touch $(seq 2 {files})'"
    );
    let made = lab.node("m1").try_for(600, &["bash", "-euc", &script]);
    assert!(made.status.success(), "{made:?}");
    lab.run_on("m1", &["umount", UNRECORDED]);
}

/// Both sides of a tree are equal, owners and modes too.
#[track_caller]
fn assert_equal_below(lab: &Lab, top: &str, entries: usize) {
    let here = listing::list(&lab.on_primary(top)).expect("the tree on the primary");
    let there = listing::list(&lab.on_secondary(top)).expect("the tree on the secondary");
    assert_eq!(listing::compare(&here, &there), []);
    assert_eq!(here.len(), entries);
    let about = |path: &Path| {
        use std::os::unix::fs::MetadataExt as _;
        let about = path.metadata().expect("the top of the tree");
        (about.mode(), about.uid(), about.gid())
    };
    assert_eq!(about(&lab.on_primary(top)), about(&lab.on_secondary(top)));
}

/// The E records below `top` that m1's brick wrote after `after`, in their order.
fn entries_recorded(lab: &Lab, after: u64) -> Vec<Value> {
    let folder = lab.node("m1").path(BRICK).join(".glusterfs/changelogs");
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten();
    let ends = files.filter_map(|file| {
        let end = file.file_name().to_str()?.strip_prefix("CHANGELOG.")?.parse::<u64>().ok()?;
        (end > after).then(|| file.into_path())
    });
    let mut words = vec!["--quiet", "--format", "json", "changelog", "show"];
    let paths: Vec<String> = ends.map(|path| path.to_string_lossy().into_owned()).collect();
    words.extend(paths.iter().map(String::as_str));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_georepair"));
    let output = command.args(words).output().expect("georepair runs");
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let records = told.get("records").and_then(Value::as_array).expect("records").iter();
    records.filter(|record| record["type"] == "E").cloned().collect()
}

/// The seed of this project: a directory lost on the secondary. What is written into it later
/// arrives, what was there before never does; no log says so, and the status is Active.
#[test]
fn a_tree_lost_on_the_secondary_is_mended_by_one_command_in_pre_order() {
    let Some(lab) = Lab::shared() else { return };
    session::live(&lab);
    let top = "OC_DEFAULT_MODULE";
    lab.run_on(
        "m1",
        &[
            "bash",
            "-c",
            "cd /mnt/gv0; mkdir -p OC_DEFAULT_MODULE/{a/b/c,empty,'odd name'}; \
             for d in . a a/b a/b/c 'odd name'; do echo in \"$d\" >\"OC_DEFAULT_MODULE/$d/file\"; done; \
             chown -R 33:34 OC_DEFAULT_MODULE; chmod 2751 OC_DEFAULT_MODULE/a; \
             chmod 640 OC_DEFAULT_MODULE/a/file",
        ],
    );
    listing::wait_equal(&lab);
    lab.run_on("s1", &["rm", "-r", &format!("{ON_SECONDARY}/{top}")]);
    let after = newest_slice(&lab);
    let told = triggered(&lab, &[top, "--verify"]);
    assert_eq!((&told["directories"], &told["files"]), (&6.into(), &5.into()), "{told:#}");
    assert_proven(&told, 11);
    assert_equal_below(&lab, top, 10);

    // A directory's record stands before those of what is in it.
    let entries = entries_recorded(&lab, after);
    let mut made = BTreeSet::new();
    for entry in &entries {
        let parent = &entry["parent"];
        let known = entries.iter().any(|other| other["gfid"] == *parent);
        let text = parent.to_string();
        assert!(!known || made.contains(&text), "{entry} before its directory: {entries:#?}");
        made.insert(entry["gfid"].to_string());
    }
    assert_eq!(made.len(), 11, "{entries:#?}");
}

/// Logs name gfids only: a directory's stands for all below it, and one that is nowhere is told.
#[test]
fn gfids_are_sent_as_the_paths_that_the_bricks_know() {
    let Some(lab) = Lab::shared() else { return };
    lab.run_on("m1", &["mkdir", "-p", "/mnt/gv0/by-gfid/below", "/mnt/gv0/by-finding"]);
    lab.run_on("m1", &["touch", "/mnt/gv0/by-gfid/below/file", "/mnt/gv0/by-finding/file"]);
    let gfid = |path: &str| {
        let whole = lab.node("m1").path(format!("{BRICK}/{path}"));
        let bytes = xattr::get(whole, "trusted.gfid").expect("the brick").expect("a gfid");
        Uuid::from_slice(&bytes).expect("16 bytes").to_string()
    };
    let told = triggered(&lab, &["--gfid", &gfid("by-gfid")]);
    assert_eq!((&told["directories"], &told["files"]), (&2.into(), &1.into()), "{told:#}");

    let finding = json!({ "findings": [{ "gfids": [{ "gfid": gfid("by-finding/file") }] }] });
    let list = lab.node("m1").path("/root/findings.json");
    std::fs::write(list, finding.to_string()).expect("a document");
    let told = triggered(&lab, &["--from-file", "/root/findings.json", "--with-ancestors"]);
    assert_eq!((&told["directories"], &told["files"]), (&1.into(), &1.into()), "{told:#}");

    let nowhere = "11111111-2222-4333-8444-555555555555";
    let output = trigger(&lab, &[ON_PRIMARY, "--gfid", nowhere, "--dry-run"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(nowhere) && said.contains("on the bricks of this node"), "{said}");

    // A sound diagnosis is an answer; nothing at all is a slip of the hand.
    let list = lab.node("m1").path("/root/sound.json");
    std::fs::write(list, json!({ "findings": [] }).to_string()).expect("a document");
    let told = triggered(&lab, &["--from-file", "/root/sound.json"]);
    assert!(told["run"].is_null() && told["files"] == 0, "{told:#}");
    let refused = trigger(&lab, &[ON_PRIMARY]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("name a path, a gfid or a list"), "{said}");
}

/// When the latest slice of m1's brick ended.
fn newest_slice(lab: &Lab) -> u64 {
    let folder = lab.node("m1").path(BRICK).join(".glusterfs/changelogs");
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let ends = files.filter_map(|file| {
        file.file_name().to_str()?.strip_prefix("CHANGELOG.")?.parse::<u64>().ok()
    });
    ends.max().unwrap_or_default()
}

#[test]
#[ignore = "takes many minutes on a busy machine: the tree is made through a mount"]
fn ten_thousand_entries_of_another_owner_arrive() {
    let Some(lab) = Lab::shared() else { return };
    session::live(&lab);
    make_unrecorded(&lab, "many", 100, 100);
    let told = triggered(&lab, &["many", "--verify"]);
    assert_proven(&told, 10_101);
    assert_equal_below(&lab, "many", 10_100);
}

/// Each way to work in vain is refused before anything is done, with the way out.
#[test]
fn where_it_would_be_in_vain_it_is_refused() {
    let Some(lab) = Lab::shared() else { return };
    lab.run_on("m1", &["mkdir", "-p", &format!("{ON_PRIMARY}/folder")]);
    mount::mount(&lab, "m1", PRIMARY, UNRECORDED, &["--client-pid=-1"]);
    mount::mount(&lab, "m1", PRIMARY, "/mnt/gfids", &["--aux-gfid-mount"]);
    mount::mount(&lab, "s1", SECONDARY, "/mnt/client", &[]);
    lab.primary().gluster(&["volume", "create", "plain", "m1:/srv/bricks/plain", "force"]);
    lab.primary().gluster(&["volume", "start", "plain"]);
    mount::mount(&lab, "m1", "plain", "/mnt/plain", &[]);
    let runs_before = runs(&lab).len();
    let root = "00000000-0000-0000-0000-000000000001";
    for (node, mount, path, said, way_out) in [
        ("m1", BRICK, ".", "lies on a brick", "mount -t glusterfs"),
        ("m1", "/srv", ".", "is not a mount of a volume", "mount -t glusterfs"),
        (
            "m1",
            "/mnt/gv0/folder",
            ".",
            "inside the mount at /mnt/gv0",
            "--mount /mnt/gv0 /mnt/gv0/folder",
        ),
        ("m1", UNRECORDED, ".", "--client-pid=-1", "records nothing"),
        (
            "m1",
            "/mnt/gfids",
            &format!(".gfid/{root}"),
            "through .gfid or .meta records only a part",
            "--gfid",
        ),
        ("m1", "/mnt/plain", ".", "changelog.changelog is off", "changelog.changelog on"),
        ("m1", ON_PRIMARY, "/etc/passwd", "not below the mount", "relative to /mnt/gv0"),
        ("s1", "/mnt/client", ".", "is read-only, as the volume of a secondary", "primary"),
        ("s1", ON_SECONDARY, ".", "--client-pid=-1", "records nothing"),
    ] {
        let command = ["trigger-sync", "--yes", "--mount", mount, path];
        let output = lab.georepair(node, &command);
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{node} {mount} {path}: {words}");
        assert!(words.contains(said) && words.contains(way_out), "{node} {mount} {path}: {words}");
    }
    let program = env!("CARGO_BIN_EXE_georepair");
    let nobody = ["setpriv", "--reuid", "65534", "--clear-groups", program, "trigger-sync"];
    let output = lab.node("m1").try_on(&[&nobody[..], &["--mount", ON_PRIMARY, "folder"]].concat());
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs root"), "{output:?}");
    assert_eq!(runs(&lab).len(), runs_before);

    for (node, at) in
        [("m1", UNRECORDED), ("m1", "/mnt/gfids"), ("m1", "/mnt/plain"), ("s1", "/mnt/client")]
    {
        lab.run_on(node, &["umount", at]);
    }
    lab.primary().gluster(&["volume", "stop", "plain", "force"]);
    lab.primary().gluster(&["volume", "delete", "plain"]);
    lab.run_on("m1", &["rm", "-r", "/mnt/gv0/folder"]);
}

/// Calls that change something; an open is one where it may write.
const CHANGING: &str = "setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,chmod,\
    fchmod,fchmodat,chown,fchown,lchown,fchownat,rename,renameat,renameat2,unlink,unlinkat,rmdir,\
    mkdir,mkdirat,link,linkat,symlink,symlinkat,mknod,mknodat,truncate,ftruncate,utimensat,\
    open,openat,openat2,creat";

/// What a command changes on the mount and in the place of the runs, as the kernel was asked.
fn traced(lab: &Lab, words: &[&str]) -> (Vec<String>, bool) {
    let program = env!("CARGO_BIN_EXE_georepair");
    let trace = format!("trace={CHANGING}");
    let strace = ["strace", "-f", "-y", "-s", "200", "-o", "/tmp/trace", "-e", &trace, program];
    let common = ["trigger-sync", "--jobs", "1", "--mount", ON_PRIMARY, "traced"];
    lab.node("m1").try_on(&[&strace[..], &common, words].concat());
    let trace = std::fs::read_to_string(lab.node("m1").path("/tmp/trace")).expect("the trace");
    let calls = trace.lines().filter_map(|line| line.split_once(' ').map(|(_, call)| call.trim()));
    let calls: Vec<&str> = calls
        .filter(|call| {
            let opens = call.starts_with("open") || call.starts_with("creat");
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"];
            !opens || writes.iter().any(|flag| call.contains(flag))
        })
        .collect();
    let keeps = calls.iter().any(|call| call.contains("/var/lib/georepair"));
    // What is reached by an open directory of the mount is named by that, or by its number.
    let mount = [ON_PRIMARY, "/proc/self/fd/"];
    let on_mount = calls.iter().filter(|call| mount.iter().any(|name| call.contains(name)));
    (on_mount.map(|call| (*call).to_owned()).collect(), keeps)
}

#[test]
fn a_dry_run_asks_the_kernel_for_no_change_and_a_run_for_those_planned() {
    let Some(lab) = Lab::shared() else { return };
    lab.run_on("m1", &["mkdir", "-p", "/mnt/gv0/traced/folder"]);
    lab.run_on("m1", &["touch", "/mnt/gv0/traced/file", "/mnt/gv0/traced/folder/file"]);
    let (dry, dry_keeps) = traced(&lab, &["--dry-run"]);
    let (run, run_keeps) = traced(&lab, &["--yes"]);
    assert_eq!((dry_keeps, run_keeps), (false, true));
    // The value that is none, to see whether the mount passes it on.
    assert!(
        dry.len() == 1 && dry[0].contains("\"2\"") && dry[0].contains("EOPNOTSUPP"),
        "{dry:#?}"
    );
    let sets = |name: &str| {
        let call = |call: &&String| {
            call.starts_with("lsetxattr(")
                && call.contains("trigger-sync")
                && call.contains(&format!("/{name}\", "))
                && call.contains("\"1\", 1, 0) = 0")
        };
        run.iter().filter(call).count()
    };
    let touches = run.iter().filter(|call| {
        call.starts_with("fchownat(") && call.contains(", -1, -1, AT_SYMLINK_NOFOLLOW) = 0")
    });
    assert_eq!((sets("traced"), sets("folder"), sets("file")), (1, 1, 2), "{run:#?}");
    assert_eq!(touches.count(), 2, "{run:#?}");
    assert_eq!(run.len(), dry.len() + 4 + 2, "{run:#?}");
    lab.run_on("m1", &["rm", "-r", "/mnt/gv0/traced"]);
}

fn runs(lab: &Lab) -> Vec<Value> {
    let output = lab.georepair("m1", &["--format", "json", "runs", "list"]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("a document");
    told.get("runs").and_then(Value::as_array).cloned().expect("a list")
}

/// Says how long trigger-sync takes, from the first look to the last line of its journal, beside
/// the usual pipe on the same tree: with the session stopped, for gsyncd would use the same
/// processors, and with bricks half a millisecond away, as over a network. What one directory alone
/// takes is what the commands of the cluster take.
#[test]
#[ignore = "takes minutes; for the figures in README.md"]
fn how_fast_beside_find_and_setfattr() {
    let (lab, _) = Lab::up(REPLICATED);
    make_unrecorded(&lab, "rate", 20, 300);
    session::stop(&lab);
    mount::mount_as_operators_do(&lab, "m1", PRIMARY, AS_USUAL);
    side_by_side(&lab, "bricks in memory");
    crate::volume::put_away(&lab, "m1", PRIMARY);
    side_by_side(&lab, "bricks half a ms away");
}

/// A mount as operators have it, with the kernel's usual caches.
const AS_USUAL: &str = "/mnt/as-usual";

fn side_by_side(lab: &Lab, bricks: &str) {
    let pipe = "find /mnt/as-usual/rate -print0 | \
        xargs -0 setfattr -h -n glusterfs.geo-rep.trigger-sync -v 1";
    let program = crate::lab::program();
    let sync = |jobs| {
        let words = ["trigger-sync", "--yes", "--mount", AS_USUAL, "rate"];
        [&[program.as_str(), "--quiet", "--jobs", jobs], &words[..]].concat()
    };
    let mut alone = sync("1");
    alone.extend(["--no-recurse"]);
    let ways: [(&str, Vec<&str>); 5] = [
        ("one directory alone", alone),
        ("find | xargs setfattr", vec!["bash", "-c", pipe]),
        ("--jobs 1", sync("1")),
        ("--jobs 16", sync("16")),
        ("--jobs 64", sync("64")),
    ];
    let mut took = vec![Vec::new(); ways.len()];
    // In turns, so that what else the machine does falls on all alike.
    for _ in 0..3 {
        for ((_, argv), took) in ways.iter().zip(&mut took) {
            let begin = Instant::now();
            lab.run_on("m1", argv);
            took.push(begin.elapsed().as_secs_f64());
        }
    }
    for ((name, _), mut took) in ways.iter().zip(took) {
        took.sort_by(f64::total_cmp);
        let median = took.get(1).copied().unwrap_or_default();
        say!("{bricks}: {name:<22} {median:.2} s, {:.0}/s   {took:.2?}", 6021.0 / median);
    }
}
