//! Known bugs by release: what they look like and where they are fixed.
//!
//! Ranges were computed from the trees of all release tags (whether the
//! faulty or the fixed text is present), not from commit messages.

use super::candidate::Candidate;
use crate::domain::Code;
use crate::format::release::ReleaseSet;

/// A known bug.
struct Bug {
    code: Code,
    /// Words that the crash or evidence must hold; empty for any.
    sign: &'static str,
    /// Affected releases, as [`ReleaseSet`] reads them.
    affected: &'static str,
    /// What it is and where it is fixed.
    says: &'static str,
}

const BUGS: &[Bug] = &[
    Bug {
        code: Code::RemoteCliFailed,
        sign: "object has no attribute 'join'",
        affected: "3.5.0..9.4,10.0",
        says: "a typo discards the real error of the remote gluster command; fixed in 9.5, 10.1",
    },
    Bug {
        code: Code::RemoteCliFailed,
        sign: "bytes-like object",
        affected: "5.0..10.5",
        says: "the output of ssh or gluster is lost under python 3; run the logged command yourself",
    },
    Bug {
        code: Code::RemoteCliFailed,
        sign: "not bytes",
        affected: "11.0..11.1",
        says: "11 never logs the output of a child process; run the logged command yourself",
    },
    Bug {
        code: Code::GlusterBinaryMissing,
        sign: "",
        affected: "3.5.0..6.5,7.0",
        says: "gsyncd calls plain `gluster`, which a non-interactive ssh may not find; fixed in 6.6, 7.1",
    },
    Bug {
        code: Code::PythonIncompatible,
        sign: "isAlive",
        affected: "3.5.0..8.6,9.0..9.2",
        says: "python 3.9 has no Thread.isAlive; fixed in 9.3, 10.0",
    },
    Bug {
        code: Code::PythonIncompatible,
        sign: "'warn'",
        affected: "5.0..11.1",
        says: "under python 3.13 any warning kills the worker and hides the cause of the warning",
    },
    Bug {
        code: Code::PythonIncompatible,
        sign: "readfp",
        affected: "5.0..11.1",
        says: "gsyncd cannot read any configuration under python 3.12 or later; no release has the fix",
    },
    Bug {
        code: Code::LibgfchangelogMissing,
        sign: "libgfchangelog.so",
        affected: "4.1.0..6.6",
        says: "without the -devel symlink the library is not found; fixed in 6.7, 7.0",
    },
    Bug {
        code: Code::GsyncdConfigUnavailable,
        sign: "'split'",
        affected: "4.0.0..6.5,7.0",
        says: "two threads read the configuration at once; the worker restarts; fixed in 6.6, 7.1",
    },
    Bug {
        code: Code::HistoryUnavailable,
        sign: "",
        affected: "3.6.0..9.3",
        says: "the history search stops at a wrong changelog count; fixed in 9.4, 10.0",
    },
    Bug {
        code: Code::HistoryUnavailable,
        sign: "",
        affected: "9.4..11.1",
        says: "each restart of a brick counts changelogs that do not exist; no release has the fix",
    },
    Bug {
        code: Code::HistoryPartial,
        sign: "",
        affected: "3.6.0..4.1.4",
        says: "after changelog was turned off and on, older history files are ignored; fixed in 4.1.5, 5.0",
    },
    Bug {
        code: Code::UpgradeScriptLate,
        sign: "",
        affected: "8.6..9.3",
        says: "the upgrade script copies a file onto itself and stops halfway; fixed in 9.4, 10.0",
    },
    Bug {
        code: Code::NameEncoding,
        sign: "MemoryError",
        affected: "5.0..5.2",
        says: "a name's length is counted in characters, not bytes; fixed in 5.3, 6.0",
    },
    Bug {
        code: Code::NameEncoding,
        sign: "ENOMEM",
        affected: "5.0..5.2",
        says: "a name's length is counted in characters, not bytes; fixed in 5.3, 6.0",
    },
    Bug {
        code: Code::EntryParentMissing,
        sign: "",
        affected: "3.7.0..4.1.5,5.0",
        says: "missing parents are not created again; since 4.1.6 and 5.1 each retry creates one level",
    },
    Bug {
        code: Code::WorkerCrash,
        sign: "global name 'lf' is not defined",
        affected: "3.10.5..3.10.12,3.11.2..3.11.3",
        says: "the worker crashes whenever it removes a directory that was created again; fixed in 3.12.0",
    },
    Bug {
        code: Code::EntryIsDirectory,
        sign: "",
        affected: "3.5.0..3.7.15,3.8.0..3.8.4",
        says: "the worker dies if the old and the new directory both exist; fixed in 3.7.16, 3.8.5",
    },
    Bug {
        code: Code::EntryBusy,
        sign: "",
        affected: "3.5.0..3.8.11,3.9.0..3.10.1",
        says: "a busy entry is not retried; fixed in 3.8.12, 3.10.2",
    },
    Bug {
        code: Code::EntryAccessDenied,
        sign: "",
        affected: "4.1.3..6.5,7.0",
        says: "gsyncd on a non-root secondary tries to read the brick's handles; fixed in 6.6, 7.1",
    },
    Bug {
        code: Code::GfidConflictFixed,
        sign: "",
        affected: "4.1.3..8.5,9.0..9.2",
        says: "renames cause rounds of conflict repair that take hours; fixed in 8.6, 9.3",
    },
    Bug {
        code: Code::StatusFileMissing,
        sign: "monitor.pid",
        affected: "3.7.6..3.7.15,3.8.0..3.8.4",
        says: "status fails while monitor.pid is missing; fixed in 3.7.16, 3.8.5",
    },
    Bug {
        code: Code::AgentDied,
        sign: "",
        affected: "3.7.7..3.7.11",
        says: "the monitor itself crashes over the dead agent; fixed in 3.7.12, 3.8.0",
    },
    Bug {
        code: Code::InternalXattrNoise,
        sign: "lockinfo",
        affected: "3.5.0..9.2",
        says: "rsync is told to copy GlusterFS's internal lock xattr; fixed in 9.3, 10.0",
    },
];

/// The bugs that all releases that may have written the log have, and that look like this.
pub(super) fn known_bugs(candidate: &Candidate, releases: ReleaseSet) -> Vec<String> {
    let texts = candidate.evidence.iter().map(|line| line.text.lossy());
    let words = candidate.words.clone() + " " + &texts.collect::<String>();
    bugs_like(candidate.code, &words, releases)
}

fn bugs_like(code: Code, words: &str, releases: ReleaseSet) -> Vec<String> {
    let fits = |bug: &&Bug| {
        bug.code == code
            && words.contains(bug.sign)
            && bug.affected.parse().is_ok_and(|range: ReleaseSet| releases.is_within(range))
    };
    BUGS.iter().filter(fits).map(|bug| format!("{} ({})", bug.says, bug.affected)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_can_be_read() {
        for bug in BUGS {
            assert!(
                bug.affected.parse::<ReleaseSet>().is_ok_and(|set| !set.is_empty()),
                "{}",
                bug.affected
            );
        }
    }

    #[test]
    fn names_a_bug_only_where_all_possible_releases_have_it() {
        let set = |text: &str| text.parse::<ReleaseSet>().unwrap();
        assert_eq!(bugs_like(Code::EntryBusy, "", set("3.7.6")).len(), 1);
        assert_eq!(bugs_like(Code::EntryBusy, "", set("3.8.10..3.8.13")).len(), 0);
        assert_eq!(bugs_like(Code::RemoteCliFailed, "no sign", set("9.1")).len(), 0);
    }
}
