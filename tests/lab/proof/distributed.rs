//! The distributed shape replicates, and holds what only a distributed volume holds.

use std::os::unix::fs::MetadataExt;

use walkdir::WalkDir;

use crate::lab::Lab;
use crate::shape::{Brick, DISTRIBUTED};
use crate::{listing, requirements};

const FILES: u32 = 24;

#[test]
fn a_distributed_volume_replicates() {
    if !requirements::met() {
        return;
    }
    let (lab, _) = Lab::up(DISTRIBUTED);
    let dir = lab.on_primary("spread");
    std::fs::create_dir(&dir).expect("a directory");
    for n in 0..FILES {
        std::fs::write(dir.join(format!("old-{n}")), format!("file {n}")).expect("a file");
    }
    listing::wait_equal(&lab);
    // A file renamed to a name that belongs to another brick stays where it is; a linkto file
    // of mode 1000 on the other brick points at it.
    for n in 0..FILES {
        std::fs::rename(dir.join(format!("old-{n}")), dir.join(format!("new-{n}"))).expect("moved");
    }
    listing::wait_equal(&lab);
    for bricks in [DISTRIBUTED.primary, DISTRIBUTED.secondary] {
        let linkto: usize = bricks.iter().map(|brick| linkto_files(&lab, brick)).sum();
        let files: Vec<usize> = bricks.iter().map(|brick| data_files(&lab, brick)).collect();
        assert!(linkto > 0, "renames left linkto files on {bricks:?}");
        assert!(files.iter().all(|count| *count > 0), "gfids live on all bricks: {files:?}");
        assert!(files.iter().all(|count| *count < FILES as usize), "on none all: {files:?}");
    }
}

fn in_spread(lab: &Lab, brick: &Brick, wanted: impl Fn(u32) -> bool) -> usize {
    let dir = lab.node(brick.node).path(brick.dir).join("spread");
    let entries = WalkDir::new(dir).min_depth(1).into_iter().flatten();
    entries.filter(|entry| entry.metadata().is_ok_and(|meta| wanted(meta.mode() & 0o7777))).count()
}

fn linkto_files(lab: &Lab, brick: &Brick) -> usize {
    in_spread(lab, brick, |mode| mode == 0o1000)
}

fn data_files(lab: &Lab, brick: &Brick) -> usize {
    in_spread(lab, brick, |mode| mode != 0o1000)
}
