//! What both sides logged while something was broken, and what was done to them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use walkdir::WalkDir;

use crate::lab::Lab;
use crate::node::Node;
use crate::wait;

/// The directory captures are written to, if they are wanted.
pub(crate) const CAPTURES: &str = "GEOREPAIR_LAB_CAPTURES";

const LOGS: &str = "/var/log/glusterfs";

/// A stretch of the lab's life: its logs from begin on, and the story of what was done.
pub(crate) struct Capture<'lab> {
    lab: &'lab Lab,
    name: &'static str,
    begin: BTreeMap<(&'static str, PathBuf), u64>,
    story: RefCell<String>,
}

impl<'lab> Capture<'lab> {
    /// Begins now; what the logs hold already is not part of it. `what` says what is broken.
    pub(crate) fn begin(lab: &'lab Lab, name: &'static str, what: &str) -> Self {
        let mut begin = BTreeMap::new();
        for node in lab.nodes() {
            for file in logs(node) {
                let length = std::fs::metadata(node.path(LOGS).join(&file)).map_or(0, |m| m.len());
                begin.insert((node.name(), file), length);
            }
        }
        Self { lab, name, begin, story: RefCell::new(format!("{what}\n\n")) }
    }

    /// Begins with the first line of every log.
    pub(crate) fn from_the_start(lab: &'lab Lab, name: &'static str, what: &str) -> Self {
        Self { lab, name, begin: BTreeMap::new(), story: RefCell::new(format!("{what}\n\n")) }
    }

    pub(crate) fn lab(&self) -> &'lab Lab {
        self.lab
    }

    /// Notes, with the time, what was done or seen.
    pub(crate) fn tell(&self, what: &str) {
        let now = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S");
        writeln!(self.story.borrow_mut(), "{now} UTC  {what}").expect("a string takes it");
    }

    /// Runs a program on a node and notes its command line.
    #[track_caller]
    pub(crate) fn run_on(&self, node: &str, argv: &[&str]) -> String {
        self.tell(&format!("{node}# {}", shown(argv)));
        self.lab.run_on(node, argv)
    }

    /// Runs `gluster volume geo-replication PRIMARY SECONDARY …` and notes it.
    #[track_caller]
    pub(crate) fn georep(&self, arguments: &[&str]) -> String {
        let session = ["volume", "geo-replication", crate::volume::PRIMARY, crate::session::URL];
        let argv = [&["gluster", "--mode=script"], &session[..], arguments].concat();
        self.run_on("m1", &argv)
    }

    /// What this capture's part of a node's logs says, all files whose path contains `file`.
    pub(crate) fn logged(&self, node: &str, file: &str) -> String {
        let node = self.lab.node(node);
        let wanted = logs(node).into_iter().filter(|log| log.to_string_lossy().contains(file));
        wanted.map(|log| String::from_utf8_lossy(&self.tail(node, &log)).into_owned()).collect()
    }

    /// Waits until a log line of this capture contains all the words, and returns it.
    #[track_caller]
    pub(crate) fn wait_log(&self, nodes: &[&str], file: &str, words: &[&str]) -> String {
        let what = format!("{nodes:?} log {words:?} in {file}");
        let line = wait::until(&what, || {
            let texts = nodes.iter().map(|node| self.logged(node, file));
            texts.into_iter().find_map(|text| {
                let line = text.lines().find(|line| words.iter().all(|word| line.contains(word)));
                line.map(str::to_owned)
            })
        });
        self.tell(&format!("logged: {line}"));
        line
    }

    fn tail(&self, node: &Node, log: &Path) -> Vec<u8> {
        let from = self.begin.get(&(node.name(), log.to_owned())).copied().unwrap_or(0);
        let mut bytes = Vec::new();
        let Ok(mut file) = std::fs::File::open(node.path(LOGS).join(log)) else { return bytes };
        // A log may vanish or be cut while we read it; what could be read is what there is.
        drop(file.seek(SeekFrom::Start(from)).and_then(|_| file.read_to_end(&mut bytes)));
        bytes
    }

    /// What `georepair diagnose` makes of this capture's logs of all nodes: the codes of what it
    /// found to be fatal or lost.
    pub(crate) fn diagnosis(&self) -> BTreeSet<String> {
        self.findings(&["fatal", "loss"])
    }

    /// The same for findings of these severities.
    pub(crate) fn findings(&self, severities: &[&str]) -> BTreeSet<String> {
        let dir = tempfile::tempdir().expect("a folder for the logs");
        self.write_logs(dir.path());
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_georepair"));
        let output = program.args(["diagnose", "--format", "json"]).arg(dir.path()).output();
        let output = output.expect("the program runs");
        if output.stdout.is_empty() {
            return BTreeSet::new();
        }
        let document: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        let findings =
            document.get("findings").and_then(|list| list.as_array()).expect("a list").iter();
        let wanted = findings.filter(|finding| {
            let severity = finding.get("severity").and_then(|severity| severity.as_str());
            severity.is_some_and(|severity| severities.contains(&severity))
        });
        wanted.filter_map(|finding| finding.get("code")?.as_str().map(str::to_owned)).collect()
    }

    /// Writes logs and story to the captures directory, if there is to be one.
    pub(crate) fn save(&self) {
        let Some(captures) = std::env::var_os(CAPTURES) else { return };
        let dir = Path::new(&captures).join(self.name);
        drop(std::fs::remove_dir_all(&dir));
        self.write_logs(&dir);
        std::fs::create_dir_all(&dir).expect("a capture's directory");
        std::fs::write(dir.join("what-happened.txt"), self.story.borrow().as_str())
            .expect("the capture's story");
    }

    /// Writes what every node logged since the capture began, a folder a node.
    fn write_logs(&self, dir: &Path) {
        for node in self.lab.nodes() {
            for log in logs(node) {
                let bytes = self.tail(node, &log);
                if bytes.is_empty() {
                    continue;
                }
                let target = dir.join(node.name()).join(&log);
                let parent = target.parent().expect("a file has a directory");
                std::fs::create_dir_all(parent).expect("a capture's directory");
                std::fs::write(&target, bytes).expect("a captured log");
            }
        }
    }
}

/// A capture that fails is kept as well, to see why.
impl Drop for Capture<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.save();
        }
    }
}

/// The node's log files, relative to its log directory.
fn logs(node: &Node) -> Vec<PathBuf> {
    let root = node.path(LOGS);
    let files = WalkDir::new(&root).sort_by_file_name().into_iter().flatten();
    files
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some(entry.path().strip_prefix(&root).ok()?.to_owned()))
        .collect()
}

/// A command line as one would type it.
fn shown(argv: &[&str]) -> String {
    let words = argv.iter().filter(|word| **word != "--mode=script");
    shlex::try_join(words.copied()).unwrap_or_else(|_| format!("{argv:?}"))
}
