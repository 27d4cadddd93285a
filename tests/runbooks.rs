//! The runbooks: all embedded and built alike; and no text names a command that the binary lacks.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

mod support;

use clap::{Command, CommandFactory as _, Parser as _};
use georepair::cli::Args;
use serde_json::Value;
use support::georepair;

fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let pages = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
    });
    pages.collect()
}

/// That each code has a page is held by the compiler.
#[test]
fn every_page_is_in_the_program() {
    let out = georepair(["runbook", "--format", "json"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&out.stdout).unwrap();
    let listed = listed["runbooks"].as_array().unwrap().iter();
    let listed: Vec<_> = listed.map(|page| page["name"].as_str().unwrap().to_owned()).collect();
    let written: BTreeSet<String> = pages().into_iter().map(|(name, _)| name).collect();
    assert_eq!(listed, Vec::from_iter(written));
}

#[test]
fn every_page_has_its_parts_in_order() {
    let parts = [
        "\n## In the log\n",
        "\n## Confirm\n",
        "\n## Do\n",
        "\n## Do not\n",
        "\n## Fixed in\n",
        "\n## Sources\n",
    ];
    for (name, text) in pages() {
        assert!(text.starts_with(&format!("# {name}: ")), "{name}: first line");
        let places: Vec<_> = parts.iter().map(|part| text.find(part)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{name}: {places:?}");
    }
}

#[test]
fn every_command_of_ours_can_be_typed() {
    let mut seen = 0;
    for (name, text) in pages() {
        for line in text.lines().filter_map(|line| line.trim_start().strip_prefix("$ georepair ")) {
            let words = shlex::split(line).unwrap_or_else(|| panic!("{name}: {line}"));
            let typed = std::iter::once("georepair".to_owned()).chain(words);
            if let Err(error) = Args::try_parse_from(typed) {
                panic!("{name}: {line}: {error}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 40, "only {seen} commands");
}

/// Words that follow the name where no command is meant: `georepair on m2`.
const PROSE: &[&str] = &[
    "and",
    "began",
    "cannot",
    "cargo",
    "carries",
    "could",
    "does",
    "ended",
    "ends",
    "from",
    "has",
    "here",
    "installed",
    "is",
    "itself",
    "left",
    "needs",
    "of",
    "on",
    "or",
    "over",
    "plan",
    "process",
    "reads",
    "sent",
    "stopped",
    "that",
    "there",
    "to",
    "was",
    "would",
];

/// Every text below `src`, and the README.
fn texts() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md")];
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|it| it.to_str()) {
                None if path.is_dir() => folders.push(path),
                Some("rs") => found.push(path),
                _ => {}
            }
        }
    }
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The texts in which a command may be named: string literals and help, without other comments.
fn strings(path: &Path, text: &str) -> String {
    if path.extension().is_some_and(|it| it == "md") {
        return text.to_owned();
    }
    // A literal that goes on over a line break is one text.
    let mut joined = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//!")) {
        match line.strip_suffix('\\') {
            Some(begin) => joined += begin.trim_start(),
            None => joined += &format!("{}\n", line.trim_start()),
        }
    }
    joined
}

/// What is wrong with a command line that begins like this.
fn fault(line: &str, all: &Command) -> Option<String> {
    let stop = |c: char| !(c.is_ascii_alphanumeric() || "-_=".contains(c));
    let mut words = line.split_whitespace();
    let mut command = all;
    for word in words.by_ref() {
        let plain = word.trim_end_matches(stop);
        match command.find_subcommand(plain) {
            Some(next) => command = next,
            None if std::ptr::eq(command, all) && PROSE.contains(&plain) => return None,
            None if command.has_subcommands()
                && plain.starts_with(|c: char| c.is_ascii_lowercase()) =>
            {
                return Some(format!("no command {plain:?} in {}", command.get_name()));
            }
            None => break,
        }
        if !command.has_subcommands() || plain.len() < word.len() {
            break;
        }
    }
    let known = |flag: &str| {
        let named = |it: &clap::Arg| it.get_long() == Some(flag);
        command.get_arguments().chain(all.get_arguments()).any(named)
    };
    let flags = line.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let flags = flags.map(|word| word.split(|c: char| stop(c) || c == '=').next().unwrap());
    let unknown = flags.filter(|flag| !flag.is_empty()).find(|flag| !known(flag));
    unknown.map(|flag| format!("no flag --{flag} of {}", command.get_name()))
}

#[test]
fn no_text_names_a_command_that_does_not_exist() {
    let all = Args::command();
    let (mut seen, mut faults) = (0, Vec::new());
    for (path, text) in texts() {
        for (at, _) in strings(&path, &text).match_indices("georepair ") {
            let text = strings(&path, &text);
            let rest = &text[at + "georepair ".len()..];
            let end = rest.find(['\n', '"', '`', '#', ';', '|', '(', ')', '\\']);
            let line = &rest[..end.unwrap_or(rest.len())];
            // Two blanks end a command in a hint: what follows says what it does.
            let line = line.split("  ").next().unwrap();
            let fault = fault(line, &all);
            faults.extend(fault.map(|it| format!("{}: georepair {line}: {it}", path.display())));
            seen += 1;
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(seen >= 60, "only {seen} commands");
}

#[test]
fn an_invented_command_is_found() {
    let all = Args::command();
    for line in ["repair sends them", "runs forget X", "audit session --deep", "diagnose --deep"] {
        assert!(fault(line, &all).is_some(), "{line}");
    }
    for line in ["runs resume {id}", "on m2", "audit session {primary} --content", "runbook"] {
        assert_eq!(fault(line, &all), None, "{line}");
    }
}
