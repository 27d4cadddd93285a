//! Extracts the fields of a message, by which incidents are also told apart: operation, number,
//! entry, gfids.

mod entries;
mod programs;
mod volumes;

use std::borrow::Cow;

use super::fields;
use super::fields::{between, field};
use super::log_message::Message;
use super::logline::LogLine;
use super::traceback::Exception;
use crate::domain::{Errno, FailedEntry, Gfid};

/// The fields of a message that a diagnosis needs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MessageFields<'a> {
    /// The operation, such as `CREATE`.
    pub op: Option<Cow<'a, str>>,
    /// The error number.
    pub errno: Option<Errno>,
    /// The exit status of a program.
    pub exit_code: Option<i32>,
    /// A missing parent: its children belong together.
    pub parent: Option<Gfid>,
    /// What else distinguishes incidents: a program, an exception, an address.
    pub words: Cow<'a, [u8]>,
    /// The brick the message names.
    pub brick: Option<&'a [u8]>,
    /// The entries that failed.
    pub entries: Vec<FailedEntry>,
    /// The gfids that failed.
    pub gfids: Vec<Gfid>,
    /// The changelogs concerned.
    pub changelogs: Vec<String>,
    /// The exception of the traceback below the line.
    pub exception: Option<Exception>,
}

/// The fields of a message. `tail` holds the unprefixed lines below it.
#[must_use]
pub fn message_fields<'a>(
    message: Message,
    line: &LogLine<'a>,
    tail: &'a [u8],
) -> MessageFields<'a> {
    let text = line.message;
    match message {
        Message::EntryFailed
        | Message::MetaFailed
        | Message::FixFailed
        | Message::ConflictFixed => entries::failure(text),
        Message::MovedOn | Message::IncompleteSync => {
            let changelogs = fields::changelogs(text).map(str::to_owned).collect();
            MessageFields { changelogs, ..MessageFields::default() }
        }
        Message::SkippedGfids => MessageFields::of_gfids(entries::gfid_list(text)),
        Message::FileErrcode => programs::file_errcode(text),
        Message::SyncError => programs::sync_error(text),
        Message::SyncTaken => programs::sync_taken(text),
        Message::SyncStats => MessageFields::of_words(programs::stats_words(text)),
        Message::CommandFailed => programs::command_failed(text),
        Message::ChildSaid => MessageFields::of_words(programs::child_words(text)),
        Message::Raised | Message::CallRaised => programs::raised(tail),
        Message::CallFailed => programs::call_failed(text),
        Message::RegisterFailed | Message::HistoryFailed | Message::CrawlFailed => {
            programs::crawl_failed(text)
        }
        Message::MountGone => {
            let symbol = field(text, "error").or_else(|| between(text, "[", "]"));
            MessageFields { errno: symbol.and_then(fields::errno), ..MessageFields::default() }
        }
        Message::WorkerStatus | Message::CrawlStatus | Message::MonitorStatus => {
            MessageFields::of_words(programs::status_words(text))
        }
        Message::WorkerStarting
        | Message::WorkerDied
        | Message::WorkerHung
        | Message::AgentDied => {
            let brick = field(text, "brick").or_else(|| between(text, "orker(", ")"));
            MessageFields { brick, ..MessageFields::default() }
        }
        Message::RemoveFailed | Message::RecursiveRemoveFailed => entries::removal(text),
        Message::RenameIgnored | Message::BothExist | Message::RenameOnMkdir => {
            entries::rename(text)
        }
        Message::RetriesExhausted => entries::retries(text),
        Message::UndecodedNames => entries::undecoded(text),
        Message::RemoteOpFailed => volumes::remote_op(line),
        Message::FuseFailed => volumes::fuse(line),
        Message::SplitBrain => volumes::split_brain(text),
        Message::DhtGfidDiffers => volumes::dht(text),
        Message::HandleMissing => MessageFields::of_gfids(volumes::handle_gfid(text)),
        Message::GaveUp | Message::ExecFailed => programs::gave_up(text),
        Message::MountbrokerRefused | Message::HistoryIndexBroken | Message::ChangelogBroken => {
            MessageFields::of_words(Cow::Borrowed(text.get(..24).unwrap_or(text)))
        }
        // No object, number or name in it that a finding could show.
        _ => MessageFields::default(),
    }
}

impl<'a> MessageFields<'a> {
    fn of_gfids(gfids: Vec<Gfid>) -> Self {
        Self { gfids, ..Self::default() }
    }

    fn of_words(words: Cow<'a, [u8]>) -> Self {
        Self { words, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Name;
    use crate::format::{log_message, logline};

    fn fields_of(text: &str) -> MessageFields<'_> {
        let line = logline::parse(text.as_bytes()).unwrap();
        message_fields(log_message::known_message(&line).unwrap(), &line, b"")
    }

    #[test]
    fn a_failure_names_the_entry_that_is_in_the_way() {
        let got = fields_of(
            "[2026-11-21 03:35:51.8] E [primary(worker /b):788:log_failures] _GPrimary: ENTRY FAILED [{data=({'op': 'RENAME', 'gfid': 'b0447066-0000-4000-8000-000000000001', 'entry': '.gfid/a46ae68b-61aa-4df0-b681-7f7d5ed0bb41/old', 'entry1': '.gfid/a46ae68b-61aa-4df0-b681-7f7d5ed0bb41/new'}, 17, {'dst': True, 'secondary_gfid': 'b4c5c083-0000-4000-8000-000000000002'})}]",
        );
        let entry = &got.entries[0];
        assert_eq!(entry.name.as_ref().map(Name::as_bytes), Some(&b"new"[..]));
        assert_eq!((got.op.as_deref(), got.errno), (Some("RENAME"), Some(Errno::EEXIST)));
        assert_eq!(
            entry.secondary_gfid.map(|g| g.to_string()).as_deref(),
            Some("b4c5c083-0000-4000-8000-000000000002")
        );
    }

    #[test]
    fn a_line_that_was_cut_still_names_its_gfid() {
        let got = fields_of(
            "[2016-11-08 03:22:47.654310] E [master(/b):782:log_failures] _GMaster: ENTRY FAILED: ({'uid': 1001, 'gfid': '5f0d8c1e-2b7a-4c64-9e31-7a4d0c55b8e1', 'op': 'MKNOD', 'entry': '.gfid/9b4e2f",
        );
        assert_eq!((got.gfids.len(), got.op.as_deref(), got.errno), (1, Some("MKNOD"), None));
    }

    #[test]
    fn a_look_up_names_its_gfid_in_every_era() {
        for text in [
            "[2016-02-22 15:21:30.451133] W [MSGID: 114031] [client-rpc-fops.c:2971:client3_3_lookup_cbk] 0-v-client-0: remote operation failed. Path: <gfid:c4b19f1c-cc18-4727-87a4-18de8fe0089e> (c4b19f1c-cc18-4727-87a4-18de8fe0089e) [No such file or directory]",
            "[2014-02-22 15:21:30.451133] W [client-rpc-fops.c:2971:client3_3_lookup_cbk] 0-v-client-0: remote operation failed: No such file or directory. Path: <gfid:c4b19f1c-cc18-4727-87a4-18de8fe0089e> (c4b19f1c-cc18-4727-87a4-18de8fe0089e)",
            "[2026-02-22 15:21:30.451133 +0000] W [MSGID: 114031] [client-rpc-fops_v2.c:2618:client4_0_lookup_cbk] 0-v-client-0: remote operation failed. [{path=<gfid:c4b19f1c-cc18-4727-87a4-18de8fe0089e>}, {gfid=c4b19f1c-cc18-4727-87a4-18de8fe0089e}, {errno=2}, {error=Nix da}]",
        ] {
            let got = fields_of(text);
            assert_eq!(
                (got.errno, got.op.as_deref()),
                (Some(Errno::ENOENT), Some("LOOKUP")),
                "{text}"
            );
            assert_eq!(got.gfids[0].to_string(), "c4b19f1c-cc18-4727-87a4-18de8fe0089e");
        }
    }

    proptest! {
        #[test]
        fn any_message_is_taken_apart_without_a_panic(
            start in prop::sample::select(vec![
                "ENTRY FAILED [{data=(", "ENTRY FAILED\tdata=(", "META FAILED: (", "reached maximum retries [{args=[",
                "command returned error [{cmd=", "SYNC Error\terror=", "call failed [{call=", "Failed to remove ",
                "Recursive remove ", "RENAME ignored: source entry:", "Directory Rename failed. Both Old and New",
                "entries: [\\udc", "rsync performance: ", "Sync Time Taken [{", "execution of \"", "worker(",
            ]),
            rest: Vec<u8>,
            tail: Vec<u8>,
        ) {
            let mut text = format!("[2026-11-21 03:35:51.8] E [m(worker /b):1:process] _G: {start}").into_bytes();
            text.extend(rest.into_iter().filter(|byte| *byte != b'\n'));
            if let Some(line) = logline::parse(&text) && let Some(said) = log_message::known_message(&line) {
                let _ = message_fields(said, &line, &tail);
            }
        }

        #[test]
        fn any_c_message_is_taken_apart_without_a_panic(
            start in prop::sample::select(vec![
                "remote operation failed", "remote operation failed. Path: <gfid:", "7: /.gfid/x -> y => -1 (",
                "Gfid mismatch detected for <gfid:", "/d: gfid different on x. gfid local = ", "path:", "stat of .glusterfs/",
            ]),
            rest in "\\PC*",
        ) {
            let text = format!("[2026-11-21 03:35:51.8] E [fuse-bridge.c:1:fuse_rename_cbk] 0-fuse: {start}{rest}");
            if let Some(line) = logline::parse(text.as_bytes()) && let Some(said) = log_message::known_message(&line) {
                let _ = message_fields(said, &line, b"");
            }
        }
    }
}
