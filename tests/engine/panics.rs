//! A panic while a run is open: it is reported as open, and can be resumed to the same end.

use std::path::Path;
use std::sync::Arc;

use georepair::apply::Origin;
use georepair::domain::Kind;
use georepair::scan::cluster::Tools;
use georepair::task::run::Runner;
use georepair::task::{Context, Progress};

use crate::model::{clock, origin};
use crate::real::{Ground, here};

/// Panics when a run comes to its third step.
struct Panicking;

impl Progress for Panicking {
    fn line(&self, text: &str) {
        assert!(!text.starts_with("step 3 "), "a panic that a test wants");
    }
}

#[test]
fn a_panic_amid_a_run_names_the_command_that_resumes_it() {
    let (model, ground) = (Ground::new(), Ground::new());
    model.plan();
    assert_eq!(model.apply().0, 0);
    let (plan, began) = (ground.plan(), ground.listing());
    let context = Context {
        tools: Tools::new(Path::new("gluster"), "ssh").unwrap(),
        host: here(),
        clock,
        stop: Arc::default(),
        progress: Box::new(Panicking),
    };
    let origin = Origin { host: here(), ..origin() };
    let mut runner = Runner::new(&context, &ground.at("state"), origin);
    let failure = runner.run(&plan, ground.dir.path()).unwrap_err();
    assert_ne!(ground.listing(), began);
    let run = ground.runs()[0]["run"].as_str().unwrap().to_owned();
    assert_eq!(failure.kind, Kind::Midway, "exit code 4");
    assert!(failure.message.contains(&run), "{failure:?}");
    let resume = format!("georepair runs resume {run}");
    assert!(failure.hints.iter().any(|hint| hint.starts_with(&resume)), "{failure:?}");
    let (code, _, err) = ground.run(&["runs", "resume", &run, "--yes"]);
    assert_eq!((code, ground.listing() == model.listing()), (0, true), "{err}");
}
