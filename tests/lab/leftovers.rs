//! What a lab must not leave behind, looked for on the whole machine.

use std::fs::{File, metadata, read, read_dir, read_to_string};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::holder::{Holder, MARK};
use crate::lab::Lab;
use crate::node::Node;

/// Links, mounts and files of the names that labs use, where the machine itself can see them: a lab
/// adds none, not even while it is up.
pub(crate) fn on_the_machine() -> Vec<String> {
    let links = names("/sys/class/net");
    let links = links.into_iter().filter(|name| name == "switch" || name.starts_with("v-"));
    let mounts = read_to_string("/proc/self/mounts").expect("our mounts");
    let mounts = mounts.lines().filter(|line| line.starts_with("lab")).map(str::to_owned);
    let files =
        ["/srv/bricks", "/srv/filler", "/mnt/gv0", "/mnt/gv0dr", "/run/layers", "/run/seed"];
    let files = files.into_iter().filter(|path| Path::new(path).exists()).map(str::to_owned);
    let state = names("/var/lib/glusterd/geo-replication").into_iter();
    let state = state.filter(|name| name == crate::session::NAME);
    links.chain(mounts).chain(files).chain(state).collect()
}

fn names(dir: &str) -> Vec<String> {
    let entries = read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The pid namespaces of a lab, to be looked for when it is gone. They are held open: the kernel
/// gives the number of one that is gone to a new one.
pub(crate) struct Namespaces(Vec<File>);

impl Namespaces {
    pub(crate) fn of(lab: &Lab) -> Self {
        Self::of_processes(firsts(lab))
    }

    /// The namespaces that processes of the machine live in.
    pub(crate) fn of_processes(processes: impl IntoIterator<Item = u32>) -> Self {
        let open = |pid| File::open(format!("/proc/{pid}/ns/pid")).expect("a living process");
        Self(processes.into_iter().map(open).collect())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    fn hold(&self, process: &Path) -> bool {
        let Ok(its) = metadata(process.join("ns/pid")) else { return false };
        let known = self.0.iter().filter_map(|file| file.metadata().ok());
        known.into_iter().any(|known| (known.dev(), known.ino()) == (its.dev(), its.ino()))
    }
}

/// The first process of every pid namespace of a lab.
pub(crate) fn firsts(lab: &Lab) -> Vec<u32> {
    let holders = lab.nodes().iter().map(Node::holder).chain([lab.switch().holder()]);
    holders.map(Holder::init).collect()
}

/// Processes that carry the mark or live in one of the namespaces.
pub(crate) fn processes(mark: &str, namespaces: &Namespaces) -> Vec<String> {
    let mut found = Vec::new();
    for entry in read_dir("/proc").expect("/proc").flatten() {
        let process = entry.path();
        if carries(&process, mark) || namespaces.hold(&process) {
            let line = read(process.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(format!("{} {line}", entry.file_name().to_string_lossy()));
        }
    }
    found
}

fn carries(process: &Path, mark: &str) -> bool {
    let wanted = format!("{MARK}={mark}");
    let environment = read(process.join("environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
}
