//! The state of a session before a reset: both volumes, every node, every mark.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Mark, SecondaryUrl, Session, Volume};

/// The state of a session, its volumes and its nodes: all that a reset must know beforehand.
#[derive(Clone, Debug)]
pub struct SessionState {
    /// The local node, as named in the brick list: cluster commands run there.
    pub local_node: String,
    /// The primary volume.
    pub primary: Volume,
    /// The other side, as requested.
    pub secondary: SecondaryUrl,
    /// The session; `None` if it does not exist.
    pub session: Option<Session>,
    /// Other sessions of the same volume.
    pub others: Vec<OtherSession>,
    /// All settings of the session, defaults included; empty if they cannot be read.
    pub settings: BTreeMap<String, String>,
    /// The release of the local node.
    pub release: Release,
    /// Nodes of the cluster that glusterd cannot reach.
    pub lost_peers: Vec<String>,
    /// Pending heal entries; `None` if they are unknown.
    pub unhealed: Option<u64>,
    /// Bricks of the primary that are not running, `NODE:DIR`; `None` if that is unknown.
    pub down: Option<Vec<String>>,
    /// Every node that has a brick of the primary.
    pub nodes: Vec<NodeState>,
    /// The secondary volume, or why it could not be inspected.
    pub remote: Result<SecondaryState, String>,
}

/// Another session of the primary volume.
#[derive(Clone, Debug)]
pub struct OtherSession {
    /// The session.
    pub session: Session,
    /// Its explicit settings on the local node, without defaults.
    pub set: BTreeMap<String, String>,
}

/// The secondary volume as its own cluster reports it.
#[derive(Clone, Debug)]
pub struct SecondaryState {
    /// The volume.
    pub volume: Volume,
    /// Sessions in which it is the primary.
    pub sessions: Vec<Session>,
    /// Its space; `None` if it is unknown.
    pub room: Option<FreeSpace>,
}

/// Space of a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FreeSpace {
    /// Bytes used on the file systems of its bricks, at most, replicas counted once each.
    pub used: u64,
    /// Bytes free for what would be written there again.
    pub free: u64,
}

/// A node of the primary: its report, or why there is none.
#[derive(Clone, Debug)]
pub struct NodeState {
    /// Its name, as in `gluster volume info`.
    pub name: String,
    /// Its report, or why there is none.
    pub report: Result<NodeReport, String>,
    /// Its clock beside ours.
    pub clock: ClockOffset,
}

/// How far a node's clock is ahead of ours, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClockOffset {
    /// Estimate; negative if it is behind.
    pub ahead: i64,
    /// Uncertainty of `ahead`: half the round-trip time.
    pub uncertainty: i64,
}

impl ClockOffset {
    /// Of a clock that was read some time between `before` and `after` of ours, all in
    /// microseconds.
    #[must_use]
    pub fn between(clock: i64, before: i64, after: i64) -> Self {
        let uncertainty = after.saturating_sub(before) / 2;
        Self { ahead: clock.saturating_sub(before.saturating_add(uncertainty)), uncertainty }
    }

    /// The part of the offset that the round trip does not explain, in microseconds.
    #[must_use]
    pub fn certain(self) -> i64 {
        let certain = self.ahead.saturating_abs().saturating_sub(self.uncertainty).max(0);
        certain.saturating_mul(self.ahead.signum())
    }
}

/// What a node reports of a session on itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct NodeReport {
    /// Its clock, microseconds since 1970.
    pub clock: i64,
    /// Its gsyncd processes of the session.
    pub alive: Vec<u32>,
    /// Its glusterfind sessions on the volume.
    pub glusterfind: Vec<String>,
    /// The session's explicit settings, without defaults (`[vars]` of its `gsyncd.conf`).
    pub set: BTreeMap<String, String>,
    /// The requested bricks, in that order.
    pub bricks: Vec<BrickState>,
}

/// A brick's root, its marks and its history.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BrickState {
    /// The brick's root.
    pub dir: PathBuf,
    /// Why it cannot be inspected; everything below is empty then.
    pub trouble: Option<String>,
    /// The root's inode, and its birth in nanoseconds since 1970.
    pub identity: (u64, Option<i64>),
    /// The volume it belongs to, by its xattr.
    pub volume: Option<Uuid>,
    /// Every stime and `entry_stime` of the root by xattr name, also of other sessions.
    pub marks: BTreeMap<String, Mark>,
    /// The changelogs folder's inode and birth; `None` if it does not exist.
    pub changelogs: Option<(u64, Option<i64>)>,
    /// What each HTIME covers, oldest first.
    pub history: Vec<Covered>,
    /// Why the index of changelogs cannot be trusted.
    pub index_trouble: Option<String>,
    /// The inode and birth of the index's folder, `htime`; `None` if it does not exist.
    pub index: Option<(u64, Option<i64>)>,
    /// Faults of the index that rebuilding it from the changelogs fixes, in words.
    pub index_faults: Vec<String>,
    /// How many changelogs the index lists that do not exist.
    pub lost_changelogs: u64,
    /// Bytes that are free on its file system.
    pub free: u64,
    /// Files and directories on its file system: its used inodes.
    pub inodes: u64,
    /// Bytes that are used on its file system.
    pub used: u64,
    /// What its newest changelogs hold: the shortest period first, all of them last.
    pub recorded: Vec<Recorded>,
}

/// How much a brick recorded since a time, estimated from the sizes of its changelogs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// Since when, in seconds since 1970; 0 for all changelogs.
    pub since: u32,
    /// How many changelogs are not empty.
    pub changelogs: u64,
    /// About how many records they hold.
    pub records: u64,
}

impl BrickState {
    /// An upper bound of what was recorded since a time: measured since it, or a little earlier.
    #[must_use]
    pub fn recorded_since(&self, sec: u32) -> Option<Recorded> {
        let found = self.recorded.iter().find(|row| row.since <= sec);
        found.or(self.recorded.last()).copied()
    }
}

/// The time that an HTIME file covers, in seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Covered {
    /// When it begins.
    pub from: u32,
    /// The last rollover in it.
    pub to: u32,
}

/// The xattr names of a session's two marks on a brick's root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarkNames {
    /// `trusted.glusterfs.<primary>.<secondary>.stime`.
    pub stime: String,
    /// The same with `entry_stime`.
    pub entry_stime: String,
}

/// A release of `GlusterFS`: `10.3`, `3.7.6`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Release(pub u32, pub u32, pub u32);

impl Release {
    /// Reads `10.3` or `3.7.6`; a distribution's suffix is ignored.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let number = |part: Option<&str>| {
            let part = part?;
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..end)?.parse().ok()
        };
        let mut parts = text.trim().splitn(3, '.');
        let major = number(parts.next())?;
        let minor = number(parts.next()).unwrap_or(0);
        Some(Self(major, minor, number(parts.next()).unwrap_or(0)))
    }

    /// Whether an stime of (0, 0) makes the worker crawl everything, whatever stimes the
    /// directories have: since 3.7.14 and 3.8.2 (gsyncd's `xtr_root == (0, 0)`).
    #[must_use]
    pub fn zero_is_everything(self) -> bool {
        match self {
            Self(3, 7, patch) => patch >= 14,
            Self(3, 8, patch) => patch >= 2,
            other => other > Self(3, 8, 0),
        }
    }

    /// Whether `changelog.changelog off` is accepted while a session exists: up to 3.13
    /// (`server_check_changelog_off` of glusterd).
    #[must_use]
    pub fn keeps_session_without_changelog(self) -> bool {
        self < Self(4, 0, 0)
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)?;
        if self.0 < 4 { write!(f, ".{}", self.2) } else { Ok(()) }
    }
}

impl MarkNames {
    /// The names for a session between these volumes.
    #[must_use]
    pub fn of(primary: Uuid, secondary: Uuid) -> Self {
        let prefix = format!("trusted.glusterfs.{primary}.{secondary}");
        Self { stime: format!("{prefix}.stime"), entry_stime: format!("{prefix}.entry_stime") }
    }
}

impl SessionState {
    /// The names of the session's marks; `None` if the secondary's id is unknown.
    #[must_use]
    pub fn mark_names(&self) -> Option<MarkNames> {
        let recorded = self.session.as_ref().and_then(|session| session.secondary_id);
        let current = || self.remote.as_ref().ok().map(|remote| remote.volume.id);
        recorded.or_else(current).map(|id| MarkNames::of(self.primary.id, id))
    }

    /// Every inspected brick with its node's name, in the order of the nodes.
    pub fn bricks(&self) -> impl Iterator<Item = (&str, &BrickState)> {
        self.nodes.iter().flat_map(|node| {
            let bricks = node.report.as_ref().ok().into_iter().flat_map(|report| &report.bricks);
            bricks.map(|brick| (node.name.as_str(), brick))
        })
    }

    /// The session's name as typed on the command line: `gv0 s1::gv0dr`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.primary.name, self.secondary)
    }

    /// The session's explicit settings on the local node.
    #[must_use]
    pub fn set(&self) -> BTreeMap<String, String> {
        let local = self.nodes.iter().find(|node| node.name == self.local_node);
        let report = local.and_then(|node| node.report.as_ref().ok());
        report.map(|it| it.set.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_differ_in_what_they_do() {
        for (text, zero, legacy) in [
            ("3.7.6", false, true),
            ("3.7.14", true, true),
            ("3.8.1", false, true),
            ("3.8.2", true, true),
            ("3.13.2", true, true),
            ("4.0.0", true, false),
            ("10.3", true, false),
            ("11.1-4ubuntu1", true, false),
        ] {
            let release = Release::read(text).unwrap();
            assert_eq!(release.zero_is_everything(), zero, "{text}");
            assert_eq!(release.keeps_session_without_changelog(), legacy, "{text}");
        }
        assert_eq!(Release::read("10.3").unwrap().to_string(), "10.3");
        assert_eq!(Release::read("3.7.6\n").unwrap().to_string(), "3.7.6");
        assert_eq!(Release::read("glusterfs"), None);
    }

    #[test]
    fn a_clock_is_off_only_beyond_the_round_trip() {
        let certain = |clock| ClockOffset::between(clock, 100_000_000, 102_000_000).certain();
        assert_eq!(
            [101_000_000, 110_000_000, 90_000_000].map(certain),
            [0, 8_000_000, -10_000_000]
        );
    }
}

/// A healthy session of two nodes, for tests to break.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::domain::{Brick, WorkerStatus};

    /// The ids in it are one digit, repeated.
    pub(crate) fn id(digit: char) -> Uuid {
        Uuid::parse_str(&digit.to_string().repeat(32)).unwrap()
    }

    fn brick(node: &str) -> Brick {
        Brick { node: node.to_owned(), dir: "/bricks/gv0".into(), host: id('9'), arbiter: false }
    }

    fn volume(name: &str, digit: char, bricks: Vec<Brick>, options: &[(&str, &str)]) -> Volume {
        let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let (name, set_size) = (name.to_owned(), bricks.len());
        Volume { name, id: id(digit), started: true, set_size, redundancy: 0, bricks, options }
    }

    fn node(name: &str, marks: &[(&str, u32)]) -> NodeState {
        let prefix = format!("trusted.glusterfs.{}.{}", id('1'), id('2'));
        let mark =
            |(kind, sec): &(&str, u32)| (format!("{prefix}.{kind}"), Mark { sec: *sec, usec: 0 });
        let brick = BrickState {
            dir: "/bricks/gv0".into(),
            identity: (7, Some(11)),
            volume: Some(id('1')),
            marks: marks.iter().map(mark).collect(),
            history: vec![Covered { from: 1000, to: 9000 }],
            ..BrickState::default()
        };
        let report = NodeReport { bricks: vec![brick], ..NodeReport::default() };
        NodeState { name: name.to_owned(), report: Ok(report), clock: ClockOffset::default() }
    }

    /// gv0 on m1 (Active) and m2 (Passive), to `s1::gv0dr`.
    pub(crate) fn session_state() -> SessionState {
        let worker = |node: &str, state: &str| WorkerStatus {
            node: node.to_owned(),
            brick: "/bricks/gv0".into(),
            state: state.to_owned(),
            crawl: "Changelog Crawl".to_owned(),
            last_synced: "N/A".to_owned(),
        };
        let secondary: SecondaryUrl = "s1::gv0dr".parse().unwrap();
        let remote = volume("gv0dr", '2', vec![brick("s1")], &[("features.read-only", "on")]);
        SessionState {
            local_node: "m1".to_owned(),
            primary: volume("gv0", '1', vec![brick("m1"), brick("m2")], &[]),
            session: Some(Session {
                primary: "gv0".to_owned(),
                secondary: secondary.clone(),
                secondary_id: Some(id('2')),
                workers: vec![worker("m1", "Active"), worker("m2", "Passive")],
            }),
            secondary,
            others: Vec::new(),
            settings: BTreeMap::new(),
            release: Release(10, 3, 0),
            lost_peers: Vec::new(),
            unhealed: Some(0),
            down: Some(Vec::new()),
            nodes: vec![
                node("m1", &[("stime", 8000), ("entry_stime", 8001)]),
                node("m2", &[("stime", 4000)]),
            ],
            remote: Ok(SecondaryState {
                volume: remote,
                sessions: Vec::new(),
                room: Some(FreeSpace { used: 4, free: 9 }),
            }),
        }
    }
}
