//! Names of any bytes come back exactly.

use std::fmt::Write as _;

use serde_json::json;

use crate::bricks::FakeBrick;
use crate::{ask_one, run};

const NAMES: &[&[u8]] = &[
    b"line\nbreak",
    b"it's \"quoted\"",
    b"-rf",
    b"caf\xe9",
    "caf\u{e9}.txt".as_bytes(),
    b" lead and trail ",
    b"\x1b[31mred",
    b"a:b",
    b"back\\slash",
    "\u{65e5}\u{672c}".as_bytes(),
    b"\xff\xfe",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[test]
fn json_is_exact() {
    let Some(brick) = FakeBrick::new() else { return };
    for name in NAMES {
        let dir = brick.dir(name);
        let path = [name, &b"/"[..], name].concat();
        let file = brick.file(&path);
        let scanned = brick.old_file([name, &b"/old"[..], name].concat());
        for (gfid, path) in
            [(dir, name.to_vec()), (file, path), (scanned, [name, &b"/old"[..], name].concat())]
        {
            let (code, answer) = ask_one(&brick, gfid);
            assert_eq!(code, 0);
            match String::from_utf8(path) {
                Ok(text) => {
                    assert_eq!(answer["paths"], json!([text]));
                    assert_eq!(answer["paths_bytes"], json!([null]));
                }
                Err(error) => assert_eq!(answer["paths_bytes"], json!([hex(error.as_bytes())])),
            }
        }
    }
}

#[test]
fn nul_separated_is_exact() {
    let Some(brick) = FakeBrick::new() else { return };
    let gfids: Vec<_> = NAMES.iter().map(|name| brick.file(name).to_string()).collect();
    let mut args = vec!["-0".to_owned()];
    args.extend(gfids);
    args.insert(5, "11111111-2222-3333-4444-555555555555".to_owned());
    let ran = run(brick.path(), &args, b"");
    assert_eq!(ran.code, 1);
    let want: Vec<u8> = NAMES.iter().flat_map(|name| [name, &b"\0"[..]].concat()).collect();
    assert_eq!(ran.out, want);
}

#[test]
fn a_terminal_gets_no_control_characters() {
    let Some(brick) = FakeBrick::new() else { return };
    let gfid = brick.file(b"\x1b[2J\nx").to_string();
    let ran = run(brick.path(), &["--color", "always", &gfid], b"");
    assert_eq!(
        String::from_utf8(ran.out).unwrap(),
        format!("{gfid}  file       $'\\x1b[2J\\nx'\n")
    );
}

#[test]
fn stale_and_ancestor_names_are_exact_too() {
    let Some(brick) = FakeBrick::new() else { return };
    let dir = brick.dir(b"caf\xe9");
    let gfid = brick.file(b"caf\xe9/file");
    brick.record_as(b"caf\xe9/file", dir, b"gone\xe9");
    let (_, answer) = ask_one(&brick, gfid);
    assert_eq!(answer["ancestors"][0]["name_bytes"], json!("636166e9"));
    assert_eq!(answer["stale"][0]["name_bytes"], json!("676f6e65e9"));
}
