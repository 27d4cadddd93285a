//! One machine of the lab: its own network, hostname, processes, filesystems, glusterd and sshd.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::holder::Holder;
use crate::shape::Place;
use crate::wait;

/// A node that is up.
#[derive(Debug)]
pub(crate) struct Node {
    place: Place,
    mark: String,
    cpu: u32,
    holder: Holder,
}

impl Node {
    /// Sets the node's namespaces and filesystems up; nothing is running in it yet.
    ///
    /// `turn` chooses its CPU among those that there are.
    pub(crate) fn up(mark: &str, place: &Place, turn: usize) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/node-init");
        let unshare = ["--mount", "--uts", "--net", "--ipc"];
        let holder = Holder::up(mark, &unshare, &[script, place.name, place.brick_size]);
        let cpus = allowed_cpus();
        let cpu = cpus.get(turn % cpus.len().max(1)).copied().unwrap_or_default();
        Self { place: *place, mark: mark.to_owned(), cpu, holder }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.place.name
    }

    pub(crate) fn address(&self) -> &'static str {
        self.place.address
    }

    /// The node's first process, as numbered outside.
    pub(crate) fn init(&self) -> u32 {
        self.holder.init()
    }

    pub(crate) fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Where the test finds the node's file `inside`, mounts of the node included.
    pub(crate) fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        let inside = inside.as_ref();
        let inside = inside.strip_prefix("/").unwrap_or(inside);
        Path::new("/proc").join(self.init().to_string()).join("root").join(inside)
    }

    /// Runs a program on the node, for at most two minutes.
    pub(crate) fn try_on(&self, argv: &[&str]) -> Output {
        self.try_for(120, argv)
    }

    /// Runs a program on the node, for at most so many seconds.
    pub(crate) fn try_for(&self, seconds: u32, argv: &[&str]) -> Output {
        let enter = ["--mount", "--uts", "--net", "--ipc", "--pid"];
        let mut command = self.holder.command(&self.mark, &enter);
        command.args(["timeout", "--kill-after=5", &seconds.to_string()]).args(argv);
        command.output().unwrap_or_else(|error| panic!("{}: {argv:?}: {error}", self.name()))
    }

    /// Runs a program on the node and returns what it prints; it has to succeed.
    #[track_caller]
    pub(crate) fn run_on(&self, argv: &[&str]) -> String {
        let output = self.try_on(argv);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let name = self.name();
        assert!(output.status.success(), "{name}: {argv:?}: {}\n{stdout}{stderr}", output.status);
        stdout
    }

    /// The gluster CLI, without questions.
    #[track_caller]
    pub(crate) fn gluster(&self, arguments: &[&str]) -> String {
        self.run_on(&[&["gluster", "--mode=script"], arguments].concat())
    }

    pub(crate) fn start_sshd(&self) {
        self.run_on(&["/usr/sbin/sshd", "-E", "/var/log/sshd.log"]);
    }

    /// Starts glusterd and waits until it answers.
    ///
    /// It and what it starts run on one CPU and do not preempt each other when they wake: so the
    /// brick's connector thread mostly wins the race that makes a worker deaf
    /// (`tests/lab/README.md`). Without this, every second restart of the session was for nothing.
    pub(crate) fn start_glusterd(&self) {
        let cpu = self.cpu.to_string();
        self.run_on(&["chrt", "--batch", "0", "taskset", "--cpu-list", &cpu, "glusterd"]);
        wait::happens("glusterd answers", || {
            self.try_on(&["gluster", "--mode=script", "pool", "list"]).status.success()
        });
    }

    /// The node dies: every process of it at once. What is on its disks stays.
    pub(crate) fn crash(&self) {
        // Its first process, which keeps the namespaces, is the one that no signal from within ends.
        drop(self.try_on(&["bash", "-c", "kill -KILL -1"]));
    }

    /// The node is started again after it died.
    pub(crate) fn boot(&self) {
        self.start_sshd();
        self.start_glusterd();
    }

    /// The numbers, inside the node, of processes whose command line contains all the words.
    pub(crate) fn processes(&self, words: &[&str]) -> Vec<u32> {
        let entries = std::fs::read_dir(self.path("proc")).expect("the node's /proc");
        let pids = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
        let mut found: Vec<u32> = pids
            .filter(|pid: &u32| {
                let cmdline = self.path("proc").join(pid.to_string()).join("cmdline");
                let cmdline = std::fs::read(cmdline).unwrap_or_default();
                let line = String::from_utf8_lossy(&cmdline).replace('\0', " ");
                !line.is_empty() && words.iter().all(|word| line.contains(word))
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// Sends a signal to processes of this node.
    pub(crate) fn signal(&self, signal: &str, pids: &[u32]) {
        let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
        let words = ["kill".to_owned(), format!("-{signal}")];
        let words: Vec<&str> = words.iter().chain(&pids).map(String::as_str).collect();
        // Those that are gone already are no matter.
        self.try_on(&words);
    }
}

/// The CPUs this process may run on, as `/proc/self/status` lists them: `0-1,4`.
fn allowed_cpus() -> Vec<u32> {
    let status = std::fs::read_to_string("/proc/self/status").expect("our status");
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let ranges = list.unwrap_or_default().split(',').filter_map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        Some(from.trim().parse::<u32>().ok()?..=to.trim().parse().ok()?)
    });
    ranges.flatten().collect()
}
