//! What a finding means in one sentence, and the next commands.

use super::candidate::{Candidate, is_entry_code};
use crate::domain::{Code, Finding, Remedy, Severity, Side};
use crate::format::log_message::Message;

/// The finding as it is reported.
pub(super) fn finish(draft: Candidate, caused_by: Option<usize>) -> Finding {
    let (says, commands) = (says(&draft), commands(&draft));
    let mut evidence = draft.evidence;
    evidence.truncate(4);
    Finding {
        case: draft.case,
        code: draft.code,
        severity: draft.severity,
        side: draft.side,
        session: draft.session,
        node: draft.node,
        worker: draft.worker,
        count: draft.count,
        first: draft.first,
        last: draft.last,
        errno: draft.errno,
        exit_code: draft.exit_code,
        op: draft.op,
        gfids: draft.gfids,
        entries: draft.entries,
        omitted: draft.omitted,
        changelogs: draft.changelogs,
        healed: draft.healed,
        caused_by,
        says,
        evidence,
        known: Vec::new(),
        remedy: Remedy { runbook: draft.code.slug(), commands },
    }
}

/// One sentence a person understands.
fn says(draft: &Candidate) -> String {
    let sentence = if draft.severity == Severity::Benign { benign(draft) } else { sentence(draft) };
    let healed = if draft.healed { "; it went on well afterwards" } else { "" };
    format!("{sentence}{healed}")
}

fn benign(draft: &Candidate) -> String {
    match draft.code {
        Code::MissingOnSecondary => {
            "look-ups before a create: the same line is logged for every healthy one".to_owned()
        }
        Code::HistoryPartial => "the first full crawl of a new session".to_owned(),
        Code::PeerBroken => "the connection ended with a stop or configuration change".to_owned(),
        _ => "logged while the session was being stopped or reconfigured".to_owned(),
    }
}

fn sentence(draft: &Candidate) -> String {
    match draft.code {
        code if is_entry_code(code) || code == Code::GfidConflictFixed => on_entries(draft),
        Code::ChangelogSkipped
        | Code::DataSyncFailed
        | Code::DataSyncEmpty
        | Code::InternalXattrNoise => on_data(draft),
        Code::StaleHandle
        | Code::IoError
        | Code::NoData
        | Code::MissingOnSecondary
        | Code::SplitBrain
        | Code::DhtGfidDiffers
        | Code::HandleMissingLogged => on_volumes(draft),
        _ => on_session(draft),
    }
}

fn on_entries(draft: &Candidate) -> String {
    let op = draft.op.as_deref().unwrap_or("an entry operation");
    let why = draft.errno.map(|errno| format!(" ({errno})")).unwrap_or_default();
    let several = draft.entries.len().max(draft.gfids.len());
    match draft.code {
        Code::EntryMkdirFailed => {
            format!(
                "a directory could not be made on the secondary{why}; the worker stops there until that is mended"
            )
        }
        Code::EntryGfidMismatch => format!(
            "{op} failed: the name exists on the secondary with another gfid{why}; the entry was given up"
        ),
        Code::EntryParentMissing => match draft.parent {
            Some(parent) => format!(
                "directory {parent} is missing on the secondary: {several} entries below it were given up"
            ),
            None => format!("{op} failed: a parent directory is missing on the secondary{why}"),
        },
        Code::EntryIsDirectory => {
            format!("{op} met a directory{why}: old and new directory both exist on the secondary")
        }
        Code::EntryBusy => {
            format!("{op} met a busy entry{why}: usually transient, unless it repeats")
        }
        Code::EntryNotEmpty => {
            format!(
                "a directory that was removed on the primary is not empty on the secondary{why}"
            )
        }
        Code::MetadataFailed => {
            format!("owner, mode or times could not be set on the secondary{why}")
        }
        Code::GfidConflictFixed if draft.saying == Message::ConflictsCounted => {
            "entries failed at first and gsyncd mended them; since 6.2 it does not log what it removed, renamed or created on the secondary".to_owned()
        }
        Code::GfidConflictFixed => {
            "gsyncd removed or renamed entries on the secondary to mend gfid conflicts".to_owned()
        }
        _ if matches!(draft.saying, Message::RemoteOpFailed | Message::FuseFailed) => {
            format!("{op} failed on a mount of the secondary{why}")
        }
        _ if draft.severity == Severity::Warning => {
            format!("{op} failed on the secondary{why} each time it was tried")
        }
        _ => format!("{op} failed on the secondary{why}; the entry was given up"),
    }
}

fn on_data(draft: &Candidate) -> String {
    let code = draft.exit_code.map(|code| format!(" with {code} ({})", exit_words(code)));
    match draft.code {
        Code::ChangelogSkipped => format!(
            "{} given up after the last retry: data they name is not on the secondary, and nothing will try again",
            match draft.changelogs.len() {
                0 | 1 => "a changelog was".to_owned(),
                many => format!("{many} changelogs were"),
            }
        ),
        Code::DataSyncEmpty => {
            "rsync reports success and transfers nothing: files arrive empty".to_owned()
        }
        Code::InternalXattrNoise => {
            "GlusterFS's own attributes were refused: noise, but it makes rsync return 23"
                .to_owned()
        }
        _ if draft.severity == Severity::Fatal => {
            format!("rsync or tar failed{}; the worker dies of it", code.unwrap_or_default())
        }
        _ if draft.healed => format!(
            "some data could not be sent at first{} and was sent with a later try",
            code.unwrap_or_default()
        ),
        _ => format!(
            "data could not be sent: rsync or tar returned an error{}; after the last retry the changelog is given up",
            code.unwrap_or_default()
        ),
    }
}

/// What rsync's exit status means (rsync(1), EXIT VALUES).
fn exit_words(code: i32) -> &'static str {
    match code {
        1 => "syntax or usage",
        2 => "protocol incompatibility; tar: some files differ",
        3 => "selecting files failed",
        5 => "starting the protocol failed",
        10 => "socket error",
        11 => "file I/O error, disk full for example",
        12 => "the data stream broke: no rsync on the other side, disk full, or a cipher refused",
        14 => "IPC error",
        20 => "interrupted",
        22 => "allocation failed",
        23 => "some files were not transferred",
        24 => "files vanished meanwhile",
        30 | 35 => "timed out",
        127 => "program not found",
        255 => "ssh failed",
        _ => "see rsync(1)",
    }
}

fn on_volumes(draft: &Candidate) -> String {
    let volume = match draft.side {
        Side::Primary => "the primary volume",
        Side::Secondary => "the secondary volume",
        Side::Both => "a volume",
    };
    match draft.code {
        Code::StaleHandle => format!("a stale file handle (ESTALE) on {volume}"),
        Code::IoError if draft.severity == Severity::Warning => {
            format!("a brick of {volume} does not answer")
        }
        Code::IoError => {
            format!(
                "an input/output error (EIO) on {volume}: a brick is down, or split-brain; one file blocks the brick"
            )
        }
        Code::NoData => format!("an extended attribute is missing (ENODATA) on {volume}"),
        Code::SplitBrain => format!("{volume} is in split-brain: heal it first"),
        Code::DhtGfidDiffers => {
            format!(
                "a directory of {volume} has different gfids on different bricks: heal it first"
            )
        }
        Code::HandleMissingLogged => {
            format!("a gfid's handle is missing or broken on a brick of {volume}")
        }
        _ => "the secondary could not find these gfids: suspects, until checked on the bricks"
            .to_owned(),
    }
}

fn on_session(draft: &Candidate) -> String {
    let error = draft.errno.map(|errno| format!(" ({errno})")).unwrap_or_default();
    let text = match draft.code {
        Code::SshKeyNoForcedCommand => {
            "ssh ran the placeholder /nonexistent/gsyncd: the secondary's authorized_keys holds the key without its forced command"
        }
        Code::SshAuthRefused => "ssh to the secondary is refused: the key is not accepted there",
        Code::SshUnreachable => "the secondary node cannot be reached by ssh",
        Code::PeerBroken if draft.side == Side::Secondary => {
            "the secondary stopped for want of a sign of life from the primary"
        }
        Code::PeerBroken => {
            "the connection to the secondary's gsyncd broke; its own log of that second says why"
        }
        Code::RemoteCliFailed => {
            "a gluster command on the other side failed; its own message may be lost"
        }
        Code::GlusterBinaryMissing => {
            "gsyncd could not run a program it needs (gluster, rsync, ssh): no file of the volume is missing"
        }
        Code::GsyncdConfigUnavailable => {
            "gsyncd's configuration cannot be read: gsyncd itself may not run"
        }
        Code::PythonIncompatible => "gsyncd does not work with the python it runs under",
        Code::LibgfchangelogMissing => "libgfchangelog.so cannot be loaded",
        Code::WorkerNeverStarted => "the session was created, but no worker was ever started",
        Code::MountbrokerBroken => {
            "the non-root mount on the secondary cannot be made or is left behind"
        }
        Code::SecondaryUnreachableVolume => {
            "the mount below gsyncd lost its volume: stopped, or all its bricks are down"
        }
        Code::MetaVolumeMissing => {
            "the shared storage volume is not mounted on this node: the worker exits"
        }
        Code::AgentDied => "the changelog agent died and took the worker with it",
        Code::HistoryUnavailable => {
            "the changelog history cannot be read: the index is broken or gone"
        }
        Code::HistoryPartial => {
            "part of the changelog history is missing: a full crawl covers the gap, without its deletes and renames"
        }
        Code::UpgradeScriptLate => {
            "the changelog upgrade script ran too late or twice: the index may be half rewritten"
        }
        Code::ChangelogRegisterFailed => {
            "a worker cannot register with the brick's changelog: brick down, or changelog off"
        }
        Code::HybridCrawlRestarting => "the full crawl starts again from zero after each crash",
        Code::NameEncoding => {
            "a file name's encoding breaks gsyncd: it runs in a locale that is not UTF-8, or cannot handle the name"
        }
        Code::StatusFileMissing => "a pid, state or status file of the session is missing",
        Code::SessionHalfCreated => "the session was only half created: it has no configuration",
        Code::SessionNotRunning => {
            "stop, delete or status was refused: the session is not running on this node"
        }
        Code::WorkerCrash => return format!("a worker died: {}", draft.words),
        _ => draft.code.title(),
    };
    format!("{text}{error}")
}

/// The next commands, ready to paste; nothing from a log goes in unquoted.
fn commands(draft: &Candidate) -> Vec<String> {
    if draft.severity == Severity::Benign {
        return Vec::new();
    }
    let mut commands = Vec::new();
    if is_entry_code(draft.code)
        || matches!(draft.code, Code::MissingOnSecondary | Code::ChangelogSkipped | Code::NoData)
    {
        let brick = draft.worker.as_deref().and_then(|brick| shlex::try_quote(brick).ok());
        let brick = brick.as_deref().unwrap_or("BRICK");
        commands.push(format!(
            "georepair diagnose --brick {brick}   # on the primary: where, and is it still there"
        ));
    }
    let (primary, secondary) = ends(draft.session.as_deref());
    match draft.code {
        Code::SshAuthRefused | Code::SshKeyNoForcedCommand | Code::SshUnreachable => {
            let host = secondary.split("::").next().unwrap_or("SECONDARY-HOST").to_owned();
            commands.push(format!(
                "ssh -oBatchMode=yes -i /var/lib/glusterd/geo-replication/secret.pem root@{host} true"
            ));
        }
        Code::SplitBrain | Code::IoError | Code::StaleHandle | Code::DhtGfidDiffers => {
            commands.push(format!("gluster volume heal {primary} info summary"));
        }
        Code::SecondaryUnreachableVolume => {
            let volume = secondary.split("::").nth(1).unwrap_or("SECONDARY").to_owned();
            commands.push(format!("gluster volume status {volume}   # on the secondary"));
        }
        Code::ChangelogRegisterFailed | Code::HistoryUnavailable => {
            commands.push(format!("gluster volume status {primary}"));
        }
        Code::WorkerNeverStarted => {
            commands.push(format!("gluster volume geo-replication {primary} {secondary} start"));
        }
        Code::SessionHalfCreated | Code::GsyncdConfigUnavailable | Code::SessionNotRunning => {
            commands.push(format!("gluster volume geo-replication {primary} {secondary} status"));
        }
        _ => {}
    }
    commands.push(format!("georepair runbook {}", draft.code));
    commands
}

/// Both ends of a session as the gluster command takes them; capitals where the name does not
/// tell them apart.
fn ends(session: Option<&str>) -> (String, String) {
    let parts: Vec<_> = session.map(|name| name.split('_').collect()).unwrap_or_default();
    let quoted = |text: &str| shlex::try_quote(text).map(std::borrow::Cow::into_owned);
    if let [primary, host, secondary] = parts.as_slice()
        && let (Ok(primary), Ok(secondary)) =
            (quoted(primary), quoted(&format!("{host}::{secondary}")))
    {
        return (primary, secondary);
    }
    ("PRIMARY".to_owned(), "HOST::SECONDARY".to_owned())
}
