//! Whether a lab can run on this machine: if not, tests say so and skip; in CI that is a failure.

use std::path::Path;
use std::sync::OnceLock;

/// Programs of the Debian packages that `tests/run` installs.
const PROGRAMS: &[&str] = &[
    "/usr/sbin/glusterd",
    "/usr/sbin/glusterfs",
    "/usr/sbin/sshd",
    "/usr/bin/rsync",
    "/usr/bin/setfattr",
    "/usr/bin/setfacl",
    "/usr/bin/unshare",
    "/usr/bin/nsenter",
    "/usr/bin/strace",
];

/// True where a lab can run. Else says, what is missing.
///
/// # Panics
///
/// With `CI` set, where a skipped lab test would be a lie.
pub(crate) fn met() -> bool {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    let Some(missing) = MISSING.get_or_init(missing) else { return true };
    assert!(std::env::var_os("CI").is_none(), "the lab has to run in CI, but {missing}");
    let test = std::thread::current().name().unwrap_or("a lab test").to_owned();
    say!("SKIPPED {test}: {missing}");
    false
}

fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("the lab needs root".to_owned());
    }
    if !Path::new("/dev/fuse").exists() {
        return Some("the lab needs /dev/fuse".to_owned());
    }
    let absent: Vec<&str> =
        PROGRAMS.iter().copied().filter(|program| !Path::new(program).exists()).collect();
    (!absent.is_empty())
        .then(|| format!("there is no {} (tests/run installs it)", absent.join(", ")))
}
