//! Queries the bricks of a volume, node by node: what they recorded, how far the session is, what arrived.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use uuid::Uuid;

use crate::domain::Gfid;
use crate::scan::cluster::{ClusterError, Host, Tools};
use crate::scan::delivery::{Answer, Arrival, BrickLocation, Past, Question, Wanted, Witness};

/// How many objects are queried in one request.
const TOGETHER: usize = 1024;

/// The bricks of a volume; a node that cannot be queried is left out.
#[derive(Debug)]
pub(super) struct Bricks {
    nodes: Vec<Node>,
    sets: usize,
    /// Why nodes were left out.
    pub(super) left_out: Vec<String>,
}

/// Those of one node.
#[derive(Debug)]
struct Node {
    host: Host,
    dirs: Vec<PathBuf>,
    /// For each the set of the volume it belongs to.
    sets: Vec<usize>,
    /// For each the end of its newest slice at the beginning.
    after: Vec<Option<u32>>,
    /// For each how far it was at the last query.
    past: Vec<Past>,
    witness: Option<Witness>,
}

impl Node {
    fn ask(&mut self, tools: &Tools, question: &Question) -> Result<Answer, ClusterError> {
        let witness = match self.witness.take() {
            Some(witness) => witness,
            None => Witness::call(tools, &self.host, &self.dirs)?,
        };
        self.witness.insert(witness).ask(question)
    }
}

impl Bricks {
    /// The bricks of a volume, set by set.
    pub(super) fn of(sets: &[Vec<BrickLocation>]) -> Self {
        let mut nodes: BTreeMap<Host, Node> = BTreeMap::new();
        for (set, bricks) in sets.iter().enumerate() {
            for (host, dir) in bricks {
                let node = nodes.entry(host.clone()).or_insert_with(|| Node {
                    host: host.clone(),
                    dirs: Vec::new(),
                    sets: Vec::new(),
                    after: Vec::new(),
                    past: Vec::new(),
                    witness: None,
                });
                node.dirs.push(dir.clone());
                node.sets.push(set);
                node.past.push(Past::default());
            }
        }
        Self { nodes: nodes.into_values().collect(), sets: sets.len(), left_out: Vec::new() }
    }

    /// Whether the bricks that can be queried hold every file.
    pub(super) fn are_whole(&self) -> bool {
        (0..self.sets).all(|set| self.nodes.iter().any(|node| node.sets.contains(&set)))
    }

    fn ask(&mut self, tools: &Tools, question: impl Fn(&Node) -> Question) -> Vec<(usize, Answer)> {
        let mut answers = Vec::new();
        let mut left = Vec::new();
        for mut node in std::mem::take(&mut self.nodes) {
            let question = question(&node);
            match node.ask(tools, &question) {
                Ok(answer) => {
                    answers.push((left.len(), answer));
                    left.push(node);
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(|it| format!(": {it}"));
                    self.left_out.push(format!("{error}{}", cause.unwrap_or_default()));
                }
            }
        }
        self.nodes = left;
        answers
    }

    /// Remembers where the changelogs end now: only later records count.
    pub(super) fn begin(&mut self, tools: &Tools) {
        for (index, answer) in self.ask(tools, |_| Question::Newest) {
            if let (Answer::Ends(ends), Some(node)) = (answer, self.nodes.get_mut(index)) {
                node.after = ends;
                // The run may take hours: the connection is opened again after it.
                node.witness = None;
            }
        }
    }

    /// Adds objects to search for.
    pub(super) fn want(&mut self, tools: &Tools, wanted: &[Wanted]) {
        for together in wanted.chunks(TOGETHER) {
            self.ask(tools, |_| Question::Want(together.to_vec()));
        }
    }

    /// Searches new slices and reads the session's marks; returns what is recorded now.
    pub(super) fn look(&mut self, tools: &Tools, secondary: Option<Uuid>) -> Vec<Gfid> {
        let question = |node: &Node| Question::Look { after: node.after.clone(), secondary };
        let mut found = Vec::new();
        for (index, answer) in self.ask(tools, question) {
            let Answer::Seen { recorded, bricks } = answer else { continue };
            found.extend(recorded);
            let Some(node) = self.nodes.get_mut(index) else { continue };
            for (past, now) in node.past.iter_mut().zip(bricks) {
                *past = Past { end: past.end.max(now.end), stime: now.stime };
            }
        }
        found
    }

    /// Whether the session is past all records of interest: of each set, on one brick at least.
    pub(super) fn is_past(&self) -> bool {
        (0..self.sets).all(|set| {
            let bricks = self.nodes.iter().flat_map(|node| node.sets.iter().zip(&node.past));
            let of_set = bricks.filter(|(of, past)| **of == set && past.end.is_some());
            let mut past = of_set.map(|(_, past)| is_past(past)).peekable();
            past.peek().is_none() || past.any(|past| past)
        })
    }

    /// Those that a brick has, and how they look there.
    pub(super) fn arrivals(&mut self, tools: &Tools, gfids: &[Gfid]) -> HashMap<Gfid, Arrival> {
        let mut found = HashMap::new();
        for together in gfids.chunks(TOGETHER) {
            for (_, answer) in self.ask(tools, |_| Question::Arrivals(together.to_vec())) {
                let Answer::Arrived(arrived) = answer else { continue };
                found.extend(arrived.into_iter().flatten().map(|it| (it.gfid, it)));
            }
        }
        found
    }
}

/// gsyncd writes the end of the last slice, less one second, as stime.
fn is_past(past: &Past) -> bool {
    let mark = past.stime.map(|stime| stime.saturating_add(1));
    past.end.is_none() || mark.is_some_and(|mark| Some(mark) >= past.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bricks(sets: &[&[(u32, u32)]]) -> Bricks {
        let seat = |set: usize, n: usize| (Host::Peer(format!("m{n}")), format!("/b{set}").into());
        let seats = sets.iter().enumerate();
        let seats = seats.map(|(set, it)| (0..it.len()).map(|n| seat(set, n)).collect());
        let mut bricks = Bricks::of(&seats.collect::<Vec<_>>());
        for (n, node) in bricks.nodes.iter_mut().enumerate() {
            for (set, past) in node.sets.iter().zip(&mut node.past) {
                let (end, stime) = sets[*set][n];
                *past = Past { end: (end > 0).then_some(end), stime: Some(stime) };
            }
        }
        bricks
    }

    #[test]
    fn the_session_is_past_when_one_brick_of_each_set_is() {
        for (sets, past) in [
            (&[&[(10, 9), (10, 0)][..], &[(20, 0), (20, 30)]][..], true),
            (&[&[(10, 9), (10, 0)], &[(20, 18), (20, 0)]], false),
            (&[&[(10, 8), (12, 10)]], false),
            (&[&[(0, 0), (0, 0)]], true),
            (&[&[(0, 99), (12, 10)]], false),
        ] {
            assert_eq!(bricks(sets).is_past(), past, "{sets:?}");
        }
    }

    #[test]
    fn a_set_without_a_brick_that_can_be_asked_is_not_seen() {
        let mut both = bricks(&[&[(1, 1), (1, 1)], &[(1, 1), (1, 1)]]);
        both.nodes.pop();
        assert!(both.are_whole());
        both.nodes.pop();
        assert!(!both.are_whole());
    }

    #[test]
    fn a_directory_that_is_no_brick_is_left_out_and_told() {
        let dir = tempfile::tempdir().unwrap();
        let mut bricks = Bricks::of(&[vec![(Host::Here, dir.path().to_owned())]]);
        bricks.begin(&Tools::new(std::path::Path::new("gluster"), "ssh").unwrap());
        assert!(!bricks.are_whole());
        assert!(bricks.left_out[0].contains(dir.path().to_str().unwrap()), "{bricks:?}");
    }
}
