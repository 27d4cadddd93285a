//! What a lab must not leave behind, looked for on the whole machine.

use std::collections::BTreeSet;
use std::fs::{read, read_dir, read_link, read_to_string};
use std::path::Path;

use crate::holder::MARK;
use crate::lab::Lab;

/// What is there of mounts and network links before a lab comes up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    links: BTreeSet<String>,
    mounts: BTreeSet<String>,
    temporary: BTreeSet<String>,
}

/// Looks at the machine's own network links, mounts and temporary files.
pub(crate) fn machine() -> Machine {
    let mounts = read_to_string("/proc/self/mountinfo").expect("our mounts");
    Machine {
        links: names("/sys/class/net"),
        mounts: mounts.lines().map(str::to_owned).collect(),
        temporary: ["/tmp", "/var/tmp", "/srv", "/mnt", "/run", "/var/lib/glusterd"]
            .into_iter()
            .flat_map(|dir| names(dir).into_iter().map(move |name| format!("{dir}/{name}")))
            .filter(|path| !path.contains("cargo") && !path.contains("rust"))
            .collect(),
    }
}

fn names(dir: &str) -> BTreeSet<String> {
    let entries = read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The pid namespaces of a lab, to be looked for when it is gone.
pub(crate) fn namespaces(lab: &Lab) -> Vec<String> {
    let holders = lab.nodes().iter().map(crate::node::Node::holder);
    holders.chain([lab.switch().holder()]).filter_map(crate::holder::Holder::pid_namespace).collect()
}

/// Processes that carry the mark or live in one of the namespaces.
pub(crate) fn processes(mark: &str, namespaces: &[String]) -> Vec<String> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in read_dir("/proc").expect("/proc").flatten() {
        let process = entry.path();
        let marked = read(process.join("environ")).is_ok_and(|bytes| {
            bytes.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
        });
        if marked || inside(&process, namespaces) {
            let line = read(process.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(format!("{} {line}", entry.file_name().to_string_lossy()));
        }
    }
    found
}

fn inside(process: &Path, namespaces: &[String]) -> bool {
    let link = read_link(process.join("ns/pid"));
    link.is_ok_and(|link| namespaces.iter().any(|known| link.as_os_str() == known.as_str()))
}
