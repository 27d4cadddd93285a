//! The code of a failed entry operation, by operation and error number.

use crate::domain::{Code, Errno};

/// A failed directory stops the worker with any error; otherwise the error number decides.
pub(super) fn entry_code(op: Option<&str>, errno: Option<Errno>, conflict: bool) -> Code {
    match (op, errno.map(|errno| errno.0)) {
        (Some("META"), _) => Code::MetadataFailed,
        (Some("MKDIR"), _) => Code::EntryMkdirFailed,
        (_, Some(17)) => Code::EntryGfidMismatch,
        (_, None) if conflict => Code::EntryGfidMismatch,
        (_, Some(2 | 116)) => Code::EntryParentMissing,
        (_, Some(16)) => Code::EntryBusy,
        (_, Some(39)) => Code::EntryNotEmpty,
        (_, Some(21)) => Code::EntryIsDirectory,
        (_, Some(1)) => Code::EntryNotPermitted,
        (_, Some(13)) => Code::EntryAccessDenied,
        (_, Some(5)) => Code::IoError,
        (_, Some(12)) => Code::NameEncoding,
        (_, Some(61)) => Code::NoData,
        // Reported with operation and number: any other error is as specific as that.
        _ => Code::EntryFailed,
    }
}
