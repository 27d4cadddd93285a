//! A process that holds namespaces open, and takes everything inside with it when the test dies.
//!
//! The held namespaces live exactly as long as the pipe to their first process. The kernel closes
//! that pipe on every kind of death of the test process, SIGKILL too, and then ends every process
//! of the pid namespace. (`PR_SET_PDEATHSIG` would not do: it fires when the *thread* that started
//! the child ends, and every test has a thread of its own.)

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Marks every process of a lab in its environment.
pub(crate) const MARK: &str = "GEOREPAIR_LAB";

/// Namespaces, and the process that keeps them.
#[derive(Debug)]
pub(crate) struct Holder {
    child: Child,
    init: u32,
}

impl Holder {
    /// Starts `script` as the first process of new namespaces and waits until it says `ready PID`.
    pub(crate) fn up<S: AsRef<OsStr>>(mark: &str, unshare: &[&str], script: &[S]) -> Self {
        let mut child = Command::new("unshare")
            .args(["--fork", "--pid", "--kill-child=KILL"])
            .args(unshare)
            .args(["--", "bash"])
            .args(script)
            .env_clear()
            .envs(environment(mark))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("unshare starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the holder's first line");
        let init = line.trim().strip_prefix("ready ").and_then(|pid| pid.parse().ok());
        let init = init.unwrap_or_else(|| panic!("namespaces were not set up: {line:?}"));
        Self { child, init }
    }

    /// The first process inside, as numbered outside.
    pub(crate) fn init(&self) -> u32 {
        self.init
    }

    /// A command that will run inside the given kinds of namespaces.
    pub(crate) fn command(&self, mark: &str, enter: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.init))
            .args(enter)
            .arg("--")
            .env_clear()
            .envs(environment(mark))
            .current_dir("/")
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // The closed pipe is enough; where it is not, killing `unshare` kills its child as well.
        if super::wait::poll(20, || self.child.try_wait().ok().flatten()).is_none() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
        super::wait::happens("the namespace's first process ends", || {
            !Path::new(&format!("/proc/{}", self.init)).exists()
        });
    }
}

/// The whole environment of every process in a lab: nothing of the caller's leaks in.
fn environment(mark: &str) -> [(&'static str, &str); 3] {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    [("PATH", path), ("HOME", "/root"), (MARK, mark)]
}
