//! Why the cluster cannot be asked, and what to do about it.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use super::Host;
use crate::domain::{Kind, Name, UserError};
use crate::format::volxml::VolxmlError;

/// The longest piece of a program's words that an error repeats, in bytes.
const WORDS: usize = 2000;

/// Why the cluster, or a node of it, cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// `--ssh` is no command line.
    #[error("--ssh {given:?} is no command line")]
    SshCommand {
        /// As given.
        given: String,
    },
    /// A node's name that ssh would take for something else.
    #[error("{name:?} is no name of a node")]
    Peer {
        /// As given.
        name: String,
    },
    /// A program cannot be started on this node.
    #[error("cannot run {program}")]
    Start {
        /// Its path or name.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program failed.
    #[error("{command} on {node} ended with status {status}: {said}")]
    Failed {
        /// The node.
        node: String,
        /// The command line.
        command: String,
        /// Its exit status, or `none` where a signal ended it.
        status: String,
        /// What it said.
        said: Name,
    },
    /// ssh did not get there.
    #[error("cannot reach {node} by ssh: {said}")]
    Unreached {
        /// The node.
        node: String,
        /// What ssh said.
        said: Name,
    },
    /// There is no georepair on a peer.
    #[error("{node} has no georepair")]
    NoAgent {
        /// The node.
        node: String,
    },
    /// The georepair of a peer speaks another dialect.
    #[error("the georepair on {node} does not fit this one: {found}")]
    OtherAgent {
        /// The node.
        node: String,
        /// What it said instead.
        found: Name,
    },
    /// A peer's georepair fell silent in the middle.
    #[error("the talk with georepair on {node} broke off")]
    Broken {
        /// The node.
        node: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// gluster's answer cannot be read, or is a refusal.
    #[error("gluster {asked} on {node} cannot be used")]
    Answer {
        /// The node.
        node: String,
        /// What was asked.
        asked: &'static str,
        /// Why.
        #[source]
        source: VolxmlError,
    },
}

impl ClusterError {
    /// A program that ended badly; ssh's own failures and a missing georepair are told apart.
    pub(super) fn failed(host: &Host, argv: &[OsString], status: Option<i32>, said: &[u8]) -> Self {
        let said = said.trim_ascii();
        let from = said.len().saturating_sub(WORDS);
        let said = Name::from(said.get(from..).unwrap_or_default());
        let node = host.to_string();
        let program = argv.first().map(|word| word.as_bytes()).unwrap_or_default();
        match (host, status) {
            (Host::Peer(_), Some(255)) => Self::Unreached { node, said },
            (Host::Peer(_), Some(127)) if program == b"georepair" => Self::NoAgent { node },
            _ => {
                let words: Vec<_> =
                    argv.iter().map(|word| Name::from(word.as_bytes()).to_string()).collect();
                let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
                Self::Failed { node, command: words.join(" "), status, said }
            }
        }
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
            Self::Unreached { node, .. } => {
                vec![format!("this must work without a question: ssh {node} true")]
            }
            Self::NoAgent { node } | Self::OtherAgent { node, .. } => {
                vec![format!("scp \"$(command -v georepair)\" {node}:/usr/local/bin/georepair")]
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
