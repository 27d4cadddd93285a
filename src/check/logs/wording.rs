//! What a finding means in one sentence, and the next commands.
//!
//! The usual sentence and the commands are in the code's row ([`crate::domain::Code`]); here are
//! the exceptions that only circumstances decide, and what fills the placeholders.

use super::candidate::Candidate;
use crate::domain::{Code, Finding, Remedy, Severity, Side};
use crate::format::log_message::Message;

/// How many lines are shown as evidence.
const EVIDENCE: usize = 4;

/// The finding as it is reported.
pub(super) fn finding(candidate: Candidate, caused_by: Option<usize>) -> Finding {
    let (says, commands) = (says(&candidate), commands(&candidate));
    let mut evidence = candidate.evidence;
    evidence.truncate(EVIDENCE);
    Finding {
        case: candidate.case,
        code: candidate.code,
        severity: candidate.severity,
        side: candidate.side,
        session: candidate.session,
        node: candidate.node,
        worker: candidate.worker,
        seen: candidate.seen,
        healed: candidate.healed,
        caused_by,
        says,
        evidence,
        known: Vec::new(),
        remedy: Remedy { runbook: candidate.code.runbook().name, commands },
    }
}

/// The sentence, and whether the worker recovered.
fn says(candidate: &Candidate) -> String {
    let sentence = fill(sentence(candidate), |name| match name {
        "op" => candidate.seen.op.clone().unwrap_or_else(|| "an entry operation".to_owned()),
        "error" => candidate.seen.errno.map(|errno| format!(" ({errno})")).unwrap_or_default(),
        "exit" => exit(candidate),
        "volume" => volume(candidate.side).to_owned(),
        "parent" => candidate.seen.parent.map(|parent| parent.to_string()).unwrap_or_default(),
        "entries" => {
            count(candidate.seen.entries.len().max(candidate.seen.gfids.len()), "entry", "entries")
        }
        "changelogs" => count(candidate.seen.changelogs.len().max(1), "changelog", "changelogs"),
        "words" => candidate.words.clone(),
        _ => String::new(),
    });
    let recovered = if candidate.healed { "; recovered afterwards" } else { "" };
    format!("{sentence}{recovered}")
}

/// The sentence of a code, unless the circumstances ask for another.
fn sentence(candidate: &Candidate) -> &'static str {
    let on_mount = matches!(candidate.message, Message::RemoteOpFailed | Message::FuseFailed);
    match (candidate.code, candidate.severity) {
        (code, Severity::Benign) => benign(code),
        (Code::PeerBroken, _) if candidate.side == Side::Secondary => {
            "the secondary's gsyncd timed out waiting for the primary{error}"
        }
        (Code::EntryParentMissing, _) if candidate.seen.parent.is_none() => {
            "{op} failed: a parent directory is missing on the secondary{error}"
        }
        (Code::GfidConflictFixed, _) if candidate.message == Message::ConflictsCounted => {
            "entries failed at first and gsyncd resolved the conflicts; since 6.2 it does not log what it removed, renamed or created on the secondary"
        }
        (Code::EntryNotPermitted | Code::EntryAccessDenied | Code::EntryFailed, _) if on_mount => {
            "{op} failed on a mount of the secondary{error}"
        }
        // A warning here is a call that was retried to the end, by a worker that then went on.
        (
            Code::EntryNotPermitted | Code::EntryAccessDenied | Code::EntryFailed,
            Severity::Warning,
        ) => "{op} failed on the secondary{error} at every retry",
        (Code::DataSyncFailed, Severity::Fatal) => "rsync or tar failed{exit}; the worker dies",
        (Code::DataSyncFailed, _) if candidate.healed => {
            "some data could not be sent at first{exit}"
        }
        (Code::IoError, Severity::Warning) => "a brick of {volume} does not respond",
        (code, _) => code.sentence(),
    }
}

/// What a benign finding is instead of a fault.
fn benign(code: Code) -> &'static str {
    match code {
        Code::MissingOnSecondary => {
            "lookups before a create: every healthy create logs the same line"
        }
        Code::HistoryPartial => "the first full crawl of a new session",
        Code::PeerBroken => "the connection ended with a stop or configuration change",
        // Only noise of a stop is benign otherwise (`healed::excuse`).
        _ => "logged while the session was being stopped or reconfigured",
    }
}

fn volume(side: Side) -> &'static str {
    match side {
        Side::Primary => "the primary volume",
        Side::Secondary => "the secondary volume",
        Side::Both => "a volume",
    }
}

fn count(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn exit(candidate: &Candidate) -> String {
    candidate
        .seen
        .exit_code
        .map(|code| format!(" with {code} ({})", exit_words(code)))
        .unwrap_or_default()
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

/// The next commands, ready to paste.
fn commands(candidate: &Candidate) -> Vec<String> {
    if candidate.severity == Severity::Benign {
        return Vec::new();
    }
    let ends = Ends::of(candidate.session.as_deref());
    let value = |name: &str| match name {
        "brick" => {
            candidate.worker.as_deref().and_then(quoted).unwrap_or_else(|| "BRICK".to_owned())
        }
        "primary" => ends.primary.clone(),
        "secondary" => ends.secondary.clone(),
        "host" => ends.host.clone(),
        "volume" => ends.volume.clone(),
        _ => String::new(),
    };
    let next = candidate.code.next_commands().iter().map(|command| fill(command, value));
    next.chain([format!("georepair runbook {}", candidate.code.runbook().name)]).collect()
}

/// Both ends of a session as the gluster command takes them, quoted for the shell: a log is not
/// trusted. Capitals if the session's name is ambiguous.
struct Ends {
    primary: String,
    secondary: String,
    host: String,
    volume: String,
}

impl Ends {
    /// Splits `<primary>_<host>_<secondary>`; more underscores could be anywhere.
    fn of(session: Option<&str>) -> Self {
        let parts: Vec<_> = session.map(|name| name.split('_').collect()).unwrap_or_default();
        let known = if let [primary, host, volume] = parts.as_slice() {
            let secondary = quoted(&format!("{host}::{volume}"));
            quoted(primary).zip(secondary).zip(quoted(host).zip(quoted(volume)))
        } else {
            None
        };
        let Some(((primary, secondary), (host, volume))) = known else {
            return Self {
                primary: "PRIMARY".to_owned(),
                secondary: "HOST::SECONDARY".to_owned(),
                host: "HOST".to_owned(),
                volume: "SECONDARY".to_owned(),
            };
        };
        Self { primary, secondary, host, volume }
    }
}

fn quoted(text: &str) -> Option<String> {
    shlex::try_quote(text).ok().map(std::borrow::Cow::into_owned)
}

/// Replaces each `{name}` of a template, in one pass: a value that holds braces stays as it is.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = template.split('{');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or(("", part));
        out += &value(name);
        out += rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A misspelt placeholder would vanish from the text.
    #[test]
    fn every_placeholder_of_the_table_is_known() {
        let known = |template: &str, names: &[&str]| {
            fill(template, |name| {
                assert!(names.contains(&name), "{{{name}}} in {template:?}");
                String::new()
            });
        };
        let sentence =
            ["op", "error", "exit", "volume", "parent", "entries", "changelogs", "words"];
        for code in Code::ALL {
            known(code.sentence(), &sentence);
            for command in code.next_commands() {
                known(command, &["primary", "secondary", "host", "volume", "brick"]);
            }
        }
    }

    #[test]
    fn a_hostile_session_name_stays_quoted() {
        let ends = Ends::of(Some("{host}_$(reboot)_v"));
        let command = fill("x {primary} {host}", |name| match name {
            "primary" => ends.primary.clone(),
            _ => ends.host.clone(),
        });
        let words = ["x", "{host}", "$(reboot)"].map(str::to_owned).to_vec();
        assert_eq!(shlex::split(&command), Some(words));
    }
}
