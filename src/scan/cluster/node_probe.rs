//! What a node has that geo-replication stands on: programs, clock, space.

use std::ffi::OsString;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ClusterError, Host, Tools};
use crate::domain::Time;

/// Reads and prints, and changes nothing. Its arguments are the roots of bricks.
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

/// What a node has.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeFacts {
    /// The node, as it is shown.
    pub node: String,
    /// How far its clock is ahead of this node's, in seconds; less than the way there is nothing.
    pub ahead: Option<f64>,
    /// The version of rsync, such as `3.2.7`; none where it is missing.
    pub rsync: Option<String>,
    /// The version of python3, such as `3.11.2`.
    pub python: Option<String>,
    /// The release of GlusterFS, such as `10.3`.
    pub gluster: Option<String>,
    /// Whether its sshd takes sftp; unknown where its settings cannot be read.
    pub sftp: Option<bool>,
    /// Whether glusterd has the key that sessions use (`gsec_create`).
    pub key: bool,
    /// The bricks that were asked about, in order.
    pub bricks: Vec<Space>,
}

/// Room on a brick.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Space {
    /// The brick's root.
    pub dir: PathBuf,
    /// Bytes in all; none where the brick cannot be read.
    pub bytes: Option<u64>,
    /// Bytes that hold something.
    pub used: u64,
    /// Bytes that may still be written.
    pub free: u64,
    /// Inodes in all; 0 where the file system makes them as needed.
    pub inodes: u64,
    /// Inodes that are free.
    pub inodes_free: u64,
    /// Whether anything of a user's stands in its root.
    pub holds: bool,
}

/// Asks a node what it has; `now` is this node's clock.
///
/// # Errors
/// [`ClusterError`] where the node cannot be reached or has no shell.
pub fn site(
    tools: &Tools,
    host: &Host,
    dirs: &[PathBuf],
    now: &dyn Fn() -> Time,
) -> Result<NodeFacts, ClusterError> {
    let mut argv: Vec<OsString> = ["sh", "-c", SCRIPT, "sh"].map(OsString::from).to_vec();
    argv.extend(dirs.iter().map(|dir| dir.clone().into_os_string()));
    let before = now();
    let said = tools.checked(host, &argv)?;
    let after = now();
    let mut site = NodeFacts::read(host.to_string(), &String::from_utf8_lossy(&said), dirs);
    site.ahead = site.ahead.map(|theirs| ahead(theirs, before, after));
    Ok(site)
}

/// How far a clock that read `theirs` in between is certainly ahead (or, negative, behind).
fn ahead(theirs: f64, before: Time, after: Time) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a clock is read to the microsecond")]
    let seconds = |time: Time| time.micros() as f64 / 1e6;
    let (before, after) = (seconds(before), seconds(after));
    if theirs > after {
        theirs - after
    } else if theirs < before {
        theirs - before
    } else {
        0.0
    }
}

impl NodeFacts {
    fn read(node: String, said: &str, dirs: &[PathBuf]) -> Self {
        let of = |key: &str| -> Option<&str> {
            let value = said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
            Some(value.trim()).filter(|value| !value.is_empty())
        };
        let word = |key, nth: usize| Some(of(key)?.split_whitespace().nth(nth)?.to_owned());
        let spaces = said.lines().filter_map(|line| line.strip_prefix("space"));
        let held = said.lines().filter_map(|line| line.strip_prefix("held "));
        let bricks = dirs.iter().zip(spaces.zip(held));
        Self {
            node,
            ahead: of("clock").and_then(|text| text.parse().ok()),
            rsync: word("rsync", 2),
            python: of("python").and_then(|text| text.strip_prefix("Python ")).map(str::to_owned),
            gluster: word("gluster", 1),
            sftp: of("sshd").map(|_| true),
            key: of("key").is_some(),
            bricks: bricks.map(|(dir, (space, held))| Space::read(dir, space, held)).collect(),
        }
    }
}

impl Space {
    /// Reads `block-size blocks free available inodes free-inodes`, as `stat -f` prints them.
    fn read(dir: &Path, text: &str, held: &str) -> Self {
        let numbers: Vec<u64> =
            text.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [block, all, unused, free, inodes, inodes_free] = *numbers.as_slice() else {
            let nothing = (0, 0, 0, 0);
            let (used, free, inodes, inodes_free) = nothing;
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

/// Whether a TCP port of a host answers from this node.
///
/// # Errors
/// What the system says: no such name, refused, timed out.
pub fn reach(host: &str, port: u16) -> std::io::Result<()> {
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What the key of a session opens on the other side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyAccess {
    /// gsyncd and nothing else: as it should be.
    Forced,
    /// A shell: the key has no forced command.
    Shell,
    /// The key is not known there; `create push-pem` brings it.
    Unknown,
    /// Something else; what was said.
    Odd(String),
}

/// Knocks with the sessions' own key, from the node that has it, and asks for nothing.
///
/// # Errors
/// [`ClusterError`] where the node with the key cannot be asked.
pub fn door(tools: &Tools, from: &Host, destination: &str) -> Result<KeyAccess, ClusterError> {
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
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Ok(match output.status.code() {
        Some(0) => KeyAccess::Shell,
        _ if said.contains("restricted SSH session") || said.contains("gsyncd") => {
            KeyAccess::Forced
        }
        Some(255) if said.contains("Permission denied") => KeyAccess::Unknown,
        _ => KeyAccess::Odd(said.lines().last().unwrap_or("no word").to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "clock 1795229617.250000000\nrsync rsync  version 3.2.7  protocol version 31\n\
        python Python 3.11.2\ngluster glusterfs 10.3\nsshd subsystem sftp internal-sftp\nkey yes\n\
        space 4096 100 60 50 10 7\nheld yes\nspace \nheld no\ndone\n";

    #[test]
    fn reads_what_the_script_says() {
        let dirs = [PathBuf::from("/b/1"), PathBuf::from("/b/2")];
        let site = NodeFacts::read("m1".to_owned(), SAID, &dirs);
        let texts = [site.rsync, site.python, site.gluster].map(Option::unwrap);
        assert_eq!(texts, ["3.2.7", "3.11.2", "10.3"]);
        assert_eq!((site.sftp, site.key, site.bricks.len()), (Some(true), true, 2));
        let (first, second) = (&site.bricks[0], &site.bricks[1]);
        assert_eq!((first.used, first.free, first.inodes_free), (40 * 4096, 50 * 4096, 7));
        assert!(first.holds && second.bytes.is_none() && !second.holds);
    }

    #[test]
    fn missing_programs_are_none() {
        let said = "clock 1\nrsync \npython sh: 1: python3: not found\ngluster \nsshd \ndone\n";
        let site = NodeFacts::read("m1".to_owned(), said, &[]);
        assert_eq!((site.rsync, site.python, site.gluster, site.sftp), (None, None, None, None));
        assert!(!site.key);
    }

    #[test]
    fn a_clock_is_off_only_past_the_way_there() {
        let (before, after) = (Time::from_secs(100), Time::from_secs(102));
        assert!(ahead(101.0, before, after).abs() < 1e-9);
        assert!((ahead(110.0, before, after) - 8.0).abs() < 1e-9);
        assert!((ahead(90.0, before, after) + 10.0).abs() < 1e-9);
    }

    #[test]
    fn the_script_runs_in_any_shell() {
        let tools = Tools::new(Path::new("gluster"), "ssh").unwrap();
        let now = || Time::from_secs(0);
        let dirs = [PathBuf::from("/"), PathBuf::from("/no such $(place)")];
        let site = site(&tools, &Host::Here, &dirs, &now).unwrap();
        assert!(site.ahead.is_some_and(|ahead| ahead > 1e9));
        assert!(site.bricks[0].bytes.is_some() && site.bricks[1].bytes.is_none());
    }
}
