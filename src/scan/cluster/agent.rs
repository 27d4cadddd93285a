//! The agent protocol: `ssh NODE georepair agent …` answers requests, one JSON value a line.
//!
//! The agent greets first. Both ends must be the same version of georepair: the requests and
//! answers are its own types and have no other version. Each request is answered by any number of
//! [`Reply::More`] and one [`Reply::Last`], or by [`Reply::Failed`].

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::marker::PhantomData;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::JoinHandle;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::ClusterError;
use super::host::Host;
use super::tools::Tools;
use crate::domain::{Name, in_one_line};

/// What an agent's first line is known by, in every version.
const SCHEMA: &str = "georepair/agent/1";
/// The version that both ends must have.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The longest greeting, in bytes: the program that answers may be anything.
const LONGEST_GREETING: u64 = 4096;
/// The longest line, 64 MiB: a batch of the largest files fits, and a peer that never ends its
/// line cannot fill the memory.
const LONGEST_LINE: u64 = 64 << 20;
/// How much of an agent's standard error is kept for a message, in bytes.
const KEPT_STDERR: usize = 8192;
/// The exit status of a shell that does not find the program.
const NOT_FOUND: i32 = 127;

/// The first line of an agent.
#[derive(Serialize, Deserialize)]
struct Greeting {
    schema: String,
    version: String,
}

/// A line of an answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reply<Answer> {
    /// A part; more lines follow.
    More(Answer),
    /// The answer, or its last part.
    Last(Answer),
    /// There is no answer, and why.
    Failed(String),
}

/// Writes the first line of an agent.
///
/// # Errors
/// If it cannot be written.
pub fn greet(output: &mut impl Write) -> io::Result<()> {
    write_line(output, &Greeting { schema: SCHEMA.to_owned(), version: VERSION.to_owned() })?;
    output.flush()
}

/// Greets, then answers requests until the input ends. `answer` may push parts of an answer that
/// would be too large for one line, and returns the last one.
///
/// # Errors
/// If a request cannot be read or an answer not be written: the caller is gone then.
pub fn serve<Ask: DeserializeOwned, Answer: Serialize>(
    mut input: impl BufRead,
    output: impl Write,
    mut answer: impl FnMut(Ask, &mut Vec<Answer>) -> Result<Answer, String>,
) -> io::Result<()> {
    let mut output = BufWriter::new(output);
    greet(&mut output)?;
    while let Some(ask) = read_line(&mut input, LONGEST_LINE)? {
        let mut parts = Vec::new();
        let last = answer(ask, &mut parts);
        for part in parts {
            write_line(&mut output, &Reply::More(part))?;
        }
        write_line(&mut output, &last.map_or_else(Reply::Failed, Reply::Last))?;
        output.flush()?;
    }
    Ok(())
}

/// A connection to georepair on a peer. Dropping it ends the agent, which sees its input close.
#[derive(Debug)]
pub struct Agent<Ask, Answer> {
    node: String,
    /// The command that copies this georepair there.
    install: String,
    host: Host,
    argv: Vec<OsString>,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    types: PhantomData<fn(Ask) -> Answer>,
}

impl<Ask: Serialize, Answer: DeserializeOwned> Agent<Ask, Answer> {
    /// Starts `georepair agent VERB…` on a peer and checks its version.
    ///
    /// # Errors
    /// [`ClusterError`] if the peer cannot be reached, has no georepair or another version.
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
        let stderr = child.stderr.take().ok_or_else(gone)?;
        let mut agent = Self {
            node: host.to_string(),
            install: tools.install_command(host),
            host: host.clone(),
            argv,
            child,
            input: Some(input),
            output,
            stderr: Some(std::thread::spawn(move || read_tail(stderr))),
            types: PhantomData,
        };
        agent.check_greeting()?;
        Ok(agent)
    }

    /// Asks for what has an answer of one part.
    ///
    /// # Errors
    /// As [`Agent::call_each`].
    pub fn call(&mut self, ask: &Ask) -> Result<Answer, ClusterError> {
        self.call_each(ask, drop)
    }

    /// Asks, and hands over the parts before the last as they arrive.
    ///
    /// # Errors
    /// [`ClusterError::Agent`] if the peer cannot answer, [`ClusterError::Broken`] if the
    /// connection is lost, [`ClusterError::Garbled`] if the answer cannot be understood.
    pub fn call_each(
        &mut self,
        ask: &Ask,
        mut part: impl FnMut(Answer),
    ) -> Result<Answer, ClusterError> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe.into());
        let written = input.and_then(|input| write_line(input, ask).and_then(|()| input.flush()));
        written.map_err(|error| self.lost(error))?;
        loop {
            match read_line(&mut self.output, LONGEST_LINE) {
                Ok(Some(Reply::More(answer))) => part(answer),
                Ok(Some(Reply::Last(answer))) => return Ok(answer),
                Ok(Some(Reply::Failed(said))) => {
                    return Err(ClusterError::Agent { node: self.node.clone(), said });
                }
                Ok(None) => return Err(self.lost(io::ErrorKind::UnexpectedEof.into())),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    // Where the next answer begins is not known any more.
                    drop(self.input.take());
                    return Err(self.garbled(error.to_string()));
                }
                Err(error) => return Err(self.lost(error)),
            }
        }
    }

    /// The error for an answer that is not one to the request.
    #[must_use]
    pub fn unexpected(&self) -> ClusterError {
        self.garbled("it answers another request".to_owned())
    }

    fn garbled(&self, why: String) -> ClusterError {
        ClusterError::Garbled { node: self.node.clone(), why }
    }

    /// The connection ended or failed: what ssh or the agent said last explains it best.
    fn lost(&mut self, source: io::Error) -> ClusterError {
        let source = match self.wait() {
            Ok(()) => source,
            Err(error) => io::Error::other(in_one_line(&error)),
        };
        ClusterError::Broken { node: self.node.clone(), source }
    }

    /// Waits for the agent's end; its exit status and standard error are the error.
    fn wait(&mut self) -> Result<(), ClusterError> {
        drop(self.input.take());
        let node = self.node.clone();
        let status = self
            .child
            .wait()
            .map_err(|source| ClusterError::Broken { node: node.clone(), source })?;
        let stderr = self.stderr.take().and_then(|stderr| stderr.join().ok()).unwrap_or_default();
        match (&self.host, status.code()) {
            (_, Some(0)) => Ok(()),
            (Host::Peer(_), Some(NOT_FOUND)) => {
                Err(ClusterError::NoAgent { node, install: self.install.clone() })
            }
            (_, code) => Err(ClusterError::failed(&self.host, &self.argv, code, &stderr)),
        }
    }

    fn check_greeting(&mut self) -> Result<(), ClusterError> {
        let mut line = Vec::new();
        let read = (&mut self.output).take(LONGEST_GREETING).read_until(b'\n', &mut line);
        read.map_err(|error| self.lost(error))?;
        let (node, install) = (self.node.clone(), self.install.clone());
        match serde_json::from_slice::<Greeting>(&line).ok().filter(|it| it.schema == SCHEMA) {
            Some(greeting) if greeting.version == VERSION => Ok(()),
            Some(Greeting { version, .. }) => {
                Err(ClusterError::OtherVersion { node, version, ours: VERSION, install })
            }
            // It ended without a greeting: why is in its exit status and standard error.
            None if line.is_empty() => {
                self.wait()?;
                Err(self.lost(io::ErrorKind::UnexpectedEof.into()))
            }
            None => Err(ClusterError::NotAgent { node, found: Name::from(line.trim_ascii()) }),
        }
    }
}

impl<Ask, Answer> Drop for Agent<Ask, Answer> {
    fn drop(&mut self) {
        drop(self.input.take());
        // It may have ended already; there is nobody to report an error to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_line(output: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    output.write_all(&line)
}

/// Reads a line; `None` at the end. [`io::ErrorKind::InvalidData`] if it is not a message.
fn read_line<T: DeserializeOwned>(input: &mut impl BufRead, longest: u64) -> io::Result<Option<T>> {
    let invalid = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut line = Vec::new();
    let length = input.take(longest).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        // The message alone: of a damaged line serde_json may say that it ended too early, which
        // would look like a lost connection.
        Some(b'\n') => serde_json::from_slice(&line).map_err(|e| invalid(e.to_string())).map(Some),
        Some(_) if length as u64 == longest => {
            Err(invalid(format!("a line of more than {longest} bytes")))
        }
        Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads all, so that the agent never blocks on its standard error, and keeps the end.
fn read_tail(mut stderr: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut piece) {
        kept.extend_from_slice(piece.get(..count).unwrap_or_default());
        let surplus = kept.len().saturating_sub(KEPT_STDERR);
        kept.drain(..surplus);
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::path::Path;

    use super::*;
    use crate::domain::UserError as _;

    const GREETING: &str =
        "echo '{\"schema\":\"georepair/agent/1\",\"version\":\"'$VERSION'\"}'; read ask";

    /// What calling a peer that runs this shell script yields.
    fn call(script: &str) -> Result<String, ClusterError> {
        let ssh = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gluster/ssh");
        let script = script.replace("$VERSION", VERSION);
        let ssh = shlex::try_join([ssh.to_str().unwrap(), &script]).unwrap();
        let tools = Tools::new(Path::new("gluster"), &ssh)?;
        let mut agent = Agent::start(&tools, &Host::Peer("m2".to_owned()), &["test"])?;
        let mut all = String::new();
        let last = agent.call_each(&7, |part: String| all += &part)?;
        Ok(all + &last)
    }

    #[test]
    fn an_answer_arrives_in_its_parts() {
        let said =
            call(&format!("{GREETING}; echo '{{\"more\":\"a\"}}'; echo '{{\"last\":\"b\"}}'"));
        assert_eq!(said.unwrap(), "ab");
        let failed = call(&format!("{GREETING}; echo '{{\"failed\":\"no such brick\"}}'"));
        assert_eq!(failed.unwrap_err().to_string(), "georepair on m2: no such brick");
    }

    #[test]
    fn another_version_is_named_with_the_command_that_copies_this_one() {
        let error = call("echo '{\"schema\":\"georepair/agent/1\",\"version\":\"0.0.9\"}'; cat");
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("georepair 0.0.9 on m2, {VERSION} here: the agents must be the same version")
        );
        assert!(error.hints()[0].contains("m2 "), "{:?}", error.hints());
    }

    #[test]
    fn a_peer_without_georepair_and_one_that_prints_something_else_are_told_apart() {
        assert!(matches!(call("exit 127"), Err(ClusterError::NoAgent { .. })));
        assert!(matches!(call("echo no route >&2; exit 255"), Err(ClusterError::Unreached { .. })));
        let banner = call("echo Welcome to m2; cat").unwrap_err();
        assert!(banner.to_string().contains("'Welcome to m2'"), "{banner}");
    }

    #[test]
    fn a_peer_that_ends_in_the_middle_is_a_lost_connection_with_its_last_words() {
        for end in ["printf '{\"more\":\"a'", "echo '{\"more\":\"a\"}'", "true"] {
            let error = call(&format!("{GREETING}; {end}; echo killed >&2; exit 255")).unwrap_err();
            assert_eq!(error.to_string(), "lost the connection to georepair on m2");
            assert!(error.source().unwrap().to_string().contains("killed"), "{error:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error_that_names_the_node() {
        for line in ["garbage", "{\"more\":7}", "{\"more\":", ""] {
            let error = call(&format!("{GREETING}; echo '{line}'; cat")).unwrap_err();
            let said = error.to_string();
            assert!(said.starts_with("unexpected answer from georepair on m2: "), "{said}");
        }
    }

    #[test]
    fn a_line_without_end_is_not_read_to_its_end() {
        let mut endless = BufReader::new(io::repeat(b'x'));
        let error = read_line::<String>(&mut endless, 1000).unwrap_err();
        assert_eq!(error.to_string(), "a line of more than 1000 bytes");
    }

    #[test]
    fn each_request_is_answered_in_order() {
        let mut output = Vec::new();
        serve(b"1\n2\n".as_slice(), &mut output, |ask: u32, parts| {
            parts.push(ask * 10);
            if ask == 1 { Ok(ask) } else { Err("no".to_owned()) }
        })
        .unwrap();
        let text = String::from_utf8(output).unwrap();
        let answers: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(
            answers,
            [r#"{"more":10}"#, r#"{"last":1}"#, r#"{"more":20}"#, r#"{"failed":"no"}"#]
        );
        assert!(serve(b"x\n".as_slice(), Vec::new(), |ask: u32, _| Ok(ask)).is_err());
    }
}
