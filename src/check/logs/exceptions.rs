//! What an exception means, by its type, error number, file and frames.

use super::candidate::Candidate;
use super::entry_code::entry_code;
use crate::domain::{Code, Errno, Severity, Side};
use crate::format::fields;
use crate::format::log_message::Message;
use crate::format::traceback::{Exception, Subject};
use crate::scan::logs::{Incident, LogSummary};

/// What an incident with a traceback means.
pub(super) fn candidate(incident: &Incident, log: &LogSummary) -> Candidate {
    let Some(exception) = &incident.exception else {
        let words = "an exception whose end is cut off in the log".to_owned();
        return Candidate { words, ..Candidate::of(incident, log, Code::WorkerCrash) };
    };
    let code = code(exception);
    let relayed = incident.message == Message::Raised && is_relayed(exception);
    let side = if relayed && !is_agent(exception) { Side::Secondary } else { incident.side };
    let words = words(exception);
    let agent =
        incident.message == Message::CallRaised && exception.name().starts_with("Changelog");
    let mut candidate = Candidate::of(incident, log, code);
    // An exception ends the process, however harmless its code is otherwise.
    if candidate.severity != Severity::Benign {
        candidate.severity = Severity::Fatal;
    }
    candidate.seen.errno = candidate.seen.errno.or_else(|| missing_program(exception));
    if code == Code::EntryIsDirectory {
        candidate.seen.op = Some("RENAME".to_owned());
    }
    Candidate { words, relayed, side, supports: agent, ..candidate }
}

/// The error that gsyncd names if it cannot run a program: `failed with ENOENT (…)`.
fn missing_program(exception: &Exception) -> Option<Errno> {
    let symbol = fields::between(&exception.text, " failed with ", " (")?;
    fields::errno(symbol)
}

/// Whether the exception came through a call to another process.
fn is_relayed(exception: &Exception) -> bool {
    exception.went_through("repce", "__call__")
}

/// Whether that process was the changelog agent on this side (3.6 to 7).
fn is_agent(exception: &Exception) -> bool {
    exception.name().starts_with("Changelog") || exception.went_through_function("history")
}

fn words(exception: &Exception) -> String {
    let text = String::from_utf8_lossy(&exception.text);
    let text: String = text.chars().take(80).filter(|c| !c.is_control()).collect();
    match exception.errno {
        Some(errno) => format!("{} [{errno}]", exception.name()),
        None if text.is_empty() => exception.name().to_owned(),
        None => format!("{}: {text}", exception.name()),
    }
}

/// The code of an exception.
fn code(exception: &Exception) -> Code {
    let has = |part: &str| memchr::memmem::find(&exception.text, part.as_bytes()).is_some();
    let through = |function: &str| exception.went_through_function(function);
    if is_shutdown(exception) {
        return Code::ShutdownNoise;
    }
    if exception.frames.iter().any(|frame| frame.module.contains("georep-upgrade")) {
        return Code::UpgradeScriptLate;
    }
    if has("cannot open shared object file") || has("undefined symbol: gf_") {
        return Code::LibgfchangelogMissing;
    }
    if is_lost_error(exception) {
        return Code::RemoteCliFailed;
    }
    if is_python_gap(exception) {
        return Code::PythonIncompatible;
    }
    if exception.name().starts_with("Unicode") || is_name_length(exception) {
        return Code::NameEncoding;
    }
    if is_missing_program(exception) {
        return Code::GlusterBinaryMissing;
    }
    if through("handle_mounter")
        || exception.frames.iter().any(|f| f.function.contains("ountbroker"))
    {
        return Code::MountbrokerBroken;
    }
    if has("monitor.pid") || has(".status'") {
        return Code::StatusFileMissing;
    }
    if exception
        .frames
        .iter()
        .any(|frame| matches!(frame.module.as_str(), "configinterface" | "gsyncdconfig"))
    {
        return Code::GsyncdConfigUnavailable;
    }
    match exception.name() {
        "EOFError" | "PickleError" | "UnpicklingError" => Code::PeerBroken,
        "ChangelogException" if through("register") || through("cl_register") => {
            Code::ChangelogRegisterFailed
        }
        name if name.starts_with("Changelog") => Code::HistoryUnavailable,
        _ => by_number(exception),
    }
}

/// By the error number, and by whether an entry operation was under way.
fn by_number(exception: &Exception) -> Code {
    let on_entry = ["entry_ops", "meta_ops", "rename_with_disk_gfid_confirmation"]
        .iter()
        .any(|function| exception.went_through_function(function));
    let on_entry = on_entry || matches!(exception.subject(), Some(Subject::Entry(_)));
    let on_handle = memchr::memmem::find(&exception.text, b"/.glusterfs/").is_some();
    match exception.errno.map(|errno| errno.0) {
        Some(107 | 103) => Code::SecondaryUnreachableVolume,
        Some(5) => Code::IoError,
        Some(116) => Code::StaleHandle,
        Some(61) => Code::NoData,
        Some(13) if on_handle => Code::EntryAccessDenied,
        Some(_) if on_entry => entry_code(None, exception.errno, false),
        _ => Code::WorkerCrash,
    }
}

/// Exceptions of threads that were still running while their process ended.
fn is_shutdown(exception: &Exception) -> bool {
    let ending = ["finalize", "term_handler", "rmtree", "handle_rm_error", "_rmtree_safe_fd"];
    let text = String::from_utf8_lossy(&exception.text);
    ending.iter().any(|function| exception.went_through_function(function))
        || text.contains("gsyncd-aux-ssh-")
        || text.contains("I/O operation on closed file")
        || matches!(exception.errno, Some(Errno::EBADF | Errno(3 | 10)))
        || exception.name() == "ThreadError"
}

/// gsyncd's own bugs in reporting another program's error: that error is lost.
fn is_lost_error(exception: &Exception) -> bool {
    let text = String::from_utf8_lossy(&exception.text);
    let joined = text.contains("'list' object has no attribute 'join'");
    let bytes = text.contains("a bytes-like object is required")
        || text.contains("must be str or None, not bytes")
        || text.contains("can only concatenate str (not \"bytes\")")
        || text.contains("expected bytes, str found");
    let reporting = ["errlog", "errfail", "terminate_geterr", "tailer", "logerr"];
    let reported = reporting.iter().any(|function| exception.went_through_function(function));
    joined || (bytes && reported) || (exception.name() == "ParseError" && exception.errno.is_none())
}

/// What this version of python lacks: removed since, or not yet added.
fn is_python_gap(exception: &Exception) -> bool {
    let text = String::from_utf8_lossy(&exception.text);
    let gone =
        ["readfp", "isAlive", "has no attribute 'warn'", "SafeConfigParser", "bytes-like object"];
    let unimportable = ["ImportError", "ModuleNotFoundError", "SyntaxError", "TabError"];
    gone.iter().any(|name| text.contains(name)) || unimportable.contains(&exception.name())
}

/// ENOMEM on `glusterfs.gfid.newfile`: a length was counted in characters, not bytes.
fn is_name_length(exception: &Exception) -> bool {
    exception.errno == Some(Errno::ENOMEM) && exception.went_through_function("lsetxattr")
}

/// A missing file below `subprocess` is a program; likewise what `Volinfo` could not run if the
/// traceback is cut there.
fn is_missing_program(exception: &Exception) -> bool {
    let spawning = exception
        .frames
        .iter()
        .any(|frame| frame.module == "subprocess" || frame.function == "_execute_child");
    let spawning =
        spawning || exception.frames.last().is_some_and(|frame| frame.function == "__init__");
    let cut = exception.kind.is_none() && exception.went_through_function("get_slv_dir_path");
    let named = exception.text.starts_with(b"execution of \"");
    named || spawning && (cut || exception.errno == Some(Errno::ENOENT))
}
