//! georepair: the fsck of `GlusterFS` geo-replication.
//!
//! The binary is thin: a command parses its flags, calls a [`task`] and prints the result. A
//! library user calls the same tasks.
//!
//! # Layers, in the order data flows
//!
//! | layer | what it does |
//! |---|---|
//! | [`domain`] | the nouns: gfid, entry, finding, session; no I/O, no clock |
//! | [`format`](mod@format) | bytes to nouns and back: log lines, changelogs, HTIME files, volume XML; total functions over slices |
//! | [`scan`] | reads the world and never changes it: logs, bricks, changelogs, mounts, clusters |
//! | [`check`] | facts to findings: pure rules |
//! | [`plan`] | a plan: wanted states, step by step, with preconditions; making one changes nothing |
//! | [`apply`] | executes a plan and is the only layer that changes anything: journaled, resumable, undone by a plan |
//! | [`task`] | whole jobs: options and a stop flag in, findings and progress out |
//! | [`report`] | how results look, for people and for scripts |
//! | [`cli`] | flags in, exit code out |
//!
//! Inside a layer each subject has a folder; a folder's `mod.rs` is its face, and the rest of the
//! crate imports from there. `ls -R src` is the table of contents.
//!
//! # The layer rule
//!
//! domain ← format ← scan ← check ← plan ← apply ← task ← report ← cli. A layer imports only from
//! layers to its left, and `plan` not from `scan`. `domain`, `format`, `check` and `plan` do no
//! I/O. The time of day and the environment come in as arguments from `cli`; `scan` and `apply`
//! measure durations and sleep on their own. No two files import each other in a circle, a
//! `mod.rs` and its own children excepted.
//!
//! `tests/architecture` holds all of this by parsing every file, and proves on planted
//! violations that it would see one; clippy's `disallowed_methods` puts each impure call behind an
//! `#[expect]` with its reason.
//!
//! Two decisions that one might expect otherwise: tasks hand out findings and progress through
//! the traits of [`task`], so `report` stays above them and a task can run without a terminal; and
//! facts (`scan`) are kept apart from judgement (`check`), so every rule is tested without a brick.
//!
//! # Glossary
//!
//! | word | meaning | not |
//! |---|---|---|
//! | primary, secondary | the replicated volume and its copy | master, slave: the words before GlusterFS 10, accepted on reading |
//! | session | one geo-replication from a primary to a secondary volume | pair: a pair may have had several sessions |
//! | gfid | the 16-byte identity of a file or directory on a volume | inode: differs on each brick |
//! | entry | a name in a directory: parent gfid and basename, as bytes | path: a gfid can have many, and a name may not be UTF-8 |
//! | handle | `.glusterfs/aa/bb/<gfid>` on a brick | link: a handle is a symlink only for directories |
//! | mark | a time kept in an xattr: xtime, stime, `entry_stime` | timestamp: those of files are meant by it |
//! | stime | the mark up to which a brick's changes are replicated | checkpoint: GlusterFS uses that for a time an operator sets |
//! | changelog | what a brick recorded in one slice: E (entry), D (data) and M (metadata) records | journal: ours, of a run |
//! | slice | the time between two rollovers; a changelog is named after its end | |
//! | changelog index | which changelogs exist, in order: the HTIME file | history: GlusterFS's crawl that reads the index |
//! | backlog | what the changelogs past stime still name | queue: nothing is queued |
//! | worker | the gsyncd process of one brick; the monitor restarts it when it dies | |
//! | stalled | a worker that is Active while its stime does not move and changes wait | hung: says why, and that is not known |
//! | log message | a known wording of gsyncd, a mount, a brick, glusterd or the command line | |
//! | incident | equal messages of a log, counted | event: one line |
//! | candidate | an incident with a finding code, before causes are found | |
//! | finding | one thing that is wrong, counted, with its evidence and its cause | error: an error is ours |
//! | suspect | a gfid a log names that only the brick can confirm | |
//! | benign | explained by a stop or a changed option, or harmless by itself | ignored: it is shown with `-v` |
//! | difference | how the two sides of one gfid differ | conflict: a difference that stops replication |
//! | pending | a difference that the backlog still names | |
//! | replica set | the bricks that hold copies of the same objects | subvolume |
//! | arbiter | a brick of a replica set that holds names and no data | |
//! | plan, step | wanted states in order; a step is one of them, on one node | script: one way to carry out a plan |
//! | guard | a precondition, checked right before a step | |
//! | run | a plan that is being executed or was, with its journal | job |
//! | journal | what a run intended and did, synced before each action | log: what GlusterFS writes |
//! | executor | what observes and changes one node for a run | |
//! | lease | only the current run may change a peer; requests of an earlier process are refused | lock: a lock alone does not stop a process that was slow |
//! | undo | a plan made from a journal, run as any other | rollback |
//! | agent | `georepair agent` on another node, called over ssh | daemon: it ends with the connection |
//! | level | how much a reset redoes: retry, rewind, history, resync, full | |
//! | canary | files created after a start to prove that changes arrive | |
//! | quarantine | where a copy of a secondary's data is kept before it is removed | trash |

pub mod apply;
pub mod check;
pub mod cli;
pub mod domain;
pub mod format;
pub mod plan;
pub mod report;
pub mod scan;
pub mod task;
