//! Starts the georepair that was built with the tests: the one way to do it in every suite.

use std::ffi::OsStr;
use std::process::Command;

/// The program's path.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_georepair");

/// `georepair` with these arguments and an empty environment, not yet started.
#[expect(clippy::disallowed_methods, reason = "a test runs the product")]
pub(crate) fn georepair<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear();
    command
}
