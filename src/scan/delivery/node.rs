//! The bricks of one node as witnesses: asked here, or through the georepair of a peer.

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::arrivals::{Arrival, arrivals};
use super::search::{Search, Wanted, newest};
use crate::domain::{Gfid, in_one_line};
use crate::scan::brick::BrickRoot;
use crate::scan::changelog::marks_of;
use crate::scan::cluster::{Agent, ClusterError, Host, Tools};

/// Where a brick is: its node and its directory there.
pub type BrickLocation = (Host, PathBuf);

/// What witnesses are asked; one line of JSON each.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// When did the latest finished slice of each brick end?
    Newest,
    /// Look for these too.
    Want(Vec<Wanted>),
    /// What was recorded since the last question, and how far is the session?
    Look {
        /// Only slices that ended after this, brick by brick, count.
        after: Vec<Option<u32>>,
        /// The id of the session's secondary volume.
        secondary: Option<Uuid>,
    },
    /// What is there of these?
    Arrivals(Vec<Gfid>),
}

/// What they answer; one line of JSON each.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Question::Newest`], brick by brick; to [`Question::Want`], nothing.
    Ends(Vec<Option<u32>>),
    /// To [`Question::Look`].
    Seen {
        /// What has all its records now and had not at the last question.
        recorded: Vec<Gfid>,
        /// How far each brick is.
        bricks: Vec<Past>,
    },
    /// To [`Question::Arrivals`], in the order asked.
    Arrived(Vec<Option<Arrival>>),
    /// It cannot be told, in words.
    Unknown(String),
}

/// How far a brick is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Past {
    /// When the last slice with a record of interest ended that this look read; seconds since 1970.
    pub end: Option<u32>,
    /// The session's stime on it, whole seconds; nothing where it has none.
    pub stime: Option<u32>,
}

/// Bricks on one node, and what is looked for on them.
#[derive(Debug)]
struct Server {
    bricks: Vec<BrickRoot>,
    search: Search,
}

/// Bricks on one node, wherever that is.
#[derive(Debug)]
pub struct Witness {
    host: Host,
    voice: Transport,
}

#[derive(Debug)]
enum Transport {
    Here(Box<Server>),
    There(Box<Agent>),
}

impl Server {
    fn open(dirs: &[PathBuf]) -> Result<Self, String> {
        let bricks = dirs.iter().map(|dir| BrickRoot::open(dir)).collect::<Result<_, _>>();
        Ok(Self { bricks: bricks.map_err(|error| in_one_line(&error))?, search: Search::default() })
    }

    fn answer(&mut self, question: &Question) -> Result<Answer, String> {
        match question {
            Question::Newest => {
                let ends = self.bricks.iter().map(|brick| newest(brick.path()));
                Ok(Answer::Ends(
                    ends.collect::<Result<_, _>>().map_err(|error| in_one_line(&error))?,
                ))
            }
            Question::Want(wanted) => {
                for wanted in wanted {
                    self.search.want(*wanted);
                }
                Ok(Answer::Ends(Vec::new()))
            }
            Question::Look { after, secondary } => self.look(after, *secondary),
            Question::Arrivals(gfids) => arrivals(&self.bricks, gfids)
                .map(Answer::Arrived)
                .map_err(|error| in_one_line(&error)),
        }
    }

    fn look(&mut self, after: &[Option<u32>], secondary: Option<Uuid>) -> Result<Answer, String> {
        let secondary = secondary.map(|id| format!(".{id}"));
        let (mut recorded, mut bricks) = (Vec::new(), Vec::new());
        for (brick, after) in self.bricks.iter().zip(after) {
            let end = self
                .search
                .read(brick.path(), *after, &mut recorded)
                .map_err(|error| in_one_line(&error))?;
            let marks = marks_of(brick.path()).map_err(|error| in_one_line(&error))?;
            let ours = |session: &str| secondary.as_deref().is_some_and(|id| session.ends_with(id));
            let mark = marks.iter().find(|marks| ours(&marks.session));
            bricks.push(Past { end, stime: mark.map(|marks| marks.stime.sec) });
        }
        Ok(Answer::Seen { recorded, bricks })
    }
}

impl Witness {
    /// Calls the bricks at these directories of a node.
    ///
    /// # Errors
    /// [`ClusterError`] where the node cannot be reached; a directory that is no brick.
    pub fn call(tools: &Tools, host: &Host, dirs: &[PathBuf]) -> Result<Self, ClusterError> {
        let voice = if *host == Host::Here {
            let desk = Server::open(dirs).map_err(|said| unknown(host, said))?;
            Transport::Here(Box::new(desk))
        } else {
            let mut words: Vec<OsString> = vec!["delivery".into()];
            for dir in dirs {
                words.extend(["--brick".into(), dir.into()]);
            }
            Transport::There(Box::new(Agent::start(tools, host, &words)?))
        };
        Ok(Self { host: host.clone(), voice })
    }

    /// Asks.
    ///
    /// # Errors
    /// [`ClusterError`] where they cannot tell, or the talk broke off.
    pub fn ask(&mut self, question: &Question) -> Result<Answer, ClusterError> {
        let host = &self.host;
        let answer = match &mut self.voice {
            Transport::Here(desk) => {
                return desk.answer(question).map_err(|said| unknown(host, said));
            }
            Transport::There(agent) => over_there(agent, question),
        };
        let broken = |source| ClusterError::Broken { node: host.to_string(), source };
        match answer.map_err(broken)? {
            Answer::Unknown(said) => Err(unknown(host, said)),
            answer => Ok(answer),
        }
    }
}

fn over_there(agent: &mut Agent, question: &Question) -> io::Result<Answer> {
    let input = agent.input().ok_or(io::ErrorKind::BrokenPipe)?;
    say(input, question)?;
    let mut line = String::new();
    agent.output().read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// Answers each line's question with a line, until there are no more.
///
/// # Errors
/// Where the one who asks went away, or asks what is no question.
pub fn serve(dirs: &[PathBuf], questions: impl BufRead, mut answers: impl Write) -> io::Result<()> {
    let mut desk = Server::open(dirs);
    for line in questions.lines() {
        let question: Question = serde_json::from_str(&line?)?;
        let answer = match &mut desk {
            Ok(desk) => desk.answer(&question),
            Err(said) => Err(said.clone()),
        };
        say(&mut answers, &answer.unwrap_or_else(Answer::Unknown))?;
    }
    Ok(())
}

fn say(out: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

fn unknown(host: &Host, said: String) -> ClusterError {
    ClusterError::Broken { node: host.to_string(), source: io::Error::other(said) }
}
