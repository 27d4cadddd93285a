//! Tells which releases may have written the end of a log, from all of its lines together.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{ReleaseSet, TABLE, framed_at, logged_at, module_of};

/// How many distinct sites are kept: several times what all logging calls of a release come to.
const SITES: usize = 4096;

/// How many sites must agree before an older one that contradicts them counts as an upgrade.
const FEW: usize = 4;

/// The places in gsyncd's source that a log names, and when it last named each.
///
/// A log may span upgrades, so the most recent places count first. Memory is bounded: of too many
/// places the ones seen longest ago are forgotten.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint {
    sites: HashMap<u64, Site>,
}

/// When a place was last seen, and the releases that have it: none at all if its module is
/// gsyncd's but the source was a patched or unreleased one.
#[derive(Clone, Copy, Debug)]
struct Site {
    seen: i64,
    releases: ReleaseSet,
}

impl Fingerprint {
    /// Takes note of a log line's `module`, `function` and `line`; `at` may be any ordered time.
    ///
    /// Lines may come in any order, and modules that are not gsyncd's are passed over.
    pub fn observe(&mut self, module: &[u8], function: &[u8], line: u32, at: i64) {
        self.note(key(module, function, line, 0), at, || {
            let (module, function) = (text(module)?, text(function)?);
            let known = TABLE.modules.contains(module);
            known.then(|| logged_at(module, function, line).unwrap_or(ReleaseSet::NONE))
        });
    }

    /// Takes note of a traceback's frame: `File "{file}", line {line}, in {function}`.
    pub fn observe_frame(&mut self, file: &[u8], function: &[u8], line: u32, at: i64) {
        self.note(key(file, function, line, 1), at, || {
            let (file, function) = (text(file)?, text(function)?);
            let known = TABLE.modules.contains(module_of(file)?);
            known.then(|| framed_at(file, function, line).unwrap_or(ReleaseSet::NONE))
        });
    }

    /// Adds what was seen in another part of the same log.
    pub fn merge(&mut self, other: &Self) {
        for (key, site) in &other.sites {
            self.note(*key, site.seen, || Some(site.releases));
        }
    }

    /// Tells the releases that may have written the end of the log.
    ///
    /// `None` if nothing was seen, or if the most recent places were never in one release together:
    /// then the source was a patched or unreleased one.
    #[must_use]
    pub fn releases(&self) -> Option<ReleaseSet> {
        let mut sites: Vec<_> = self.sites.iter().collect();
        sites.sort_unstable_by_key(|(key, site)| (std::cmp::Reverse(site.seen), **key));
        let mut found = ReleaseSet::all();
        for (agreeing, (_, site)) in sites.iter().enumerate() {
            let both = found.intersect(site.releases);
            if both.is_empty() {
                return (agreeing >= FEW).then_some(found);
            }
            found = both;
        }
        (!sites.is_empty()).then_some(found)
    }

    fn note(&mut self, key: u64, at: i64, releases: impl FnOnce() -> Option<ReleaseSet>) {
        if let Some(site) = self.sites.get_mut(&key) {
            site.seen = site.seen.max(at);
        } else if let Some(releases) = releases() {
            if self.sites.len() >= SITES {
                self.forget_older_half();
            }
            self.sites.insert(key, Site { seen: at, releases });
        }
    }

    fn forget_older_half(&mut self) {
        let mut seen: Vec<_> = self.sites.iter().map(|(key, site)| (site.seen, *key)).collect();
        let (_, middle, _) = seen.select_nth_unstable(SITES / 2);
        let middle = *middle;
        self.sites.retain(|key, site| (site.seen, *key) > middle);
    }
}

fn key(module: &[u8], function: &[u8], line: u32, kind: u64) -> u64 {
    xxh3_64_with_seed(function, xxh3_64_with_seed(module, u64::from(line) << 1 | kind))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Place = (&'static str, &'static str, u32);

    /// Observes sites in turn; those of a `.py` file are a traceback's.
    fn observe(all: &mut Fingerprint, sites: &[Place], from: i64) {
        for ((file, function, line), at) in sites.iter().zip(from..) {
            if module_of(file).is_some() {
                all.observe_frame(file.as_bytes(), function.as_bytes(), *line, at);
            } else {
                all.observe(file.as_bytes(), function.as_bytes(), *line, at);
            }
        }
    }

    fn releases(sites: &[Place]) -> Option<String> {
        let mut all = Fingerprint::default();
        observe(&mut all, sites, 0);
        all.releases().map(|set| set.to_string())
    }

    /// The sites named by logs that operators published, and the releases which have them all.
    const FIELD: &[(&[Place], &str)] = &[
        (
            &[
                ("monitor", "monitor", 59),
                ("monitor", "monitor", 60),
                ("gsyncd", "main_i", 290),
                ("master", "crawl", 195),
                ("master", "crawl", 203),
                ("repce", "__call__", 138),
                ("syncdutils", "log_raise_exception", 133),
                ("gsyncd.py", "main", 105),
                ("gsyncd.py", "main_i", 300),
                ("resource.py", "service_loop", 413),
                ("master.py", "crawl_loop", 117),
                ("master.py", "crawl", 218),
            ],
            "3.2.7",
        ),
        (
            &[
                ("monitor", "monitor", 215),
                ("monitor", "monitor", 216),
                ("changelogagent", "__init__", 72),
                ("gsyncd", "main_i", 633),
                ("syncdutils", "log_raise_exception", 246),
                ("syncdutils", "log_raise_exception", 250),
                ("syncdutils", "log_raise_exception", 251),
                ("syncdutils", "log_raise_exception", 259),
            ],
            "3.6.2 to 3.6.9",
        ),
        (
            &[
                ("resource", "entry_ops", 603),
                ("repce", "worker", 105),
                ("/usr/libexec/glusterfs/python/syncdaemon/repce.py", "worker", 101),
                ("/usr/libexec/glusterfs/python/syncdaemon/resource.py", "entry_ops", 604),
                ("syncdutils.py", "get_slv_dir_path", 667),
                ("syncdutils.py", "__init__", 856),
            ],
            "4.1.6 to 4.1.10",
        ),
        (
            &[
                ("changelogagent", "__init__", 72),
                ("gsyncd", "main", 309),
                ("resource", "connect_remote", 1379),
                ("syncdutils", "log_raise_exception", 311),
                ("syncdutils", "log_raise_exception", 315),
            ],
            "6.2 to 6.5",
        ),
        (
            &[
                ("primary", "crawl", 1524),
                ("primary", "syncjob", 2009),
                ("primary", "process", 1410),
            ],
            "10.0 to 11.1",
        ),
        (
            &[
                ("syncdutils", "log_raise_exception", 315),
                ("syncdutils", "log_raise_exception", 322),
                ("syncdutils", "errlog", 805),
            ],
            "6.0 to 6.5, 7.0",
        ),
        (
            &[
                ("master", "changelogs_batch_process", 1491),
                ("master", "process", 1326),
                ("master", "process_change", 1205),
            ],
            "6.2 to 8.5",
        ),
        (
            &[
                ("subcmds", "subcmd_delete", 184),
                ("gsyncd", "main", 314),
                ("gsyncd", "main", 318),
                ("subcmds", "subcmd_monitor_status", 29),
            ],
            "7.1 to 7.9",
        ),
        (
            &[
                ("monitor", "monitor", 280),
                ("changelogagent", "__init__", 73),
                ("resource", "connect_remote", 1780),
                ("resource", "connect_remote", 1787),
            ],
            "3.12.6 to 3.12.15",
        ),
        (&[("repce.py", "worker", 113), ("resource.py", "entry_ops", 772)], "3.7.9 to 3.13.2"),
        (
            &[
                ("repce.py", "worker", 118),
                ("resource.py", "entry_ops", 709),
                ("syncdutils.py", "errno_wrap", 546),
                ("libcxattr.py", "lsetxattr", 83),
                ("libcxattr.py", "raise_oserr", 38),
            ],
            "5.0 to 5.2, 6.2 to 7.9",
        ),
        (
            &[
                ("syncdutils", "errlog", 847),
                ("gsyncdstatus", "set_worker_crawl_status", 253),
                ("master", "crawl", 1575),
            ],
            "8.6",
        ),
        (&[("resource", "rsync", 1021)], "3.7.16 to 3.7.20, 3.8.5 to 3.8.6"),
    ];

    #[test]
    fn published_logs_tell_their_releases() {
        for (sites, expected) in FIELD {
            assert_eq!(releases(sites).as_deref(), Some(*expected), "{sites:?}");
        }
    }

    const OLD: &[Place] = &[
        ("monitor", "monitor", 280),
        ("changelogagent", "__init__", 73),
        ("resource", "connect_remote", 1780),
        ("resource", "connect_remote", 1787),
    ];
    const NEW: &[Place] = &[
        ("primary", "crawl", 1524),
        ("primary", "syncjob", 2009),
        ("primary", "process", 1410),
        ("syncdutils", "log_raise_exception", 345),
    ];

    #[test]
    fn after_an_upgrade_the_newer_release_counts_in_whatever_order_lines_come() {
        for (old, new, expected) in [(0, 10, "10.0 to 11.1"), (10, 0, "3.12.6 to 3.12.15")] {
            let (mut first, mut second) = (Fingerprint::default(), Fingerprint::default());
            observe(&mut first, NEW, new);
            observe(&mut second, OLD, old);
            first.merge(&second);
            assert_eq!(first.releases().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_patched_source_tells_none() {
        assert_eq!(releases(&[NEW[0], OLD[0], NEW[1], OLD[1], NEW[2], OLD[2]]), None);
        let unknown = ("primary", "process", 1417);
        assert_eq!(releases(&[NEW[0], NEW[1], unknown, NEW[2]]), None);
        assert_eq!(releases(&[("resource", "entry_ops", 9_999)]), None);
    }

    #[test]
    fn other_programs_and_odd_bytes_tell_nothing() {
        let mut all = Fingerprint::default();
        all.observe(b"afr-common", b"afr_notify", 5390, 0);
        all.observe(b"\xff", b"\xff", 1, 1);
        all.observe_frame(b"/usr/lib64/python2.7/subprocess.py", b"_execute_child", 1327, 2);
        all.observe_frame(b"/usr/lib64/python2.7/logging/__init__.py", b"emit", 860, 3);
        assert_eq!(all.releases(), None);
        assert!(all.sites.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_latest_sites_stay() {
        let mut all = Fingerprint::default();
        for line in 0..10_000 {
            all.observe(b"resource", b"entry_ops", 100_000 + line, i64::from(line));
            assert!(all.sites.len() <= SITES);
        }
        observe(&mut all, NEW, 10_000);
        assert_eq!(all.releases().unwrap().to_string(), "10.0 to 11.1");
    }
}
