//! Random bricks: every gfid resolves to exactly the paths a walk of the namespace finds, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;

use georepair::domain::{Gfid, Name};
use georepair::scan::Meter;
use georepair::scan::brick::BrickRoot;
use georepair::scan::resolve::{Query, Resolver, Status};
use proptest::prelude::*;
use rustix::fs::FileType;

use crate::bricks::FakeBrick;

#[derive(Clone, Debug)]
enum Step {
    Dir(usize, Vec<u8>),
    File(usize, Vec<u8>),
    OldFile(usize, Vec<u8>),
    Symlink(usize, Vec<u8>),
    Fifo(usize, Vec<u8>),
    Link(usize, usize, Vec<u8>),
    OldLink(usize, usize, Vec<u8>),
    /// A rename that the xattrs did not hear of.
    Stray(usize, usize, Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = proptest::collection::vec(
        (1..=255_u8).prop_filter("no slash", |byte| *byte != b'/'),
        1..12,
    )
    .prop_filter("no dots", |name| name != b"." && name != b"..");
    let step =
        (0..8_u8, any::<usize>(), any::<usize>(), name).prop_map(|(kind, a, b, name)| match kind {
            0 | 1 => Step::Dir(a, name),
            2 => Step::File(a, name),
            3 => Step::OldFile(a, name),
            4 => Step::Symlink(a, name),
            5 => Step::Fifo(a, name),
            6 if b % 2 == 0 => Step::Link(a, b, name),
            6 => Step::OldLink(a, b, name),
            _ => Step::Stray(a, b, name),
        });
    proptest::collection::vec(step, 1..40)
}

fn build(brick: &FakeBrick, steps: Vec<Step>) {
    let mut dirs = vec![Vec::new()];
    let mut files: Vec<Vec<u8>> = Vec::new();
    let mut taken = BTreeSet::new();
    for step in steps {
        let (Step::Dir(at, name)
        | Step::File(at, name)
        | Step::OldFile(at, name)
        | Step::Symlink(at, name)
        | Step::Fifo(at, name)
        | Step::Link(at, _, name)
        | Step::OldLink(at, _, name)
        | Step::Stray(at, _, name)) = &step;
        let mut path: Vec<u8> = dirs[at % dirs.len()].clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if path == b".glusterfs" || !taken.insert(path.clone()) {
            continue;
        }
        let from = |index: usize| files.get(index % files.len().max(1)).cloned();
        match step {
            Step::Dir(..) => {
                brick.dir(&path);
                dirs.push(path);
                continue;
            }
            Step::File(..) => _ = brick.file(&path),
            Step::OldFile(..) => _ = brick.old_file(&path),
            Step::Symlink(..) => {
                _ = brick.symlink(&path, &format!("../../00/00/{}/x", Gfid::ROOT));
            }
            Step::Fifo(..) => _ = brick.special(&path, FileType::Fifo),
            Step::Link(_, index, _) => match from(index) {
                Some(from) => brick.link(from, &path),
                None => continue,
            },
            Step::OldLink(_, index, _) => match from(index) {
                Some(from) => brick.old_link(from, &path),
                None => continue,
            },
            Step::Stray(_, index, _) => match from(index) {
                Some(from) => {
                    brick.move_silently(&from, &path);
                    files.retain(|file| *file != from);
                }
                None => continue,
            },
        }
        files.push(path);
    }
}

/// What a plain walk of the namespace finds.
fn walk(brick: &FakeBrick) -> BTreeMap<Gfid, BTreeSet<Vec<u8>>> {
    let mut found: BTreeMap<Gfid, BTreeSet<Vec<u8>>> = BTreeMap::new();
    let inside = walkdir::WalkDir::new(brick.path()).min_depth(1).into_iter();
    for entry in inside.filter_entry(|e| e.depth() != 1 || e.file_name() != ".glusterfs") {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(brick.path()).unwrap().as_os_str().as_bytes();
        found.entry(brick.gfid_of(path)).or_default().insert(path.to_vec());
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_gfid_has_the_paths_a_walk_finds_and_back(steps in steps()) {
        let Some(brick) = FakeBrick::new() else { return Ok(()) };
        build(&brick, steps);
        let want = walk(&brick);
        let opened = [BrickRoot::open(brick.path()).unwrap()];
        let meter = Meter::default();
        let resolver = Resolver::new(&opened, &meter);
        let gfids: Vec<_> = want.keys().copied().collect();
        for (answer, (gfid, paths)) in resolver.resolve(&gfids).unwrap().iter().zip(&want) {
            let sight = answer.owner().unwrap();
            let found: BTreeSet<_> =
                sight.links.iter().map(|link| link.path.as_bytes().to_vec()).collect();
            prop_assert_eq!(answer.gfid, Some(*gfid));
            prop_assert_eq!((sight.status, &found), (Some(Status::Resolved), paths));
            prop_assert_eq!(sight.ancestors.last().unwrap().gfid, Some(Gfid::ROOT));
        }
        let paths = want.values().flatten().map(|path| Query::Path(Name::from(path)));
        let answers = resolver.answer(paths.collect()).unwrap();
        let back = want.iter().flat_map(|(gfid, paths)| paths.iter().map(move |_| *gfid));
        for (answer, gfid) in answers.iter().zip(back) {
            prop_assert_eq!(answer.gfid, Some(gfid));
        }
    }
}
