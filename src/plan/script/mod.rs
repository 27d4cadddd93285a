//! A plan as shell scripts, one per node, for sites without ssh between the nodes.
//!
//! What one command does (`setfattr`, `mv`, `gluster`) is plain shell. The rest is a call of
//! `georepair agent do`, the executor of a run.

mod command;
pub(in crate::plan) mod quote;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use self::quote::quoted;
use super::{Item, Plan, Step};

/// The functions at the head of every script.
const HEAD: &str = include_str!("script.sh");

/// The scripts by their file names.
#[must_use]
pub fn scripts(plan: &Plan) -> BTreeMap<String, String> {
    let nodes = plan.steps.iter().map(|step| &step.node);
    nodes.map(|node| (file_name(node), script(plan, node))).collect()
}

/// An item of a list as a script reads it: a path and a NUL byte, or a command.
#[must_use]
pub fn list_item(item: &Item) -> Vec<u8> {
    match item {
        Item::Trigger(trigger) => [trigger.at.name().as_bytes(), b"\0"].concat(),
        Item::Change(change) => {
            let says = quoted_line(&change.action().says());
            let does = command::listed_command(change);
            format!("{does} || {{ echo {says} >&2; exit 4; }}\n").into_bytes()
        }
    }
}

fn file_name(node: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    format!("{}.sh", node.chars().map(plain).collect::<String>().trim_start_matches(['.', '-']))
}

fn script(plan: &Plan, node: &str) -> String {
    let mut text = format!("\n# {}\n", one_line(&plan.title));
    let _ = writeln!(text, "# The steps on {}; {}", one_line(node), one_line(&plan.session));
    let mut before: Option<&Step> = None;
    for step in &plan.steps {
        if step.node == node {
            if let Some(before) = before.filter(|before| before.node != node) {
                let other = quoted(before.node.as_bytes());
                let _ = writeln!(text, "\nafter {} {other}", before.id);
            }
            text.push_str(&script_step(step));
        }
        before = Some(step);
    }
    if let Some(left) = &plan.afterwards {
        let _ = writeln!(text, "\n# When all scripts are done: {}", one_line(&left.to_string()));
    }
    text.push_str("\necho done\n");
    HEAD.to_owned() + &text
}

/// A plain step: skipped if it is done, refused if a guard fails, verified afterwards.
fn plain_step(step: &Step, command: &str) -> String {
    let id = step.id;
    let mut text = String::new();
    let done = step.does.action().and_then(|it| command::state_test(&it.object, &it.wanted));
    match &done {
        Some(done) => {
            let _ = writeln!(text, "if {done}; then\n  echo '  already done'\nelse");
        }
        None => text.push_str("{\n"),
    }
    for guard in &step.guards {
        let expected = quoted_line(&guard.to_string());
        let _ = match command::guard_test(guard) {
            Some(holds) => writeln!(text, "  {holds} ||\n    refuse {id} {expected}"),
            None => writeln!(text, "  ask {id} {expected}"),
        };
    }
    let _ = writeln!(text, "  {command} ||\n    fail {id}");
    match &done {
        Some(done) => {
            let _ = writeln!(text, "  {done} ||\n    fail {id}\nfi");
        }
        None => text.push_str("}\n"),
    }
    text
}

fn script_step(step: &Step) -> String {
    let does = match command::plain_command(step) {
        Some(command) => plain_step(step, &command),
        None => format!("georepair_do {} {}\n", step.id, quoted(step.to_json().as_bytes())),
    };
    format!("\nsay {} {}\n{does}", step.id, quoted_line(&step.does.says()))
}

/// A text as one word for a shell, and on one line.
fn quoted_line(text: &str) -> String {
    quoted(one_line(text).as_bytes())
}

/// A text without line breaks and other control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
