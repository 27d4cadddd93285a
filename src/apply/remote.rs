//! Executes steps on a peer, through `ssh NODE georepair agent world`.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::executor::{Batch, Executor, ExecutorError};
use super::lease::{Lease, Leases};
use crate::domain::in_one_line;
use crate::plan::{Action, Bulk, Guard, Item, Object, State};
use crate::scan::cluster;
use crate::scan::cluster::{Agent, Host, Tools};

/// A request to the agent that changes a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ask {
    /// Take the lease, for the changes that follow.
    Lease(Lease),
    /// Observe objects.
    Observe(Vec<Object>),
    /// Check a condition.
    Check(Guard),
    /// Perform actions, in this order.
    Perform(Vec<Action>),
    /// Perform a batch.
    Batch(Bulk, Vec<Item>),
}

/// The answer to an [`Ask`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    /// The objects' states, in the order of the request.
    States(Vec<State>),
    /// What was found instead; `None` if the condition holds.
    Found(Option<String>),
    /// It is done.
    Done,
    /// The outcome of the batch.
    Batch(Batch),
}

/// Answers requests about a node until the input ends; changes it only for the holder of the lease.
///
/// # Errors
/// As [`cluster::serve`].
pub fn serve(
    input: impl BufRead,
    output: impl Write,
    executor: &mut dyn Executor,
) -> io::Result<()> {
    let mut leases = Leases::default();
    cluster::serve(input, output, |ask, _| {
        answer(&ask, executor, &mut leases).map_err(|error| in_one_line(&error))
    })
}

fn answer(
    ask: &Ask,
    executor: &mut dyn Executor,
    leases: &mut Leases,
) -> Result<Answer, ExecutorError> {
    match ask {
        Ask::Observe(objects) => {
            executor.observe_each(&objects.iter().collect::<Vec<_>>()).map(Answer::States)
        }
        Ask::Check(guard) => executor.check(guard).map(Answer::Found),
        Ask::Lease(lease) => leases.take(lease.clone()).map(|()| Answer::Done),
        Ask::Perform(actions) => {
            leases.during(|| executor.perform_each(actions)).map(|()| Answer::Done)
        }
        Ask::Batch(bulk, items) => {
            leases.during(|| executor.perform_batch(bulk, items)).map(Answer::Batch)
        }
    }
}

/// A node that is changed through its agent.
#[derive(Debug)]
pub struct RemoteExecutor {
    agent: Agent<Ask, Answer>,
    lease: Option<Lease>,
}

impl RemoteExecutor {
    /// Connects to the georepair of a peer by ssh.
    ///
    /// # Errors
    /// [`ExecutorError::Cluster`], as [`Agent::start`].
    pub fn connect(tools: &Tools, node: &str) -> Result<Self, ExecutorError> {
        let agent = Agent::start(tools, &Host::Peer(node.to_owned()), &["world"])?;
        Ok(Self { agent, lease: None })
    }

    /// Takes the lease there, unless it is held: before the first look of a run.
    ///
    /// # Errors
    /// [`ExecutorError`] if the peer refuses it or cannot be asked.
    pub fn take_lease(&mut self, lease: &Lease) -> Result<(), ExecutorError> {
        if self.lease.as_ref() == Some(lease) {
            return Ok(());
        }
        match self.agent.call(&Ask::Lease(lease.clone()))? {
            Answer::Done => self.lease = Some(lease.clone()),
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    fn unexpected(&self) -> ExecutorError {
        self.agent.unexpected().into()
    }
}

impl Executor for RemoteExecutor {
    fn observe(&mut self, object: &Object) -> Result<State, ExecutorError> {
        self.observe_each(&[object])?.pop().ok_or_else(|| self.unexpected())
    }

    fn observe_each(&mut self, objects: &[&Object]) -> Result<Vec<State>, ExecutorError> {
        let asked = objects.iter().copied().cloned().collect();
        match self.agent.call(&Ask::Observe(asked))? {
            Answer::States(states) if states.len() == objects.len() => Ok(states),
            _ => Err(self.unexpected()),
        }
    }

    fn check(&mut self, guard: &Guard) -> Result<Option<String>, ExecutorError> {
        match self.agent.call(&Ask::Check(guard.clone()))? {
            Answer::Found(found) => Ok(found),
            _ => Err(self.unexpected()),
        }
    }

    fn perform(&mut self, action: &Action) -> Result<(), ExecutorError> {
        self.perform_each(std::slice::from_ref(action))
    }

    fn perform_each(&mut self, actions: &[Action]) -> Result<(), ExecutorError> {
        match self.agent.call(&Ask::Perform(actions.to_vec()))? {
            Answer::Done => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    fn perform_batch(&mut self, bulk: &Bulk, items: &[Item]) -> Result<Batch, ExecutorError> {
        match self.agent.call(&Ask::Batch(bulk.clone(), items.to_vec()))? {
            Answer::Batch(batch) => Ok(batch),
            _ => Err(self.unexpected()),
        }
    }
}
