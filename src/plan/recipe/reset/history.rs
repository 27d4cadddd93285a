//! `history`: the index of the changelogs is made anew, from the changelogs.
//!
//! A brick holds its index open and would go on writing into the old one, so it stands still
//! meanwhile: one brick after the other, each only when its replicas owe it nothing any more.

use super::{Builder, on};
use crate::domain::BrickState;
use crate::plan::{Guard, Identity, NodePath, Object, State, Step};

pub(super) fn steps(draft: &Builder<'_>) -> Vec<Step> {
    let asked = !draft.wish.bricks.is_empty();
    let bricks = draft.bricks().filter(|(_, it)| asked || !it.index_faults.is_empty());
    let mended: Vec<Step> = bricks.flat_map(|(node, brick)| mend(draft, node, brick)).collect();
    if mended.is_empty() {
        return Vec::new();
    }
    let mut steps = draft.halt();
    steps.extend(mended);
    steps.extend(draft.go());
    steps
}

fn mend(draft: &Builder<'_>, node: &str, brick: &BrickState) -> Vec<Step> {
    let volume = draft.primary();
    let root = NodePath::from(brick.dir.as_path());
    let url = format!("{node}:{}", brick.dir.display());
    let process = Object::BrickProcess { volume: volume.clone(), brick: url };
    let still = Guard::Unchanged { object: process.clone(), was: State::Stopped };
    let guards = || vec![still.clone(), draft.same_brick(brick, &root)];
    let at = NodePath::from(brick.dir.join(".glusterfs/changelogs/htime"));
    let made = |at: &NodePath| Object::HistoryIndex { brick: root.clone(), at: at.clone() };
    let mut steps =
        vec![on(node, vec![draft.same_brick(brick, &root)], process.clone(), State::Stopped)];
    match brick.index {
        None => steps.push(on(node, guards(), made(&at), State::InPlace)),
        Some((inode, born)) => {
            let kept = format!(".glusterfs/htime.before-{}", draft.token());
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
