//! `audit session` on volumes of several bricks: copies, pointers, arbiters, fragments, shards.

use std::path::Path;

use crate::bricks::{FakeBrick, new_gfid};
use crate::pair::Pair;
use crate::{AuditOutput, told};

/// Audits bricks of the primary against the pair's secondary.
fn audit(pair: &Pair, more: &[&FakeBrick], flags: &[&str]) -> AuditOutput {
    let mut all = Vec::new();
    for brick in more {
        brick.belong(u128::from_be_bytes([7; 16]));
        all.extend(["--primary-brick", brick.path().to_str().unwrap()]);
    }
    told(&pair.run(&[&all, flags].concat()))
}

/// The hashes of a brick's root, as DHT keeps them.
fn hashes(brick: &FakeBrick, first: u32, last: u32) {
    let value = [0, 1, first, last].map(u32::to_be_bytes).concat();
    brick.xattr(Path::new("."), "trusted.glusterfs.dht", &value);
}

#[test]
fn names_that_no_xattr_tells_are_not_called_equal() {
    let Some(pair) = Pair::filled() else { return };
    let gfid = pair.primary.old_file("old");
    std::fs::write(pair.secondary.at("old"), "data").unwrap();
    pair.secondary.adopt("old", gfid);
    pair.both().iter().for_each(|brick| brick.age("old", 9));
    let told = pair.audit(&[]);
    assert_eq!((told.findings(), told.code), (vec![], 5), "{:#}", told.document);
    assert!(
        told.list("unseen").contains("incomplete gfid2path xattrs: 1 "),
        "{}",
        told.list("unseen")
    );
}

/// A brick writes down a name after it was made, and takes the record away before it.
#[test]
fn a_name_that_is_told_in_a_moment_is_waited_for() {
    let Some(pair) = Pair::filled() else { return };
    pair.file("new", "content");
    pair.both().iter().for_each(|brick| brick.unrecord("new"));
    let told = std::thread::scope(|scope| {
        let audit = scope.spawn(|| pair.audit(&[]));
        std::thread::sleep(std::time::Duration::from_millis(250));
        pair.both().iter().for_each(|brick| brick.record("new"));
        audit.join().unwrap()
    });
    assert_eq!((told.findings(), told.code), (vec![], 0), "{:#}", told.document);
}

#[test]
fn half_a_volume_is_no_volume() {
    let Some(pair) = Pair::filled() else { return };
    hashes(&pair.primary, 0, 0x7fff_ffff);
    let output = pair.run(&[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("80000000 to ffffffff"), "{said}");
}

#[test]
fn copies_are_one_and_their_quarrel_is_told() {
    let (Some(pair), Some(copy)) = (Pair::new(), FakeBrick::new()) else { return };
    let gfid = pair.file("file", "content");
    copy.file_as("file", gfid, "content");
    assert_eq!(audit(&pair, &[&copy], &[]).code, 0);
    copy.rewrite("file", "stale");
    let told = audit(&pair, &[&copy], &[]);
    assert_eq!((told.findings(), told.code), (vec![("copies-differ", "file")], 1));
    copy.remove("file");
    let told = audit(&pair, &[&copy], &[]);
    assert_eq!((told.findings(), told.code), (vec![("copies-differ", "file")], 1));
}

#[test]
fn pointers_of_dht_are_no_files() {
    let (Some(pair), Some(other)) = (Pair::new(), FakeBrick::new()) else { return };
    let gfid = pair.file("file", "content");
    other.linkto("file", gfid, "P-client-0");
    hashes(&pair.primary, 0, 0x7fff_ffff);
    hashes(&other, 0x8000_0000, u32::MAX);
    let told = audit(&pair, &[&other], &["--content"]);
    assert_eq!((told.findings(), told.code), (vec![], 0), "{:#}", told.document);
}

#[test]
fn an_arbiter_has_names_and_no_data() {
    let (Some(pair), Some(two), Some(arbiter)) = (Pair::new(), FakeBrick::new(), FakeBrick::new())
    else {
        return;
    };
    for n in 0..5 {
        let (name, gfid) = (format!("f{n}"), pair.file(&format!("f{n}"), "content"));
        two.file_as(&name, gfid, "content");
        arbiter.file_as(&name, gfid, "");
    }
    let told = audit(&pair, &[&two, &arbiter], &["--content"]);
    assert_eq!((told.findings(), told.code), (vec![], 0), "{:#}", told.document);
    assert!(told.list("scope").contains("1 of them arbiters"), "{}", told.list("scope"));
    pair.primary.remove("f3");
    let told = audit(&pair, &[&two, &arbiter], &[]);
    assert_eq!((told.findings(), told.code), (vec![("copies-differ", "f3")], 1));
}

#[test]
fn fragments_have_the_whole_files_size_and_no_content_to_compare() {
    let (Some(pair), Some(two), Some(three)) = (Pair::new(), FakeBrick::new(), FakeBrick::new())
    else {
        return;
    };
    let gfid = new_gfid();
    pair.secondary.file_as("file", gfid, "content");
    for (brick, part) in [(&pair.primary, "con"), (&two, "ten"), (&three, "t..")] {
        brick.file_as("file", gfid, part);
        brick.xattr("file", "trusted.ec.size", &7_u64.to_be_bytes());
    }
    let told = audit(&pair, &[&two, &three], &[]);
    assert_eq!((told.findings(), told.code), (vec![], 0), "{:#}", told.document);
    let told = audit(&pair, &[&two, &three], &["--content"]);
    assert_eq!((told.findings(), told.code), (vec![], 5), "{:#}", told.document);
    assert!(told.list("unseen").contains("fragments"), "{}", told.list("unseen"));
    pair.secondary.rewrite("file", "longer content");
    let told = audit(&pair, &[&two, &three], &[]);
    assert_eq!(told.findings(), [("size-differs", "file")]);
}

#[test]
fn a_sharded_file_has_the_size_of_all_its_shards() {
    let Some(pair) = Pair::new() else { return };
    pair.file("file", "the first shard");
    let size = |bytes: u64| [bytes.to_be_bytes(), [0; 8], [0; 8], [0; 8]].concat();
    for brick in pair.both() {
        brick.xattr("file", "trusted.glusterfs.shard.file-size", &size(99));
    }
    assert_eq!(pair.audit(&[]).code, 0);
    pair.secondary.xattr("file", "trusted.glusterfs.shard.file-size", &size(50));
    assert_eq!(pair.audit(&[]).findings(), [("size-differs", "file")]);
}
