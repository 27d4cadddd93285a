//! Violations planted in small trees of texts: each kind in each form must be found.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::Modules;
use crate::{circles, rules};

/// A small crate that keeps every rule: `scan` has a face that re-exports what its files define.
const SOUND: &[(&str, &str)] = &[
    (
        "lib.rs",
        "//! A crate.\npub mod check; pub mod domain; pub mod plan; pub mod report; pub mod scan;",
    ),
    ("main.rs", "//! The binary.\nfn main() { georepair::report::print(); }"),
    ("domain/mod.rs", "//! Nouns.\npub struct Gfid;"),
    (
        "scan/mod.rs",
        "//! Looks.\nmod log;\nmod walk;\npub use log::{Log, read};\npub use walk::Walk;",
    ),
    (
        "scan/log.rs",
        "//! A log.\nuse std::fs;\nuse crate::domain::Gfid;\npub struct Log(Gfid);\npub fn read() { fs::read(\"x\"); }",
    ),
    ("scan/walk.rs", "//! A walk.\npub struct Walk;"),
    ("check/mod.rs", "//! Rules.\npub mod one;\npub mod two;"),
    (
        "check/one.rs",
        "//! One.\nuse std::io::{self, Write as _};\nuse crate::scan::Log;\npub fn one(_: Log) -> io::Result<()> { Ok(()) }\n#[cfg(test)]\nmod tests { fn reads() { std::fs::read(\"x\"); super::super::two::two(); } }",
    ),
    ("check/two.rs", "//! Two.\nuse super::one;\npub fn two() { one::one(todo!()); }"),
    ("plan/mod.rs", "//! Plans.\npub struct Plan;"),
    ("report/mod.rs", "//! Prints.\npub fn print() {}\npub struct Format;"),
];

/// The sound crate with one file replaced or added.
fn planted(file: &str, text: &str) -> BTreeMap<String, String> {
    let own = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
    let mut texts: BTreeMap<String, String> = SOUND.iter().map(own).collect();
    texts.insert(file.to_owned(), text.to_owned());
    texts
}

fn planted_two(one: (&str, &str), two: (&str, &str)) -> BTreeMap<String, String> {
    let mut texts = planted(one.0, one.1);
    texts.insert(two.0.to_owned(), two.1.to_owned());
    texts
}

/// Asserts that there is one violation and that it names the file.
fn assert_found(violations: &[String], file: &str, text: &str) {
    assert_eq!(violations.len(), 1, "{text}: {violations:?}");
    assert!(violations[0].starts_with(file), "{text}: {violations:?}");
}

fn circles_in(texts: &BTreeMap<String, String>) -> Vec<Vec<String>> {
    let circles = circles::circles(&Modules::read(texts));
    circles.into_iter().map(|circle| circle.into_iter().collect()).collect()
}

#[test]
fn a_sound_crate_is_sound() {
    let texts = planted("domain/mod.rs", "//! Nouns.\npub struct Gfid;");
    let modules = Modules::read(&texts);
    assert_eq!(rules::layers(&modules), [""; 0]);
    assert_eq!(rules::io(&modules), [""; 0]);
    assert_eq!(circles_in(&texts), [[""; 0]; 0]);
    assert_eq!(rules::openings(&texts), [""; 0]);
    assert_eq!(rules::vague_names(&texts), [""; 0]);
    assert_eq!(rules::long_files(&texts), [""; 0]);
}

#[test]
fn an_import_to_the_right_is_found_in_every_form() {
    let forms = [
        "use crate::report;",
        "use crate::report::Format;",
        "use crate::report as other;",
        "use crate::{domain::Gfid, report};",
        "use crate::{domain::Gfid, report::{Format, print}};",
        "use crate::report::*;",
        "use super::super::report;",
        "pub use crate::report::Format;",
        "fn f() { crate::report::print(); }",
        "fn f() { use crate::report; }",
        "fn f() { super::super::report::print(); }",
        "fn f(_: crate::report::Format) {}",
        "fn f<T: crate::report::Format>() {}",
        "impl crate::report::Format for u8 {}",
        "fn f() { let _ = <u8 as crate::report::Format>::new(); }",
        "fn f() { println!(\"{}\", crate::report::print()); }",
        "macro_rules! m { () => { $crate::report::print() } }",
        "#[serde(with = \"crate::report::print\")] struct S;",
        "#[arg(value_parser = crate::report::print)] struct S;",
        "/// As [`crate::report::Format`] has it.\nstruct S;",
        "mod inner { use super::super::super::report; }",
        "#[cfg(test)] mod tests { use crate::report; }",
    ];
    for form in forms {
        // In a file below the room's face, where `super::super` is the root.
        let face = ("plan/mod.rs", "//! Plans.\nmod deep;");
        let texts = planted_two(face, ("plan/deep.rs", &format!("//! Deep.\n{form}")));
        let violations = rules::layers(&Modules::read(&texts));
        assert!(!violations.is_empty(), "not found: {form}");
        assert!(violations.iter().all(|it| it.starts_with("plan/")), "{violations:?}");
    }
}

#[test]
fn an_import_to_the_right_is_found_behind_names_from_elsewhere() {
    let right = "use crate::report;\nfn f() { report::print(); }";
    let texts = planted("plan/mod.rs", &format!("//! Plans.\n{right}"));
    assert_eq!(rules::layers(&Modules::read(&texts)).len(), 2, "the import, and its use");

    let text = "//! Nouns.\npub use crate::report::Format;";
    let user = ("plan/mod.rs", "//! Plans.\nuse crate::domain::Format;");
    let found = rules::layers(&Modules::read(&planted_two(("domain/mod.rs", text), user)));
    assert_eq!(found.len(), 2, "the re-export and who uses it: {found:?}");
}

#[test]
fn plan_may_not_import_scan_nor_through_another_room() {
    let text = "//! Plans.\nuse crate::scan::Log;";
    assert_found(&rules::layers(&Modules::read(&planted("plan/mod.rs", text))), "plan/", text);

    let face =
        ("check/mod.rs", "//! Rules.\npub mod one;\npub mod two;\npub use crate::scan::Log;");
    let user = ("plan/mod.rs", "//! Plans.\nuse crate::check::Log;");
    let found = rules::layers(&Modules::read(&planted_two(face, user)));
    assert_found(&found, "plan/", "through a re-export");
}

#[test]
fn io_is_found_in_every_form() {
    let forms = [
        "use std::fs;",
        "use std::{fmt, fs::File};",
        "use std::net::TcpStream;",
        "use std::process::Command;",
        "use std::env as e;",
        "use std::*;",
        "use std::thread::sleep;",
        "use std::time::{Duration, Instant};",
        "use std::os::unix::fs::MetadataExt as _;",
        "use std::io::stdout;",
        "use rustix::fs::stat;",
        "use xattr;",
        "use walkdir::WalkDir;",
        "use tempfile::tempfile;",
        "fn f() { ::std::fs::read(\"x\"); }",
        "fn f() { std::time::SystemTime::now(); }",
        "fn f() { assert!(std::fs::exists(\"x\")); }",
        "use std::time; fn f() { time::Instant::now(); }",
        "extern crate std as s; fn f() { s::fs::read(\"x\"); }",
        "use jiff::Timestamp; fn f() { Timestamp::now(); }",
        "fn f() { crate::scan::read(); }",
        "use crate::scan::read;",
        "use crate::scan; fn f() { scan::read(); }",
        "#[cfg(not(test))] fn f() { std::fs::read(\"x\"); }",
    ];
    for form in forms {
        for room in ["domain", "plan", "check"] {
            // What scan offers is named in check alone: the layers forbid it elsewhere.
            if form.contains("scan") && room != "check" {
                continue;
            }
            let file =
                if room == "check" { "check/two.rs".to_owned() } else { format!("{room}/mod.rs") };
            let texts = planted(&file, &format!("//! A text.\n{form}"));
            assert_found(&rules::io(&Modules::read(&texts)), &file, form);
        }
    }
}

#[test]
fn io_is_found_behind_a_name_from_elsewhere() {
    let face = ("scan/walk.rs", "//! A walk.\npub struct Walk;\npub use std::fs as files;");
    let user = ("check/two.rs", "//! Two.\nfn f() { crate::scan::walk::files::read(\"x\"); }");
    let found = rules::io(&Modules::read(&planted_two(face, user)));
    assert_found(&found, "check/two.rs", "through a re-export");
}

#[test]
fn io_in_tests_and_pure_parts_of_the_standard_library_are_fine() {
    let forms = [
        "use std::io::{Error, ErrorKind, Read, Result, Write};",
        "use std::os::unix::ffi::OsStrExt as _;",
        "use std::time::Duration;",
        "#[cfg(test)] mod tests { use std::fs; }",
        "#[cfg(test)] fn f() { std::fs::read(\"x\"); }",
    ];
    for form in forms {
        let texts = planted("domain/mod.rs", &format!("//! Nouns.\n{form}"));
        assert_eq!(rules::io(&Modules::read(&texts)), [""; 0], "{form}");
    }
}

#[test]
fn a_circle_of_files_is_found_in_every_form() {
    let forms = [
        "use super::two::two;",
        "use crate::check::two::two;",
        "use super::two; fn f() { two::two(); }",
        "fn f() { super::two::two(); }",
        "fn f() { crate::check::two::two(); }",
        "use crate::check; fn f() { check::two::two(); }",
        "use super::{two::two};",
        "use super::two::*;",
        "fn f() { println!(\"{}\", super::two::two()); }",
        "fn f() { use crate::check::two::two; }",
        "mod inner { use super::super::two::two; }",
        "pub use super::two::two as other;",
    ];
    for form in forms {
        let texts = planted("check/one.rs", &format!("//! One.\npub fn one() {{}}\n{form}"));
        assert_eq!(circles_in(&texts), [["check/one.rs", "check/two.rs"]], "{form}");
    }
}

#[test]
fn a_circle_is_found_through_a_face() {
    let face = ("check/mod.rs", "//! Rules.\npub mod one;\npub mod two;\npub use two::two;");
    let one = ("check/one.rs", "//! One.\nuse super::two;\npub fn one() { two() }");
    assert_eq!(circles_in(&planted_two(face, one)), [["check/one.rs", "check/two.rs"]]);
}

#[test]
fn a_circle_of_three_is_found_and_one_between_folders() {
    let one = ("check/one.rs", "//! One.\nuse crate::plan::Plan;\npub fn one() {}");
    let plan = ("plan/mod.rs", "//! Plans.\npub struct Plan;\nuse crate::check::two::two;");
    let circle = ["check/one.rs", "check/two.rs", "plan/mod.rs"];
    assert_eq!(circles_in(&planted_two(one, plan)), [circle]);
}

#[test]
fn a_face_and_its_child_may_name_each_other_and_tests_may_name_anything() {
    let face = (
        "check/mod.rs",
        "//! Rules.\npub mod one;\npub mod two;\npub struct Kind;\npub fn f() { one::one(); }",
    );
    let one = ("check/one.rs", "//! One.\nuse super::Kind;\npub fn one() {}");
    assert_eq!(circles_in(&planted_two(face, one)), [[""; 0]; 0]);

    let test = "//! One.\npub fn one() {}\n#[cfg(test)]\nmod tests { use super::super::two; fn f() { two::two(); } }";
    assert_eq!(circles_in(&planted("check/one.rs", test)), [[""; 0]; 0]);
}

#[test]
fn a_test_file_is_a_test_by_its_declaration() {
    let one = "//! One.\npub fn one() {}\n#[cfg(test)]\nmod tests;";
    let test = "//! Tests.\nuse crate::check::two::two;\nfn f() { std::fs::read(\"x\"); two(); }";
    let texts = planted_two(("check/one.rs", one), ("check/one/tests.rs", test));
    assert_eq!(circles_in(&texts), [[""; 0]; 0]);
    assert_eq!(rules::io(&Modules::read(&texts)), [""; 0]);
}

#[test]
fn a_new_circle_is_reported_and_a_list_that_names_a_closed_one_too() {
    let found = [BTreeSet::from(["a.rs".to_owned(), "b.rs".to_owned()])];
    assert_eq!(circles::compare(&found, &[&["a.rs", "b.rs"]]), [""; 0]);
    assert_eq!(circles::compare(&found, &[]).len(), 1);
    assert_eq!(circles::compare(&found, &[&["a.rs", "b.rs"], &["c.rs", "d.rs"]]).len(), 1);
    assert_eq!(circles::compare(&found, &[&["a.rs", "c.rs"]]).len(), 2);
}

#[test]
fn a_file_without_a_sentence_is_found() {
    for text in ["", "use std::fs;", "//!No space.", "//! No end\n", "//! No end\n//!\n//! More."] {
        assert_found(&rules::openings(&planted("plan/mod.rs", text)), "plan/", text);
    }
    let sound = "//! One sentence\n//! in two lines.\n//!\n//! More, without an end";
    assert_eq!(rules::openings(&planted("plan/mod.rs", sound)), [""; 0]);
}

#[test]
fn a_vague_name_is_found_for_a_file_and_for_a_folder() {
    for file in ["plan/utils.rs", "plan/helpers/mod.rs", "common.rs"] {
        assert_found(&rules::vague_names(&planted(file, "//! Things.")), file, file);
    }
}

#[test]
fn a_long_file_is_found() {
    let lines = |count: usize| format!("//! Long.\n{}", "\n".repeat(count - 1));
    assert_eq!(rules::long_files(&planted("plan/mod.rs", &lines(600))), [""; 0]);
    assert_found(&rules::long_files(&planted("plan/mod.rs", &lines(601))), "plan/", "601 lines");
}

#[test]
fn a_dependency_that_nobody_judged_is_found() {
    let manifest = include_str!("../../Cargo.toml");
    assert_eq!(rules::unknown_dependencies(manifest), [""; 0]);
    let more = manifest.replace("\nmemchr =", "\nmemmap2 = \"1\"\nmemchr =");
    assert_found(&rules::unknown_dependencies(&more), "memmap2", "one more");
    let fewer = manifest.replace("\nmemchr =", "\nnothing =");
    assert_eq!(rules::unknown_dependencies(&fewer).len(), 2, "one is unknown, one is gone");
}
