//! How a plan looks: to a person before anything happens, to a script, and as a script.

use georepair::plan::{Because, Guard, Identity, Object, Plan, State, Step, script};
use georepair::report::{ColorChoice, Document as _, Format, OutputStyle, PlanView};

use crate::crashes::{plan, step};

/// A plan with a step of most kinds, as a reset would have it.
fn reset() -> Plan {
    let (primary, secondary) = ("gv0".to_owned(), "geo@s1::gv0dr".to_owned());
    let session = Object::Session { primary: primary.clone(), secondary: secondary.clone() };
    let identity = Identity { inode: 42, born: Some(1_795_232_542_000_000_007) };
    let at = "/srv/bricks/gv0/.glusterfs/changelogs".into();
    let aside = "/srv/bricks/gv0/.glusterfs/kept/changelogs".into();
    let name = "trusted.glusterfs.stime".to_owned();
    let mark = Object::Xattr { at: "/srv/bricks/caf\u{e9} $(x)".into(), name };
    let stopped = Guard::SessionStopped { primary: primary.clone(), secondary: secondary.clone() };
    let was = Guard::Unchanged { object: mark.clone(), was: State::value(&[1, 2, 3]) };
    let key = "sync-jobs".to_owned();
    let setting = Object::SessionConfig { primary, secondary, key };
    let kept = Object::Kept { at: "/srv/old\u{1b}[2J".into(), identity };
    plan(vec![
        Step { because: Because::Asked, ..step(session.clone(), State::Stopped) },
        Step { guards: vec![stopped, was], ..step(mark, State::value(&[0; 8])) },
        Step {
            node: "m2".to_owned(),
            ..step(Object::Movable { at, aside, identity }, State::Aside)
        },
        step(setting, State::text("5; reboot")),
        step(kept, State::Spent),
        step(session, State::Started),
    ])
}

#[test]
fn a_plan_as_a_person_sees_it() {
    let plan = reset();
    let (format, color) = (Format::Human, ColorChoice::Never);
    let look = OutputStyle { format, color, width: 100, verbose: false, top: None };
    let mut out = Vec::new();
    let so = vec![true, false, false, false, false, false];
    PlanView::new(&plan, so).human(&look, &mut out).unwrap();
    let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn a_plan_as_a_document_and_as_scripts() {
    let plan = reset();
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan).unwrap());
    for (name, text) in script::scripts(&plan) {
        let (_, steps) = text.split_once("\n# a test").unwrap();
        insta::assert_snapshot!(name, steps);
    }
}

#[test]
fn the_digest_is_of_what_a_plan_does_not_of_its_words() {
    let plan = reset();
    let mut document = serde_json::to_value(&plan).unwrap();
    document["steps"][1]["says"] = "do something else".into();
    let read: Plan = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(read.digest(), plan.digest());
    document["steps"][1]["action"]["shall_be"] = serde_json::json!({ "is": "absent" });
    let read: Plan = serde_json::from_value(document).unwrap();
    assert_ne!(read.digest(), plan.digest());
}
