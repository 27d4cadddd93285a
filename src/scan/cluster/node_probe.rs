//! Probes a node for what geo-replication depends on: programs, clock, key, space.

use std::ffi::OsString;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ClusterError, Host, Tools};
use crate::domain::{ClockOffset, Time};

/// Read-only. Its arguments are the roots of bricks. A script, so that it also runs on nodes without
/// georepair, as the secondary's usually are.
const SCRIPT: &str = r#"
export LC_ALL=C
echo "clock $(date +%s.%N)"
echo "rsync $(rsync --version 2>/dev/null | head -n 1)"
echo "python $(python3 --version 2>&1 | head -n 1)"
echo "gluster $(gluster --version 2>/dev/null | head -n 1)"
echo "sshd $( (sshd -T || /usr/sbin/sshd -T) 2>/dev/null | grep -i '^subsystem sftp' | head -n 1)"
ls /var/lib/glusterd/geo-replication/secret.pem >/dev/null 2>&1 && echo "key yes"
for brick; do
    echo "space $(stat -f -c '%S %b %f %a %c %d' -- "$brick" 2>/dev/null)"
    held=$(ls -A -- "$brick" 2>/dev/null | grep -v -x -E '\.glusterfs|\.trashcan|\.shard|\.glusterfs-anonymous-inode-.*|lost\+found' | head -n 1)
    if [ -n "$held" ]; then echo "held yes"; else echo "held no"; fi
done
echo "done"
"#;

/// What a node has, as the script reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeFacts {
    /// The node's name.
    pub node: String,
    /// Its clock beside this node's; `None` if it could not be read.
    pub clock: Option<ClockOffset>,
    /// The version of rsync, such as `3.2.7`; `None` if it is missing.
    pub rsync: Option<String>,
    /// The version of python3, such as `3.11.2`.
    pub python: Option<String>,
    /// The release of GlusterFS, such as `10.3`.
    pub gluster: Option<String>,
    /// Whether its sshd offers sftp; `None` if its settings cannot be read.
    pub sftp: Option<bool>,
    /// Whether it has the key of sessions (`gsec_create`).
    pub key: bool,
    /// The requested bricks, in order.
    pub bricks: Vec<Space>,
}

/// Space on a brick's file system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Space {
    /// The brick's root.
    pub dir: PathBuf,
    /// Bytes in total; `None` if the brick cannot be read.
    pub bytes: Option<u64>,
    /// Bytes in use.
    pub used: u64,
    /// Bytes that can still be written.
    pub free: u64,
    /// Inodes in total; 0 if the file system creates them as needed.
    pub inodes: u64,
    /// Inodes that are free.
    pub inodes_free: u64,
    /// Whether its root contains user data.
    pub holds: bool,
}

/// Probes a node; `now` is this node's clock.
///
/// # Errors
/// [`ClusterError`] if the node cannot be reached or has no shell.
pub fn probe_node(
    tools: &Tools,
    host: &Host,
    dirs: &[PathBuf],
    now: &dyn Fn() -> Time,
) -> Result<NodeFacts, ClusterError> {
    let mut argv: Vec<OsString> = ["sh", "-c", SCRIPT, "sh"].map(OsString::from).to_vec();
    argv.extend(dirs.iter().map(|dir| dir.clone().into_os_string()));
    let before = now().micros();
    let output = tools.checked(host, &argv)?;
    let after = now().micros();
    let output = String::from_utf8_lossy(&output);
    let mut facts = NodeFacts::parse(host.to_string(), &output, dirs);
    facts.clock = clock(&output).map(|clock| ClockOffset::between(clock, before, after));
    Ok(facts)
}

/// The script's clock, in microseconds since 1970.
fn clock(output: &str) -> Option<i64> {
    let text = output.lines().find_map(|line| line.strip_prefix("clock "))?;
    let (seconds, nanos) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    // A `date` without nanoseconds prints the format as it is.
    let nanos = nanos.parse::<i64>().unwrap_or(0);
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(nanos / 1_000)
}

impl NodeFacts {
    fn parse(node: String, output: &str, dirs: &[PathBuf]) -> Self {
        let of = |key: &str| -> Option<&str> {
            let value =
                output.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
            Some(value.trim()).filter(|value| !value.is_empty())
        };
        let word = |key, nth: usize| Some(of(key)?.split_whitespace().nth(nth)?.to_owned());
        let spaces = output.lines().filter_map(|line| line.strip_prefix("space"));
        let held = output.lines().filter_map(|line| line.strip_prefix("held "));
        let bricks = dirs.iter().zip(spaces.zip(held));
        Self {
            node,
            clock: None,
            rsync: word("rsync", 2),
            python: of("python").and_then(|text| text.strip_prefix("Python ")).map(str::to_owned),
            gluster: word("gluster", 1),
            sftp: of("sshd").map(|_| true),
            key: of("key").is_some(),
            bricks: bricks.map(|(dir, (space, held))| Space::parse(dir, space, held)).collect(),
        }
    }
}

impl Space {
    /// Reads `block-size blocks free available inodes free-inodes`, as `stat -f` prints them.
    fn parse(dir: &Path, text: &str, held: &str) -> Self {
        let numbers: Vec<u64> =
            text.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [block, all, unused, free, inodes, inodes_free] = *numbers.as_slice() else {
            let (used, free, inodes, inodes_free) = (0, 0, 0, 0);
            let dir = dir.to_owned();
            return Self { dir, bytes: None, used, free, inodes, inodes_free, holds: false };
        };
        Self {
            dir: dir.to_owned(),
            bytes: Some(all.saturating_mul(block)),
            used: all.saturating_sub(unused).saturating_mul(block),
            free: free.saturating_mul(block),
            inodes,
            inodes_free,
            holds: held == "yes",
        }
    }
}

/// Connects to a TCP port of a host from this node.
///
/// # Errors
/// The system's: no such name, refused, timed out.
pub fn port_open(host: &str, port: u16) -> std::io::Result<()> {
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What the sessions' key gives access to on the secondary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyAccess {
    /// gsyncd only, as it should be: the forced command is in place.
    Forced,
    /// A shell: the key has no forced command.
    Shell,
    /// Nothing: the key is not installed; `create push-pem` does it.
    Unknown,
    /// Anything else, with the last line of output.
    Other(String),
}

/// Logs in with the sessions' own key, from the node that has it, and runs nothing but `true`.
///
/// # Errors
/// [`ClusterError`] if the node with the key cannot be reached.
pub fn probe_key(tools: &Tools, from: &Host, destination: &str) -> Result<KeyAccess, ClusterError> {
    let argv = [
        "ssh",
        "-oPasswordAuthentication=no",
        "-oBatchMode=yes",
        "-oStrictHostKeyChecking=no",
        "-oUserKnownHostsFile=/dev/null",
        "-oLogLevel=ERROR",
        "-oIdentitiesOnly=yes",
        "-oConnectTimeout=10",
        "-i",
        "/var/lib/glusterd/geo-replication/secret.pem",
        "--",
        destination,
        "true",
    ];
    let output = tools.output(from, &argv)?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    Ok(match output.status.code() {
        Some(0) => KeyAccess::Shell,
        _ if text.contains("restricted SSH session") || text.contains("gsyncd") => {
            KeyAccess::Forced
        }
        Some(255) if text.contains("Permission denied") => KeyAccess::Unknown,
        _ => KeyAccess::Other(text.lines().last().unwrap_or("no output").to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "clock 1795229617.250000000\nrsync rsync  version 3.2.7  protocol version 31\n\
        python Python 3.11.2\ngluster glusterfs 10.3\nsshd subsystem sftp internal-sftp\nkey yes\n\
        space 4096 100 60 50 10 7\nheld yes\nspace \nheld no\ndone\n";

    #[test]
    fn reads_the_output_of_the_script() {
        let dirs = [PathBuf::from("/b/1"), PathBuf::from("/b/2")];
        let facts = NodeFacts::parse("m1".to_owned(), OUTPUT, &dirs);
        let texts = [facts.rsync, facts.python, facts.gluster].map(Option::unwrap);
        assert_eq!(texts, ["3.2.7", "3.11.2", "10.3"]);
        assert_eq!((facts.sftp, facts.key, facts.bricks.len()), (Some(true), true, 2));
        let (first, second) = (&facts.bricks[0], &facts.bricks[1]);
        assert_eq!((first.used, first.free, first.inodes_free), (40 * 4096, 50 * 4096, 7));
        assert!(first.holds && second.bytes.is_none() && !second.holds);
    }

    #[test]
    fn missing_programs_are_none() {
        let said = "clock 1\nrsync \npython sh: 1: python3: not found\ngluster \nsshd \ndone\n";
        let facts = NodeFacts::parse("m1".to_owned(), said, &[]);
        assert_eq!(
            (facts.rsync, facts.python, facts.gluster, facts.sftp),
            (None, None, None, None)
        );
        assert!(!facts.key);
    }

    #[test]
    fn the_clock_is_read_to_the_microsecond() {
        assert_eq!(clock(OUTPUT), Some(1_795_229_617_250_000));
        assert_eq!(clock("clock 7.%N\n"), Some(7_000_000));
        assert_eq!(clock("clock x\n"), None);
    }

    #[test]
    fn the_script_runs_in_any_shell() {
        let tools = Tools::new(Path::new("gluster"), "ssh").unwrap();
        let now = || Time::from_secs(0);
        let dirs = [PathBuf::from("/"), PathBuf::from("/no such $(place)")];
        let facts = probe_node(&tools, &Host::Here, &dirs, &now).unwrap();
        assert!(facts.clock.is_some_and(|clock| clock.certain() > 1_000_000_000_000_000));
        assert!(facts.bricks[0].bytes.is_some() && facts.bricks[1].bytes.is_none());
    }
}
