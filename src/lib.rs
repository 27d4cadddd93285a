//! georepair: the fsck of `GlusterFS` geo-replication.
//!
//! # The rooms, in the order the data flows
//!
//! | room | what happens there |
//! |---|---|
//! | [`domain`] | the nouns: gfid, entry, finding; no I/O, no clock |
//! | [`format`](mod@format) | bytes to nouns and back: log lines, python literals, changelogs; total functions over slices |
//! | [`scan`] | looks at the world and never changes it: log files, bricks, changelogs |
//! | [`check`] | facts to findings: pure rules, one family a file |
//! | [`plan`] | what shall be so, step by step, and under which conditions; making one changes nothing |
//! | [`apply`] | the only room that changes the world: journalled, resumable, taken back by a plan |
//! | [`report`] | how an answer looks, for people and for scripts |
//! | [`cli`] | flags in, exit code out |
//!
//! # The layer rule
//!
//! domain ← format ← scan ← check ← plan ← apply ← report ← cli. A room imports only rooms to its
//! left; `plan` may not import `scan`, and `check` and `plan` do no I/O. Clock and environment come in as arguments from `cli`; every other room
//! is deterministic. A test in `tests/architecture.rs` holds the rule by reading every
//! `use crate::…`; clippy's `disallowed_methods` lists each impure call behind an `#[expect]`.
//!
//! # Words
//!
//! | word | what it means here |
//! |---|---|
//! | primary, secondary | the copied volume and its copy; master and slave before GlusterFS 10 |
//! | entry | a name in a directory: parent gfid and basename, as bytes |
//! | handle | `.glusterfs/aa/bb/<gfid>` on a brick |
//! | mark | a time kept in an xattr: xtime, stime, `entry_stime` |
//! | changelog | what a brick wrote down in one slice: E, D and M records |
//! | slice | the time between two rollovers; a changelog is named after its end |
//! | HTIME | the index of a brick's changelogs |
//! | worker | the gsyncd process of one brick; `monitor` starts it again when it dies |
//! | finding | one thing that is wrong, counted, with its evidence and its cause |

pub mod apply;
pub mod check;
pub mod cli;
pub mod domain;
pub mod format;
pub mod plan;
pub mod report;
pub mod scan;
pub mod task;
