//! `kill -9` at random moments, on real files.

use std::time::{Duration, Instant};

use crate::real::Ground;

/// Where the twenty moments come from: the same in each run of the tests, spread over the run.
pub(crate) fn moment(round: u32) -> f64 {
    f64::from(round.wrapping_mul(2_654_435_761) >> 8) / f64::from(1_u32 << 24)
}

pub(crate) fn kill_after(ground: &Ground, words: &[&str], patience: Duration) {
    let mut child = ground
        .georepair(words)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(patience);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_is_resumed_to_the_same_end_or_taken_back_to_its_beginning() {
    let model = Ground::new();
    let began = model.listing();
    model.plan();
    let start = Instant::now();
    let (code, _, err) = model.apply();
    assert_eq!(code, 0, "{err}");
    let whole = start.elapsed();
    let ended = model.listing();
    assert_ne!(began, ended);
    let mut midway = 0;
    for round in 0..20 {
        let ground = Ground::new();
        ground.plan();
        let file = ground.plan_file();
        let words = ["apply", file.to_str().unwrap(), "--yes"];
        kill_after(&ground, &words, whole.mul_f64(moment(round)));
        let runs = ground.runs();
        let Some(run) = runs.first() else {
            assert_eq!(ground.listing(), began, "no run, no change");
            continue;
        };
        assert!(run["damage"].is_null(), "{run}");
        midway += u32::from(run["state"] == "unfinished");
        let id = run["run"].as_str().unwrap();
        if round % 2 == 0 {
            if run["state"] == "unfinished" {
                kill_after(
                    &ground,
                    &["runs", "resume", "--yes"],
                    whole.mul_f64(moment(round + 99)),
                );
            }
            if ground.runs()[0]["state"] == "unfinished" {
                let (code, _, err) = ground.run(&["runs", "resume", "--yes"]);
                assert_eq!(code, 0, "{err}");
            }
            assert_eq!(ground.listing(), ended, "round {round}");
        } else {
            kill_after(&ground, &["runs", "undo", id, "--yes"], whole.mul_f64(moment(round + 99)));
            match ground.runs().get(1) {
                Some(undo) if undo["state"] == "unfinished" => {
                    let (code, _, err) = ground.run(&["runs", "resume", "--yes"]);
                    assert_eq!(code, 0, "{err}");
                }
                Some(_) => {}
                None => {
                    let (code, _, err) = ground.run(&["runs", "undo", id, "--yes"]);
                    assert_eq!(code, 0, "{err}");
                }
            }
            assert_eq!(ground.listing(), began, "round {round}");
        }
    }
    assert!(midway >= 5, "only {midway} of 20 were killed midway");
}
