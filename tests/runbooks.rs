//! The runbooks: a page for every code, and no command in them that the binary lacks.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::Parser as _;
use georepair::cli::Args;
use georepair::domain::Code;

fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let pages = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
    });
    pages.collect()
}

#[test]
fn every_code_has_its_page() {
    let pages: BTreeSet<String> = pages().into_iter().map(|(name, _)| name).collect();
    let missing: Vec<_> = Code::all().filter(|code| !pages.contains(code.slug())).collect();
    assert!(missing.is_empty(), "no page for {missing:?}");
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
