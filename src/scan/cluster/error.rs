//! Errors of asking the cluster or a node of it, and what to do about them.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use super::host::Host;
use crate::domain::{Kind, Name, UserError};
use crate::format::volxml::VolxmlError;

/// How much of a program's output an error repeats, in bytes: the end names the cause.
const WORDS: usize = 2000;

/// Why the cluster, or a node of it, cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// `--ssh` is not a command line.
    #[error("cannot parse --ssh {given:?}")]
    SshCommand {
        /// As given.
        given: String,
    },
    /// A node's name that ssh would take for something else.
    #[error("invalid node name {name:?}")]
    Peer {
        /// As given.
        name: String,
    },
    /// A program cannot be started on this node.
    #[error("cannot run {program}")]
    Start {
        /// Its path or name.
        program: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A program failed.
    #[error("{command} on {node} failed with status {status}: {said}")]
    Failed {
        /// The node.
        node: String,
        /// The command line.
        command: String,
        /// Its exit status, or `none` if a signal ended it.
        status: String,
        /// The end of its output.
        said: Name,
    },
    /// ssh failed.
    #[error("cannot reach {node} by ssh: {said}")]
    Unreached {
        /// The node.
        node: String,
        /// What ssh printed.
        said: Name,
    },
    /// The peer refuses the login.
    #[error("{node} refuses the ssh login: {said}")]
    AuthRefused {
        /// The node.
        node: String,
        /// What ssh printed.
        said: Name,
    },
    /// There is no georepair on a peer.
    #[error("georepair is not installed on {node}")]
    NoAgent {
        /// The node.
        node: String,
        /// The command that copies this georepair there.
        install: String,
    },
    /// A peer has another version of georepair.
    #[error("georepair {version} on {node}, {ours} here: the agents must be the same version")]
    OtherVersion {
        /// The node.
        node: String,
        /// The version there.
        version: String,
        /// The version here.
        ours: &'static str,
        /// The command that copies this georepair there.
        install: String,
    },
    /// What answers on a peer is not a georepair agent.
    #[error("expected the greeting of georepair from {node}, got {found}")]
    NotAgent {
        /// The node.
        node: String,
        /// The first line that came.
        found: Name,
    },
    /// The connection to a peer's georepair ended before the answer.
    #[error("lost the connection to georepair on {node}")]
    Broken {
        /// The node.
        node: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A peer's georepair could not do what was asked.
    #[error("georepair on {node}: {said}")]
    Agent {
        /// The node.
        node: String,
        /// Its error, in one line.
        said: String,
    },
    /// A peer's georepair sent what is not an answer.
    #[error("unexpected answer from georepair on {node}: {why}")]
    Garbled {
        /// The node.
        node: String,
        /// What is wrong with it.
        why: String,
    },
    /// gluster's output cannot be read, or is a refusal.
    #[error("unexpected output from gluster {asked} on {node}")]
    Answer {
        /// The node.
        node: String,
        /// The subcommand.
        asked: &'static str,
        /// What is wrong with it.
        #[source]
        source: VolxmlError,
    },
}

impl ClusterError {
    /// For a program that ended with an error; ssh's own failures are [`ClusterError::Unreached`].
    pub(super) fn failed(host: &Host, argv: &[OsString], status: Option<i32>, said: &[u8]) -> Self {
        let said = said.trim_ascii();
        let from = said.len().saturating_sub(WORDS);
        let said = Name::from(said.get(from..).unwrap_or_default());
        let node = host.to_string();
        if let (Host::Peer(_), Some(255)) = (host, status) {
            return if memchr::memmem::find(said.as_bytes(), b"Permission denied").is_some() {
                Self::AuthRefused { node, said }
            } else {
                Self::Unreached { node, said }
            };
        }
        let words: Vec<_> =
            argv.iter().map(|word| Name::from(word.as_bytes()).to_string()).collect();
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        Self::Failed { node, command: words.join(" "), status, said }
    }
}

impl UserError for ClusterError {
    fn kind(&self) -> Kind {
        match self {
            Self::SshCommand { .. } | Self::Peer { .. } => Kind::Usage,
            _ => Kind::Blind,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Start { program, .. } if program.ends_with("gluster") => {
                vec![
                    "run this on a node of the cluster, or name the CLI with --gluster PATH"
                        .to_owned(),
                ]
            }
            Self::Unreached { node, .. } | Self::AuthRefused { node, .. } => {
                vec![format!("passwordless ssh is required: ssh {node} true")]
            }
            Self::NoAgent { install, .. } | Self::OtherVersion { install, .. } => {
                vec![install.clone()]
            }
            Self::NotAgent { node, .. } => {
                vec![format!(
                    "a login script that prints? this must print nothing: ssh {node} true"
                )]
            }
            Self::Failed { command, .. } if command.contains("gluster") => {
                vec!["is glusterd running there? systemctl status glusterd".to_owned()]
            }
            Self::Answer { source: VolxmlError::Refused(_), .. } => {
                vec!["gluster volume list; gluster volume geo-replication status".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}
