//! What is not a brick is refused, with the reason and the next command.
#![expect(clippy::disallowed_methods, reason = "bricks are broken here on purpose")]

use std::fs;

use georepair::domain::{Gfid, Kind, UserError as _};
use georepair::scan::Meter;
use georepair::scan::brick::{BrickError, BrickRoot};
use georepair::scan::resolve::Resolver;

use crate::bricks::{FakeBrick, new_gfid};
use crate::run;
use crate::support::PROGRAM;

fn refused(path: &std::path::Path) -> String {
    let ran = run(path, &[Gfid::ROOT.to_string()], b"");
    assert_eq!((ran.code, ran.out.len()), (3, 0), "{}", ran.err);
    assert!(ran.err.contains("hint: "), "{}", ran.err);
    ran.err
}

#[test]
fn whatever_is_no_brick_is_refused() {
    let Some(brick) = FakeBrick::new() else { return };
    let plain = tempfile::tempdir().unwrap();
    assert!(refused(plain.path()).contains("no trusted.glusterfs.volume-id"));
    assert!(refused(&plain.path().join("none")).contains("there is no brick"));
    brick.dir("folder");
    let inside = refused(&brick.at("folder"));
    assert!(inside.contains(&format!("--brick {}", brick.path().display())), "{inside}");
    brick.file("file");
    assert!(refused(&brick.at("file")).contains("there is no brick"));
}

#[test]
fn a_brick_without_its_handles_is_refused() {
    let Some(brick) = FakeBrick::new() else { return };
    brick.lose_handle(Gfid::ROOT);
    assert!(refused(brick.path()).contains("without the root's handle"));
    fs::remove_dir_all(brick.at(".glusterfs")).unwrap();
    assert!(refused(brick.path()).contains("no .glusterfs"));
}

#[test]
fn others_than_root_are_told_so() {
    let Some(brick) = FakeBrick::new() else { return };
    fs::set_permissions(brick.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // Where the compiled program lies may be closed to others.
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = place.path().join("georepair");
    fs::copy(PROGRAM, &program).unwrap();
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"])
        .arg(&program)
        .args(["resolve-gfid", "--brick"])
        .arg(brick.path())
        .arg(Gfid::ROOT.to_string())
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("by root only") && err.contains("sudo"), "{err}");
}

#[test]
fn a_brick_that_vanishes_is_not_an_empty_one() {
    let Some(brick) = FakeBrick::new() else { return };
    let opened = [BrickRoot::open(brick.path()).unwrap()];
    let meter = Meter::default();
    let resolver = Resolver::new(&opened, &meter);
    assert!(resolver.resolve(&[new_gfid()]).is_ok());
    fs::remove_dir_all(brick.at(".glusterfs")).unwrap();
    let error = resolver.resolve(&[new_gfid()]).unwrap_err();
    assert!(matches!(error, BrickError::Vanished { .. }));
    assert_eq!(error.kind(), Kind::Blind);
}
