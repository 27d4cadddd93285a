//! A message taken apart: operation, number, entry, gfids; what makes two of them the same.

mod entries;
mod programs;
mod volumes;

use std::borrow::Cow;

use memchr::memmem;

use super::fields::{self, between, field};
use super::logline::LogLine;
use super::saying::Saying;
use super::traceback::Exception;
use crate::domain::{Entry, Errno, Gfid};

/// What one message says, as far as a diagnosis needs it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts<'a> {
    /// The operation, such as `CREATE`.
    pub op: Option<Cow<'a, str>>,
    /// The error number.
    pub errno: Option<Errno>,
    /// The exit status of a program.
    pub exit_code: Option<i32>,
    /// A missing parent: its children belong together.
    pub parent: Option<Gfid>,
    /// What else makes two incidents the same: a program, an exception, an address.
    pub words: Cow<'a, [u8]>,
    /// The brick the message names.
    pub brick: Option<&'a [u8]>,
    /// The entries that failed.
    pub entries: Vec<Entry>,
    /// The gfids that failed.
    pub gfids: Vec<Gfid>,
    /// The changelogs concerned.
    pub changelogs: Vec<String>,
    /// The exception of the traceback below the line.
    pub exception: Option<Exception>,
}

/// An entry of which nothing is known.
const NOTHING: Entry = Entry {
    gfid: None,
    parent: None,
    name: None,
    op: None,
    errno: None,
    secondary_gfid: None,
    path: None,
    now: None,
};

/// Takes a message apart. `tail` holds the unprefixed lines below it.
#[must_use]
pub fn of<'a>(saying: Saying, line: &LogLine<'a>, tail: &'a [u8]) -> Facts<'a> {
    let message = line.message;
    match saying {
        Saying::EntryFailed | Saying::MetaFailed | Saying::FixFailed | Saying::ConflictFixed => {
            entries::failure(message)
        }
        Saying::MovedOn | Saying::IncompleteSync => {
            let changelogs = fields::changelogs(message).map(str::to_owned).collect();
            Facts { changelogs, ..Facts::default() }
        }
        Saying::SkippedGfids => Facts { gfids: entries::gfid_list(message), ..Facts::default() },
        Saying::FileErrcode => programs::file_errcode(message),
        Saying::SyncError => programs::sync_error(message),
        Saying::SyncTaken => programs::sync_taken(message),
        Saying::SyncStats => Facts { words: programs::stats_words(message), ..Facts::default() },
        Saying::CommandFailed => programs::command_failed(message),
        Saying::ChildSaid => Facts { words: programs::child_words(message), ..Facts::default() },
        Saying::Raised | Saying::CallRaised => programs::raised(tail),
        Saying::CallFailed => programs::call_failed(message),
        Saying::RegisterFailed | Saying::HistoryFailed | Saying::CrawlFailed => {
            let error = field(message, "error").unwrap_or(message);
            let fell_back = memmem::find(message, b"fallback to xsync").is_some();
            let words = Cow::Borrowed(if fell_back { &b"fallback"[..] } else { b"" });
            let errno = fields::errno(error).or_else(|| programs::trailing_errno(message));
            Facts { errno, words, ..Facts::default() }
        }
        Saying::MountGone => {
            let symbol = field(message, "error").or_else(|| between(message, "[", "]"));
            Facts { errno: symbol.and_then(fields::errno), ..Facts::default() }
        }
        Saying::WorkerStatus | Saying::CrawlStatus | Saying::MonitorStatus => {
            Facts { words: programs::status_words(message), ..Facts::default() }
        }
        Saying::WorkerStarting | Saying::WorkerDied | Saying::WorkerHung | Saying::AgentDied => {
            let brick = field(message, "brick").or_else(|| between(message, "orker(", ")"));
            Facts { brick, ..Facts::default() }
        }
        Saying::RemoveFailed | Saying::RecursiveRemoveFailed => entries::removal(message),
        Saying::RenameIgnored | Saying::BothExist | Saying::RenameOnMkdir => {
            entries::rename(message)
        }
        Saying::RetriesExhausted => entries::retries(message),
        Saying::UndecodedNames => entries::undecoded(message),
        Saying::RemoteOpFailed => volumes::remote_op(line),
        Saying::FuseFailed => volumes::fuse(line),
        Saying::SplitBrain => volumes::split_brain(message),
        Saying::DhtGfidDiffers => volumes::dht(message),
        Saying::HandleMissing => Facts { gfids: volumes::handle_gfid(message), ..Facts::default() },
        Saying::GaveUp | Saying::ExecFailed => programs::gave_up(message),
        Saying::ConfigUnreadable | Saying::StatusFileMissing | Saying::NotRunning => {
            Facts::default()
        }
        Saying::MountbrokerRefused | Saying::HistoryIndexBroken | Saying::ChangelogBroken => {
            Facts { words: Cow::Borrowed(message.get(..24).unwrap_or(message)), ..Facts::default() }
        }
        _ => Facts::default(),
    }
}
