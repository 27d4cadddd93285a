//! Linux error numbers: the words in a log are localised, the number is not.

use std::fmt;

use serde::Serialize;

/// A Linux error number, as python and C print it (`[Errno 17]`, `{errno=17}`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Errno(pub i32);

/// Number, symbol and the C locale's words, for the numbers that file systems return.
const TABLE: &[(i32, &str, &str)] = &[
    (1, "EPERM", "Operation not permitted"),
    (2, "ENOENT", "No such file or directory"),
    (3, "ESRCH", "No such process"),
    (4, "EINTR", "Interrupted system call"),
    (5, "EIO", "Input/output error"),
    (6, "ENXIO", "No such device or address"),
    (9, "EBADF", "Bad file descriptor"),
    (10, "ECHILD", "No child processes"),
    (11, "EAGAIN", "Resource temporarily unavailable"),
    (12, "ENOMEM", "Cannot allocate memory"),
    (13, "EACCES", "Permission denied"),
    (14, "EFAULT", "Bad address"),
    (16, "EBUSY", "Device or resource busy"),
    (17, "EEXIST", "File exists"),
    (18, "EXDEV", "Invalid cross-device link"),
    (19, "ENODEV", "No such device"),
    (20, "ENOTDIR", "Not a directory"),
    (21, "EISDIR", "Is a directory"),
    (22, "EINVAL", "Invalid argument"),
    (23, "ENFILE", "Too many open files in system"),
    (24, "EMFILE", "Too many open files"),
    (26, "ETXTBSY", "Text file busy"),
    (27, "EFBIG", "File too large"),
    (28, "ENOSPC", "No space left on device"),
    (29, "ESPIPE", "Illegal seek"),
    (30, "EROFS", "Read-only file system"),
    (31, "EMLINK", "Too many links"),
    (32, "EPIPE", "Broken pipe"),
    (34, "ERANGE", "Numerical result out of range"),
    (36, "ENAMETOOLONG", "File name too long"),
    (38, "ENOSYS", "Function not implemented"),
    (39, "ENOTEMPTY", "Directory not empty"),
    (40, "ELOOP", "Too many levels of symbolic links"),
    (61, "ENODATA", "No data available"),
    (71, "EPROTO", "Protocol error"),
    (75, "EOVERFLOW", "Value too large for defined data type"),
    (77, "EBADFD", "File descriptor in bad state"),
    (84, "EILSEQ", "Invalid or incomplete multibyte or wide character"),
    (95, "EOPNOTSUPP", "Operation not supported"),
    (98, "EADDRINUSE", "Address already in use"),
    (103, "ECONNABORTED", "Software caused connection abort"),
    (104, "ECONNRESET", "Connection reset by peer"),
    (107, "ENOTCONN", "Transport endpoint is not connected"),
    (110, "ETIMEDOUT", "Connection timed out"),
    (111, "ECONNREFUSED", "Connection refused"),
    (113, "EHOSTUNREACH", "No route to host"),
    (116, "ESTALE", "Stale file handle"),
    (117, "EUCLEAN", "Structure needs cleaning"),
    (121, "EREMOTEIO", "Remote I/O error"),
    (122, "EDQUOT", "Disk quota exceeded"),
];

impl Errno {
    /// No such file or directory.
    pub const ENOENT: Self = Self(2);
    /// Input/output error.
    pub const EIO: Self = Self(5);
    /// Bad file descriptor.
    pub const EBADF: Self = Self(9);
    /// Cannot allocate memory.
    pub const ENOMEM: Self = Self(12);
    /// Permission denied.
    pub const EACCES: Self = Self(13);
    /// File exists.
    pub const EEXIST: Self = Self(17);
    /// Transport endpoint is not connected.
    pub const ENOTCONN: Self = Self(107);

    /// The number behind C-locale words such as `File exists`; older words included.
    #[must_use]
    pub fn from_words(words: &str) -> Option<Self> {
        if words == "Stale NFS file handle" {
            return Some(Self(116));
        }
        TABLE.iter().find(|row| row.2 == words).map(|row| Self(row.0))
    }

    /// The number behind a symbol such as `ENOTCONN`.
    #[must_use]
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == symbol).map(|row| Self(row.0))
    }

    /// What the number means, in the C locale's words.
    #[must_use]
    pub fn words(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self.0).map_or("unknown error", |row| row.2)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TABLE.iter().find(|row| row.0 == self.0) {
            Some((number, symbol, words)) => write!(f, "{symbol} {number}: {words}"),
            None => write!(f, "errno {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_ascending_and_reads_back() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for &(number, symbol, words) in TABLE {
            assert_eq!(Errno::from_symbol(symbol), Some(Errno(number)));
            assert_eq!(Errno::from_words(words), Some(Errno(number)));
        }
        assert_eq!(Errno(17).to_string(), "EEXIST 17: File exists");
        assert_eq!(Errno(9999).to_string(), "errno 9999");
    }
}
