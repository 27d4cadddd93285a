//! What a lab must not leave behind, looked for on the whole machine.

use std::fs::{read, read_dir, read_link, read_to_string};
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

/// The pid namespaces of a lab, to be looked for when it is gone.
pub(crate) fn namespaces(lab: &Lab) -> Vec<String> {
    let holders = lab.nodes().iter().map(Node::holder).chain([lab.switch().holder()]);
    holders.filter_map(Holder::pid_namespace).collect()
}

/// Processes that carry the mark or live in one of the namespaces. The kernel gives the number of
/// a namespace that is gone to a new one: what carries another lab's mark lives in that one.
pub(crate) fn processes(mark: &str, namespaces: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in read_dir("/proc").expect("/proc").flatten() {
        let process = entry.path();
        let own = mark_of(&process).map(|its| its == mark);
        if own.unwrap_or_else(|| inside(&process, namespaces)) {
            let line = read(process.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(format!("{} {line}", entry.file_name().to_string_lossy()));
        }
    }
    found
}

/// The mark of the lab that a process belongs to.
fn mark_of(process: &Path) -> Option<String> {
    let bytes = read(process.join("environ")).ok()?;
    let name = format!("{MARK}=");
    let mut variables = bytes.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(name.as_bytes()))?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn inside(process: &Path, namespaces: &[String]) -> bool {
    let link = read_link(process.join("ns/pid"));
    link.is_ok_and(|link| namespaces.iter().any(|known| link.as_os_str() == known.as_str()))
}
