//! A test that cannot run here is reported; in CI it fails.

use std::io::Write as _;

/// Reports that the current test was skipped, and why.
///
/// # Panics
///
/// With `CI` set, where a test that did not run must not count as passed.
#[expect(clippy::disallowed_methods, reason = "a test asks whether it runs in CI")]
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "this test has to run in CI, but {why}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // To stderr itself: libtest hides what passing tests print.
    drop(writeln!(std::io::stderr(), "SKIPPED {test}: {why}"));
}
