//! Queries the bricks of one node about delivery, locally or through its agent.

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
use crate::scan::cluster;
use crate::scan::cluster::{Agent, ClusterError, Host, Tools};

/// Where a brick is: its node and its directory there.
pub type BrickLocation = (Host, PathBuf);

/// A request to the bricks of a node.
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

/// The answer to a [`Question`].
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
    transport: Transport,
}

#[derive(Debug)]
enum Transport {
    Here(Box<Server>),
    There(Box<Agent<Question, Answer>>),
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
    /// Opens the bricks at these directories of a node.
    ///
    /// # Errors
    /// [`ClusterError`] if the node cannot be reached, or a local directory is not a brick.
    pub fn call(tools: &Tools, host: &Host, dirs: &[PathBuf]) -> Result<Self, ClusterError> {
        let transport = if *host == Host::Here {
            let server = Server::open(dirs).map_err(|said| failed(host, said))?;
            Transport::Here(Box::new(server))
        } else {
            let mut words: Vec<OsString> = vec!["delivery".into()];
            for dir in dirs {
                words.extend(["--brick".into(), dir.into()]);
            }
            Transport::There(Box::new(Agent::start(tools, host, &words)?))
        };
        Ok(Self { host: host.clone(), transport })
    }

    /// Asks.
    ///
    /// # Errors
    /// [`ClusterError`] if a brick cannot be read or the connection is lost.
    pub fn ask(&mut self, question: &Question) -> Result<Answer, ClusterError> {
        match &mut self.transport {
            Transport::Here(server) => {
                server.answer(question).map_err(|said| failed(&self.host, said))
            }
            Transport::There(agent) => agent.call(question),
        }
    }
}

/// Answers questions about the bricks at these directories until the input ends.
///
/// # Errors
/// As [`cluster::serve`].
pub fn serve(dirs: &[PathBuf], input: impl BufRead, output: impl Write) -> io::Result<()> {
    let mut server = Server::open(dirs);
    cluster::serve(input, output, |question, _| match &mut server {
        Ok(server) => server.answer(&question),
        Err(said) => Err(said.clone()),
    })
}

fn failed(host: &Host, said: String) -> ClusterError {
    ClusterError::Agent { node: host.to_string(), said }
}
