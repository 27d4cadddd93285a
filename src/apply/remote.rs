//! The world on a peer: `ssh NODE georepair agent world`, JSON lines there and back.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::executor::{Batch, Executor, ExecutorError};
use super::lease::{Lease, Leases};
use crate::domain::in_one_line;
use crate::plan::{Action, Bulk, Guard, Item, Object, State};
use crate::scan::cluster::{Agent, Host, Tools};

/// The longest line that is read from a peer, 64 MiB: a batch of the largest files fits.
const LONGEST: u64 = 64 << 20;

/// What a peer is asked, one a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Which version of this protocol it speaks: the first question.
    Hello,
    /// To take the turn, for the changes that follow.
    Turn(Lease),
    /// How objects are.
    Observe(Vec<Object>),
    /// Whether a condition holds.
    Misfit(Guard),
    /// To do these, in their order.
    Perform(Vec<Action>),
    /// To do a batch.
    Batch(Bulk, Vec<Item>),
}

/// What a peer answers, one a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The version of the protocol.
    Hello(u32),
    /// How the objects are, in the order of the question.
    States(Vec<State>),
    /// What was found instead; nothing where the condition holds.
    Misfit(Option<String>),
    /// It is done.
    Done,
    /// How the batch went.
    Batch(Batch),
    /// It could not, and why.
    Failed(String),
}

/// The protocol's version; both sides must speak the same.
const VERSION: u32 = 2;

/// Answers questions about a world until their end, and changes it for whose turn it is.
///
/// # Errors
/// Where a question cannot be read or an answer not be written; the one who asks is gone then.
pub fn serve(
    mut input: impl BufRead,
    mut output: impl Write,
    world: &mut dyn Executor,
    turns: &mut Leases,
) -> io::Result<()> {
    while let Some(ask) = take(&mut input)? {
        give(&mut output, &answer(&ask, world, turns))?;
    }
    Ok(())
}

fn answer(ask: &Ask, world: &mut dyn Executor, turns: &mut Leases) -> Answer {
    let answered = match ask {
        Ask::Hello => Ok(Answer::Hello(VERSION)),
        Ask::Observe(objects) => {
            world.observe_each(&objects.iter().collect::<Vec<_>>()).map(Answer::States)
        }
        Ask::Misfit(guard) => world.misfit(guard).map(Answer::Misfit),
        Ask::Turn(turn) => turns.take(turn.clone()).map(|()| Answer::Done),
        Ask::Perform(actions) => {
            turns.during(|| world.perform_each(actions)).map(|()| Answer::Done)
        }
        Ask::Batch(bulk, items) => {
            turns.during(|| world.perform_batch(bulk, items)).map(Answer::Batch)
        }
    };
    answered.unwrap_or_else(|error| Answer::Failed(in_one_line(&error)))
}

/// A talk with somebody who [`serve`]s.
pub trait Talk {
    /// Where questions go, while the talk lasts.
    fn input(&mut self) -> Option<&mut dyn Write>;
    /// Where answers come from.
    fn output(&mut self) -> &mut dyn BufRead;
}

impl Talk for Agent {
    fn input(&mut self) -> Option<&mut dyn Write> {
        Agent::input(self).map(|input| input as &mut dyn Write)
    }

    fn output(&mut self) -> &mut dyn BufRead {
        Agent::output(self)
    }
}

/// A peer.
pub struct RemoteExecutor {
    node: String,
    talk: Box<dyn Talk>,
    turn: Option<Lease>,
}

impl RemoteExecutor {
    /// Calls the georepair of a peer by ssh.
    ///
    /// # Errors
    /// [`ExecutorError::Cluster`] where it cannot be reached, [`ExecutorError::Peer`] as for `greet`.
    pub fn call(tools: &Tools, node: &str) -> Result<Self, ExecutorError> {
        let agent = Agent::start(tools, &Host::Peer(node.to_owned()), &["world"])?;
        Self::greet(node, Box::new(agent))
    }

    /// Greets who answers for the node of this name.
    ///
    /// # Errors
    /// [`ExecutorError::Peer`] where nobody answers, or in another version.
    pub fn greet(node: &str, talk: Box<dyn Talk>) -> Result<Self, ExecutorError> {
        let mut peer = Self { node: node.to_owned(), talk, turn: None };
        match peer.ask(&Ask::Hello)? {
            Answer::Hello(VERSION) => Ok(peer),
            _ => Err(peer.failed("its georepair is of another version; install this one there")),
        }
    }

    /// Takes the turn there, unless it has it: before the first look of what carries out a run.
    ///
    /// # Errors
    /// [`ExecutorError::Peer`] where it cannot be had.
    pub fn take_turn(&mut self, turn: &Lease) -> Result<(), ExecutorError> {
        if self.turn.as_ref() == Some(turn) {
            return Ok(());
        }
        match self.ask(&Ask::Turn(turn.clone()))? {
            Answer::Done => self.turn = Some(turn.clone()),
            _ => return Err(self.odd()),
        }
        Ok(())
    }

    fn ask(&mut self, ask: &Ask) -> Result<Answer, ExecutorError> {
        let ended = || io::Error::from(io::ErrorKind::BrokenPipe);
        let given = self.talk.input().ok_or_else(ended).and_then(|input| give(input, ask));
        let asked = given.and_then(|()| take(self.talk.output()));
        match asked {
            Ok(Some(Answer::Failed(said))) => Err(self.failed(&said)),
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(self.failed("the connection ended")),
            Err(error) => Err(self.failed(&format!("the connection broke: {error}"))),
        }
    }

    fn failed(&self, said: &str) -> ExecutorError {
        ExecutorError::Peer { node: self.node.clone(), said: said.to_owned() }
    }

    fn odd(&self) -> ExecutorError {
        self.failed("it answered another question than the one asked")
    }
}

impl Executor for RemoteExecutor {
    fn observe(&mut self, object: &Object) -> Result<State, ExecutorError> {
        self.observe_each(&[object])?.pop().ok_or_else(|| self.odd())
    }

    fn observe_each(&mut self, objects: &[&Object]) -> Result<Vec<State>, ExecutorError> {
        let asked = objects.iter().copied().cloned().collect();
        match self.ask(&Ask::Observe(asked))? {
            Answer::States(states) if states.len() == objects.len() => Ok(states),
            _ => Err(self.odd()),
        }
    }

    fn misfit(&mut self, guard: &Guard) -> Result<Option<String>, ExecutorError> {
        match self.ask(&Ask::Misfit(guard.clone()))? {
            Answer::Misfit(found) => Ok(found),
            _ => Err(self.odd()),
        }
    }

    fn perform(&mut self, action: &Action) -> Result<(), ExecutorError> {
        self.perform_each(std::slice::from_ref(action))
    }

    fn perform_each(&mut self, actions: &[Action]) -> Result<(), ExecutorError> {
        match self.ask(&Ask::Perform(actions.to_vec()))? {
            Answer::Done => Ok(()),
            _ => Err(self.odd()),
        }
    }

    fn perform_batch(&mut self, bulk: &Bulk, items: &[Item]) -> Result<Batch, ExecutorError> {
        match self.ask(&Ask::Batch(bulk.clone(), items.to_vec()))? {
            Answer::Batch(batch) => Ok(batch),
            _ => Err(self.odd()),
        }
    }
}

fn give(output: &mut (impl Write + ?Sized), message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

fn take<T: serde::de::DeserializeOwned>(
    input: &mut (impl BufRead + ?Sized),
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    io::Read::take(&mut *input, LONGEST).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line)?)),
        Some(_) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the line is cut off")),
    }
}
