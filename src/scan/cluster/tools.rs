//! Programs, run on this node or on a peer over ssh.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::ClusterError;
use super::host::Host;
use crate::domain::Name;

/// What ssh is told besides what the operator's own configuration says: never ask, never wait long.
const PATIENCE: &[&str] = &[
    "-oBatchMode=yes",
    "-oConnectTimeout=10",
    "-oServerAliveInterval=15",
    "-oServerAliveCountMax=4",
];

/// Where georepair is installed if nothing better is known.
const INSTALLED: &str = "/usr/local/bin/georepair";

/// Which programs to use: the gluster CLI, and ssh to the peers.
#[derive(Clone, Debug)]
pub struct Tools {
    gluster: PathBuf,
    ssh: Vec<String>,
}

impl Tools {
    /// `gluster` is a path or a name; `ssh` a command line with its options, quoted as for a shell.
    ///
    /// # Errors
    /// [`ClusterError::SshCommand`] where the quotes of `ssh` do not close or it is empty.
    pub fn new(gluster: &Path, ssh: &str) -> Result<Self, ClusterError> {
        let words = shlex::split(ssh).filter(|words| !words.is_empty());
        let ssh = words.ok_or_else(|| ClusterError::SshCommand { given: ssh.to_owned() })?;
        Ok(Self { gluster: gluster.to_owned(), ssh })
    }

    /// The command that copies this georepair to a node, to be pasted into a shell.
    pub(super) fn install_command(&self, host: &Host) -> String {
        let own = std::fs::read_link("/proc/self/exe").unwrap_or_else(|_| INSTALLED.into());
        // A binary run from a home or build directory is on no peer's PATH.
        let there = if own.starts_with("/usr") { own.as_path() } else { Path::new(INSTALLED) };
        let [own, there] =
            [own.as_path(), there].map(|path| Name::from(path.as_os_str().as_bytes()));
        match self.ssh.as_slice() {
            [ssh] if ssh == "ssh" => format!("scp {own} {host}:{there}"),
            // scp spells some options otherwise; what works for ssh works here too.
            ssh => {
                let ssh = shlex::try_join(ssh.iter().map(String::as_str)).unwrap_or_default();
                format!(
                    "{ssh} {host} 'cat >{there}.new && chmod 755 {there}.new && mv {there}.new {there}' <{own}"
                )
            }
        }
    }

    /// A command that will run a program on a node: standard input closed, messages in English.
    ///
    /// On a peer the words pass through ssh, which hands one line to the login shell there; each
    /// is quoted, so it arrives as it is. A word with a NUL byte cannot be run anywhere.
    ///
    /// # Errors
    /// [`ClusterError::Peer`] where the peer's name could be taken for an option of ssh.
    #[expect(clippy::disallowed_methods, reason = "the one place where looking runs a program")]
    pub fn command<S: AsRef<OsStr>>(
        &self,
        host: &Host,
        argv: &[S],
    ) -> Result<Command, ClusterError> {
        let mut words = argv.iter().map(AsRef::as_ref);
        let mut command = match host {
            Host::Here => {
                let mut command = Command::new(words.next().unwrap_or_default());
                command.args(words);
                command
            }
            Host::Peer(name) => {
                if name.is_empty() || name.starts_with('-') {
                    return Err(ClusterError::Peer { name: name.clone() });
                }
                let (program, options) = self
                    .ssh
                    .split_first()
                    .ok_or_else(|| ClusterError::SshCommand { given: String::new() })?;
                let mut command = Command::new(program);
                command.args(PATIENCE).args(options).args(["--", name]).arg(one_line(words));
                command
            }
        };
        // Its own process group: Ctrl-C at the terminal is for georepair to hear, which lets what it
        // began end well.
        command.stdin(Stdio::null()).env("LC_ALL", "C").process_group(0);
        Ok(command)
    }

    /// Runs a program on a node to its end.
    ///
    /// # Errors
    /// [`ClusterError::Start`] where it cannot be started; a bad exit status is for the caller.
    pub fn output<S: AsRef<OsStr>>(&self, host: &Host, argv: &[S]) -> Result<Output, ClusterError> {
        output(&mut self.command(host, argv)?)
    }

    /// Asks the gluster CLI of a node, without questions back, and returns what it prints.
    ///
    /// glusterd does one thing to a volume at a time. While it refuses because of that, which a
    /// command whose process was killed can cause too, it is asked again, for a minute.
    ///
    /// # Errors
    /// [`ClusterError::Failed`] with the CLI's words where it exits with another status than 0.
    pub fn gluster(&self, host: &Host, arguments: &[&str]) -> Result<Vec<u8>, ClusterError> {
        let line = self.gluster_line(arguments);
        let began = Instant::now();
        loop {
            match self.checked(host, &line) {
                Err(ClusterError::Failed { said, .. })
                    if is_busy(&said) && began.elapsed() < OTHERS_MAY_TAKE =>
                {
                    sleep(Duration::from_secs(1));
                }
                other => return other,
            }
        }
    }

    /// The same, whatever status it exits with.
    ///
    /// # Errors
    /// [`ClusterError::Start`] where it cannot be started.
    pub fn gluster_output(&self, host: &Host, arguments: &[&str]) -> Result<Output, ClusterError> {
        self.output(host, &self.gluster_line(arguments))
    }

    fn gluster_line<'a>(&'a self, arguments: &'a [&'a str]) -> Vec<&'a OsStr> {
        let mut argv = vec![self.gluster.as_os_str(), OsStr::new("--mode=script")];
        argv.extend(arguments.iter().copied().map(OsStr::new));
        argv
    }

    /// Runs a program on a node and returns what it prints.
    ///
    /// # Errors
    /// [`ClusterError::Failed`] with its words where it exits with another status than 0.
    pub fn checked<S: AsRef<OsStr>>(
        &self,
        host: &Host,
        argv: &[S],
    ) -> Result<Vec<u8>, ClusterError> {
        self.checked_with(Stdio::null(), host, argv)
    }

    /// The same, with a standard input. A locked file stays locked until the program has ended,
    /// also where georepair is killed before.
    ///
    /// # Errors
    /// As [`Tools::checked`].
    pub fn checked_with<S: AsRef<OsStr>>(
        &self,
        input: impl Into<Stdio>,
        host: &Host,
        argv: &[S],
    ) -> Result<Vec<u8>, ClusterError> {
        let output = output(self.command(host, argv)?.stdin(input))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said =
            if output.stderr.trim_ascii().is_empty() { &output.stdout } else { &output.stderr };
        let argv: Vec<OsString> = argv.iter().map(|word| word.as_ref().to_owned()).collect();
        Err(ClusterError::failed(host, &argv, output.status.code(), said))
    }
}

fn output(command: &mut Command) -> Result<Output, ClusterError> {
    command.output().map_err(|source| ClusterError::Start {
        program: command.get_program().display().to_string(),
        source,
    })
}

/// How long another command of the cluster may take.
const OTHERS_MAY_TAKE: Duration = Duration::from_mins(1);

/// Whether glusterd refused because it is doing something else to the volume, in its two wordings.
fn is_busy(said: &Name) -> bool {
    let said = said.lossy();
    said.contains("Another transaction is in progress")
        || said.contains("Another transaction could be in progress")
}

/// One line for a shell that gives back the same words.
fn one_line<'w>(words: impl Iterator<Item = &'w OsStr>) -> OsString {
    let quoter = shlex::bytes::Quoter::new().allow_nul(true);
    let line = quoter.join(words.map(OsStr::as_bytes)).unwrap_or_default();
    OsString::from_vec(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_glusterd_is_asked_again_and_any_other_refusal_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let busy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gluster/busy");
        let tools = Tools::new(&busy, "env").unwrap();
        let ask = |reason: &str| {
            let calls = dir.path().join(reason);
            let asked = tools.gluster(&Host::Here, &[reason, calls.to_str().unwrap()]);
            (asked.is_ok(), std::fs::read_to_string(calls).unwrap().lines().count())
        };
        assert_eq!(ask("Another transaction is in progress"), (true, 2));
        assert_eq!(ask("Locking failed"), (false, 1));
    }

    #[test]
    fn words_arrive_on_a_peer_as_they_are() {
        let tools = Tools::new(Path::new("gluster"), "env").unwrap();
        let peer = Host::Peer("m2".to_owned());
        let hostile = [b"$(reboot) `x` 'a' \"b\"\n\xff -x".as_slice(), b"", b"*"];
        let argv: Vec<OsString> =
            hostile.iter().map(|word| OsString::from_vec(word.to_vec())).collect();
        let command = tools.command(&peer, &argv).unwrap();
        let line = command.get_args().last().unwrap().to_owned();
        let mut printf = OsString::from("printf '%s\\0' ");
        printf.push(line);
        let out =
            tools.output(&Host::Here, &[OsStr::new("sh"), OsStr::new("-c"), &printf]).unwrap();
        let expected: Vec<u8> =
            hostile.iter().flat_map(|word| [word, b"\0".as_slice()].concat()).collect();
        assert_eq!(out.stdout, expected);
    }

    #[test]
    fn a_peer_cannot_be_an_option() {
        let tools = Tools::new(Path::new("gluster"), "ssh").unwrap();
        for name in ["-oProxyCommand=reboot", ""] {
            let peer = Host::Peer(name.to_owned());
            assert!(matches!(tools.command(&peer, &["true"]), Err(ClusterError::Peer { .. })));
        }
        assert!(matches!(
            Tools::new(Path::new("gluster"), "ssh 'x"),
            Err(ClusterError::SshCommand { .. })
        ));
    }

    #[test]
    fn a_failed_program_is_told_with_its_words() {
        let tools = Tools::new(Path::new("gluster"), "ssh").unwrap();
        let failed = tools.checked(&Host::Here, &["sh", "-c", "echo no luck >&2; exit 3"]);
        let text = failed.unwrap_err().to_string();
        assert!(text.contains("no luck") && text.contains("status 3"), "{text}");
    }
}
