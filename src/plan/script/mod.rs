//! A plan as shell scripts, one a node, for sites where no ssh goes from node to node.

mod command;
pub(in crate::plan) mod quote;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use self::quote::quoted;
use super::{Item, Plan, Step};

/// What every script begins with: how it asks, and how it stops.
const HEAD: &str = include_str!("script.sh");

/// The scripts by their file names.
#[must_use]
pub fn scripts(plan: &Plan) -> BTreeMap<String, String> {
    let nodes = plan.steps.iter().map(|step| &step.node);
    nodes.map(|node| (file_name(node), script(plan, node))).collect()
}

/// An item as its list holds it: a path and a NUL byte, or a command.
#[must_use]
pub fn line(item: &Item) -> Vec<u8> {
    match item {
        Item::Trigger(trigger) => [trigger.at.name().as_bytes(), b"\0"].concat(),
        Item::Change(change) => {
            let action = change.action();
            let (does, says) = (action.shell(), comment(&action.says()));
            format!("{does} || {{ echo {} >&2; exit 4; }}\n", quoted(says.as_bytes())).into_bytes()
        }
    }
}

fn file_name(node: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    format!("{}.sh", node.chars().map(plain).collect::<String>().trim_start_matches(['.', '-']))
}

fn script(plan: &Plan, node: &str) -> String {
    let mut text = format!("\n# {}\n", comment(&plan.title));
    let _ = writeln!(text, "# The steps on {}; {}", comment(node), comment(&plan.session));
    let mut before: Option<&Step> = None;
    for step in &plan.steps {
        if step.node == node {
            if let Some(before) = before.filter(|before| before.node != node) {
                let elsewhere = quoted(before.node.as_bytes());
                let _ = writeln!(text, "\nafter {} {elsewhere}", before.id);
            }
            text.push_str(&of_step(step));
        }
        before = Some(step);
    }
    if let Some(left) = &plan.afterwards {
        let _ = writeln!(text, "\n# When all scripts are done: {}", comment(&left.to_string()));
    }
    text.push_str("\necho done\n");
    head_for(&text) + &text
}

/// The head without the functions that a script does not use: who reads it reads no more.
fn head_for(body: &str) -> String {
    let blocks: Vec<&str> = HEAD.split("\n\n").collect();
    let mut used: Vec<bool> = blocks.iter().map(|block| names(block).is_empty()).collect();
    loop {
        let texts = blocks.iter().zip(&used).filter_map(|(block, used)| used.then_some(*block));
        let known: Vec<&str> = texts.chain([body]).collect();
        let calls = |name: &str| known.iter().any(|text| mentions(text, name));
        let next: Vec<bool> = blocks
            .iter()
            .zip(&used)
            .map(|(it, &so)| so || names(it).iter().any(|n| calls(n)))
            .collect();
        if next == used {
            break;
        }
        used = next;
    }
    let kept =
        blocks.iter().zip(&used).filter_map(|(block, used)| used.then_some(block.trim_end()));
    kept.collect::<Vec<_>>().join("\n\n") + "\n"
}

/// The functions that a block of the head defines.
fn names(block: &str) -> Vec<&str> {
    let defined = block.lines().filter_map(|line| line.split_once("() {"));
    defined.map(|(name, _)| name).filter(|name| !name.contains(' ')).collect()
}

/// Whether a text calls a function: its name as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|it| it.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|it| it.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn of_step(step: &Step) -> String {
    let (id, says) = (step.id, step.does.says());
    let done = step.does.action().and_then(|it| command::is(&it.object, &it.wanted));
    let mut text = format!("\nsay {id} {}\n", quoted(comment(&says).as_bytes()));
    if let Some(done) = &done {
        let _ = writeln!(text, "if {done}; then\n  echo '  already so'\nelse");
    } else {
        text.push_str("{\n");
    }
    for guard in &step.guards {
        let says = quoted(comment(&guard.to_string()).as_bytes());
        match command::holds(guard) {
            Some(holds) => {
                let _ = writeln!(text, "  {holds} ||\n    refuse {id} {says}");
            }
            None => {
                let _ = writeln!(text, "  ask {id} {says}");
            }
        }
    }
    let _ = writeln!(text, "  {} ||\n    fail {id}", step.does.shell());
    if let Some(done) = &done {
        let _ = writeln!(text, "  {done} ||\n    fail {id}\nfi");
    } else {
        text.push_str("}\n");
    }
    text
}

/// Text that stays on one line.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
