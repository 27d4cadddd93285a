//! `history`: the changelog index is rebuilt from the changelogs.
//!
//! A brick keeps its index open and would go on writing to the old one, so it is stopped meanwhile:
//! one brick after the other, each only after the heals of the one before.

use super::{Builder, on};
use crate::domain::BrickState;
use crate::plan::{Guard, Identity, NodePath, Object, State, Step};

pub(super) fn steps(builder: &Builder<'_>) -> Vec<Step> {
    let chosen = !builder.options.bricks.is_empty();
    let bricks = builder.bricks().filter(|(_, it)| chosen || !it.index_faults.is_empty());
    let rebuilt: Vec<Step> =
        bricks.flat_map(|(node, brick)| rebuild_index(builder, node, brick)).collect();
    if rebuilt.is_empty() {
        return Vec::new();
    }
    let mut steps = builder.stop();
    steps.extend(rebuilt);
    steps.extend(builder.start_and_verify());
    steps
}

fn rebuild_index(builder: &Builder<'_>, node: &str, brick: &BrickState) -> Vec<Step> {
    let volume = builder.primary();
    let root = NodePath::from(brick.dir.as_path());
    let url = format!("{node}:{}", brick.dir.display());
    let process = Object::BrickProcess { volume: volume.clone(), brick: url };
    let stopped = Guard::Unchanged { object: process.clone(), was: State::Stopped };
    let guards = || vec![stopped.clone(), builder.same_brick(brick, &root)];
    let at = NodePath::from(brick.dir.join(".glusterfs/changelogs/htime"));
    let made = |at: &NodePath| Object::HistoryIndex { brick: root.clone(), at: at.clone() };
    let mut steps =
        vec![on(node, vec![builder.same_brick(brick, &root)], process.clone(), State::Stopped)];
    match brick.index {
        None => steps.push(on(node, guards(), made(&at), State::InPlace)),
        Some((inode, born)) => {
            let kept = format!(".glusterfs/htime.before-{}", builder.token());
            let aside = NodePath::from(brick.dir.join(kept));
            steps.push(on(node, guards(), made(&aside), State::InPlace));
            let identity = Identity { inode, born };
            let old = Object::Movable { at, aside, identity };
            steps.push(on(node, guards(), old, State::Aside));
        }
    }
    steps.push(on(node, Vec::new(), process, State::Started));
    steps.push(on(node, Vec::new(), Object::Unhealed { volume }, State::Absent));
    steps
}
