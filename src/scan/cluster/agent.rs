//! georepair on a peer, spoken to line by line: `ssh NODE georepair agent …`.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use super::{ClusterError, Host, Tools};
use crate::domain::Name;

/// The dialect of the agent: the first line that it says.
pub const HELLO: &str = "georepair/agent/1";

/// The longest first line that is waited for, in bytes: a peer's greeting may be anything.
const FIRST_LINE: u64 = 4096;
/// How much of what a peer says on standard error is kept, in bytes.
const KEPT_WORDS: usize = 8192;

/// The first line of every agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The dialect, [`HELLO`].
    pub schema: String,
    /// The version of georepair there.
    pub version: String,
}

impl Hello {
    /// What this georepair says first.
    #[must_use]
    pub fn ours() -> Self {
        Self { schema: HELLO.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// A talk with georepair on a peer. Dropping it ends the talk: the agent there sees its input close.
#[derive(Debug)]
pub struct Agent {
    host: Host,
    argv: Vec<OsString>,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    words: Option<JoinHandle<Vec<u8>>>,
}

impl Agent {
    /// Starts `georepair agent VERB…` on a peer and waits for its greeting.
    ///
    /// # Errors
    /// [`ClusterError`]: not reached, no georepair there, or another dialect of it.
    pub fn start<S: AsRef<OsStr>>(
        tools: &Tools,
        host: &Host,
        verb: &[S],
    ) -> Result<Self, ClusterError> {
        let mut argv: Vec<OsString> = vec!["georepair".into(), "agent".into()];
        argv.extend(verb.iter().map(|word| word.as_ref().to_owned()));
        let mut command = tools.command(host, &argv)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| ClusterError::Start {
            program: command.get_program().display().to_string(),
            source,
        })?;
        let gone = || ClusterError::Peer { name: host.to_string() };
        let input = child.stdin.take().ok_or_else(gone)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        let errors = child.stderr.take().ok_or_else(gone)?;
        let words = Some(std::thread::spawn(move || last_words(errors)));
        let host = host.clone();
        let mut agent = Self { host, argv, child, input: Some(input), output, words };
        agent.greet()?;
        Ok(agent)
    }

    /// What the agent hears.
    pub fn input(&mut self) -> Option<&mut ChildStdin> {
        self.input.as_mut()
    }

    /// What the agent says, after its greeting.
    pub fn output(&mut self) -> &mut BufReader<ChildStdout> {
        &mut self.output
    }

    /// Ends the talk and waits for the agent's end.
    ///
    /// # Errors
    /// [`ClusterError`] with the agent's words where it did not end well.
    pub fn finish(mut self) -> Result<(), ClusterError> {
        self.ended()
    }

    fn ended(&mut self) -> Result<(), ClusterError> {
        drop(self.input.take());
        let node = self.host.to_string();
        let status = self.child.wait().map_err(|source| ClusterError::Broken { node, source })?;
        let words = self.words.take().and_then(|words| words.join().ok()).unwrap_or_default();
        match status.code() {
            Some(0) => Ok(()),
            code => Err(ClusterError::failed(&self.host, &self.argv, code, &words)),
        }
    }

    fn greet(&mut self) -> Result<(), ClusterError> {
        let mut line = Vec::new();
        let node = self.host.to_string();
        (&mut self.output)
            .take(FIRST_LINE)
            .read_until(b'\n', &mut line)
            .map_err(|source| ClusterError::Broken { node: node.clone(), source })?;
        let hello = serde_json::from_slice::<Hello>(&line).ok();
        if hello.is_some_and(|hello| hello.schema == HELLO) {
            return Ok(());
        }
        if line.is_empty() {
            // It ended without a word on standard output: its status and its last words say why.
            self.ended()?;
        }
        Err(ClusterError::OtherAgent { node, found: Name::from(line.trim_ascii()) })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.input.take());
        // Where it ended by itself there is nothing to kill, and nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads all, so that the agent never waits for us to listen, and keeps the end.
fn last_words(mut errors: impl std::io::Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = errors.read(&mut piece) {
        kept.extend_from_slice(piece.get(..count).unwrap_or_default());
        let surplus = kept.len().saturating_sub(KEPT_WORDS);
        kept.drain(..surplus);
    }
    kept
}
