//! Judges a volume's options and its nodes' programs, clocks and space for geo-replication.

use crate::domain::{AuditFinding, Code, Facts, Name, Severity, Volume};
use crate::scan::cluster::{NodeFacts, Space};

/// A clock offset worth a warning, in microseconds: stime and volume marks compare the clocks of
/// different nodes.
const SKEW: i64 = 1_000_000;
/// An offset that breaks replication, in microseconds: changes count as done before they happen.
const BROKEN: i64 = 60_000_000;
/// Free space below which a brick may fail to write its changelog, in bytes.
const LOW: u64 = 1 << 30;

/// Findings about a primary volume's options. If a session exists (`in_session`), it also needs what
/// `create` and `start` switch on.
#[must_use]
pub fn primary_options(volume: &Volume, in_session: bool) -> Vec<AuditFinding> {
    let mut found = Vec::new();
    let mut unfit = |option: &str, severity: Severity, says: &str| {
        let value = volume.option(option).unwrap_or("off");
        let facts = Facts::new().with("option", option).with("value", value);
        let says = format!("{option} is {value}: {says}");
        found.push(AuditFinding {
            severity,
            primary: Some(facts),
            ..AuditFinding::new(Code::OptionUnfit, says)
        });
    };
    if volume.option("changelog.encoding").is_some_and(|value| value != "ascii") {
        unfit("changelog.encoding", Severity::Fatal, "gsyncd reads ascii changelogs only");
    }
    if volume.option("changelog.changelog-dir").is_some() {
        unfit(
            "changelog.changelog-dir",
            Severity::Fatal,
            "gsyncd reads .glusterfs/changelogs only",
        );
    }
    if volume.is_on("features.read-only") {
        unfit("features.read-only", Severity::Warning, "clients cannot write to the primary");
    }
    if in_session {
        for (option, severity, says) in [
            ("changelog.changelog", Severity::Fatal, "nothing is recorded"),
            ("geo-replication.indexing", Severity::Fatal, "workers exit without the volume mark"),
            (
                "geo-replication.ignore-pid-check",
                Severity::Warning,
                "changes that another session writes here are not replicated on",
            ),
        ] {
            if !volume.is_on(option) {
                unfit(option, severity, says);
            }
        }
    }
    found
}

/// Findings about the two volumes' options together, and the secondary's.
#[must_use]
pub fn both_options(primary: &Volume, secondary: &Volume, in_session: bool) -> Vec<AuditFinding> {
    let mut found = Vec::new();
    let sharded = |volume: &Volume| volume.is_on("features.shard");
    let block =
        |volume: &Volume| volume.option("features.shard-block-size").unwrap_or("64MB").to_owned();
    if sharded(primary) != sharded(secondary)
        || (sharded(primary) && block(primary) != block(secondary))
    {
        let says = "features.shard differs: shards are replicated as they are, so both sides need \
                    it with the same block size";
        found.push(AuditFinding::new(Code::OptionUnfit, says));
    }
    if in_session && !secondary.is_on("features.read-only") {
        let says = format!(
            "{} is not read-only: client writes will be overwritten or cause conflicts",
            secondary.name
        );
        found.push(AuditFinding::new(Code::SecondaryWritable, says));
    }
    found
}

/// Findings about a node's programs, clock and space.
#[must_use]
pub fn node_findings(facts: &NodeFacts) -> Vec<AuditFinding> {
    let mut found: Vec<_> = facts.bricks.iter().filter_map(low_space).collect();
    let missing = |program: &str| {
        let says = format!("{program} is not installed on {}", facts.node);
        AuditFinding::new(Code::GlusterBinaryMissing, says)
    };
    match (&facts.rsync, &facts.gluster) {
        (None, _) => found.push(missing("rsync")),
        (Some(rsync), gluster) => found.extend(bad_rsync(rsync, gluster.as_deref(), &facts.node)),
    }
    match (&facts.python, &facts.gluster) {
        (None, _) => found.push(missing("python3")),
        (Some(python), Some(gluster)) => found.extend(bad_python(python, gluster, &facts.node)),
        (Some(_), None) => {}
    }
    if facts.gluster.is_none() {
        found.push(missing("gluster"));
    }
    found.extend(skew(facts));
    found
}

fn low_space(space: &Space) -> Option<AuditFinding> {
    let bytes = space.bytes?;
    let tight = space.free < LOW.min(bytes / 50);
    let few = space.inodes > 0 && space.inodes_free < (space.inodes / 50).min(100_000);
    let says = match (tight, few) {
        (false, false) => return None,
        (true, _) => "little space left: a brick that cannot write its changelog loses changes",
        (false, true) => "few inodes left: each changelog needs one",
    };
    let path = Some(Name::from(space.dir.as_os_str().as_encoded_bytes()));
    let facts = Facts::new()
        .with("bytes free", space.free)
        .with("of", bytes)
        .with("inodes free", space.inodes_free);
    let primary = Some(facts);
    Some(AuditFinding { path, primary, ..AuditFinding::new(Code::SpaceLow, says) })
}

/// rsync 3.5.0 with gsyncd 10.3: entries are created, data never arrives, and everything reports
/// success.
fn bad_rsync(rsync: &str, gluster: Option<&str>, node: &str) -> Option<AuditFinding> {
    if version(rsync)? < (3, 5) {
        return None;
    }
    let gluster = gluster.map_or_else(String::new, |release| format!(" with GlusterFS {release}"));
    let says = format!(
        "rsync {rsync}{gluster} on {node}: files arrive empty while everything reports success \
         (seen with 3.5.0 and 10.3)"
    );
    Some(AuditFinding::new(Code::RsyncIncompatible, says))
}

/// What python removed, and the release in which gsyncd stopped using it (`known_bugs`).
fn bad_python(python: &str, gluster: &str, node: &str) -> Option<AuditFinding> {
    let (python_version, release) = (version(python)?, version(gluster)?);
    let why = if python_version >= (3, 12) && release <= (11, 99) {
        "configparser.readfp was removed: gsyncd cannot read its configuration, unless the \
         distribution patched it"
    } else if python_version >= (3, 9) && release < (9, 3) {
        "Thread.isAlive was removed: workers crash; fixed in 9.3 and 10.0"
    } else {
        return None;
    };
    let says = format!("python {python} with GlusterFS {gluster} on {node}: {why}");
    Some(AuditFinding::new(Code::PythonIncompatible, says))
}

fn skew(facts: &NodeFacts) -> Option<AuditFinding> {
    let ahead = facts.clock?.certain();
    if ahead.abs() <= SKEW {
        return None;
    }
    let word = if ahead > 0 { "ahead of" } else { "behind" };
    let tenths = ahead.abs() / 100_000;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    let says = format!("the clock of {} is {seconds}.{tenth} s {word} this node's", facts.node);
    let severity = if ahead.abs() > BROKEN { Severity::Fatal } else { Severity::Warning };
    Some(AuditFinding { severity, ..AuditFinding::new(Code::ClockSkew, says) })
}

/// Major and minor number of a version.
pub(super) fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next().and_then(Result::ok).unwrap_or(0)))
}

/// Used and free bytes of a volume: those of one brick per set, times the data bricks of a disperse
/// set. `spaces` are those of the volume's bricks in their order; `None` if a whole set could not be
/// inspected.
#[must_use]
pub fn room(volume: &Volume, spaces: &[Option<Space>]) -> Option<(u64, u64)> {
    let parts = (volume.set_size - volume.redundancy.min(volume.set_size)).max(1) as u64;
    let parts = if volume.is_dispersed() { parts } else { 1 };
    let mut sum = (0_u64, 0_u64);
    for (set, spaces) in volume.sets().zip(spaces.chunks(volume.set_size.max(1))) {
        let data = set.iter().zip(spaces).filter(|(brick, _)| !brick.arbiter);
        let seen: Vec<_> = data
            .filter_map(|(_, space)| space.as_ref().filter(|space| space.bytes.is_some()))
            .collect();
        let used = seen.iter().map(|space| space.used).max()?;
        let free = seen.iter().map(|space| space.free).min()?;
        sum = (sum.0 + used * parts, sum.1 + free * parts);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ClockOffset;

    fn healthy() -> NodeFacts {
        NodeFacts {
            node: "m1".to_owned(),
            clock: Some(ClockOffset::default()),
            rsync: Some("3.2.7".to_owned()),
            python: Some("3.11.2".to_owned()),
            gluster: Some("10.3".to_owned()),
            sftp: Some(true),
            key: true,
            bricks: Vec::new(),
        }
    }

    fn codes(it: &NodeFacts) -> Vec<Code> {
        node_findings(it).iter().map(|finding| finding.code).collect()
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn each_problem_of_a_node_is_found() {
        assert_eq!(codes(&healthy()), []);
        let (python, gluster) = (Some(text("3.12.1")), Some(text("11.1")));
        for (it, code) in [
            (NodeFacts { rsync: Some(text("3.5.0")), ..healthy() }, Code::RsyncIncompatible),
            (NodeFacts { rsync: None, ..healthy() }, Code::GlusterBinaryMissing),
            (NodeFacts { python, gluster, ..healthy() }, Code::PythonIncompatible),
            (NodeFacts { gluster: Some(text("9.2")), ..healthy() }, Code::PythonIncompatible),
            (
                NodeFacts {
                    clock: Some(ClockOffset { ahead: -1_500_000, uncertainty: 0 }),
                    ..healthy()
                },
                Code::ClockSkew,
            ),
        ] {
            assert_eq!(codes(&it), [code]);
        }
        assert_eq!(codes(&NodeFacts { gluster: Some(text("9.3")), ..healthy() }), []);
    }

    #[test]
    fn low_space_is_found() {
        let space = |free, inodes_free| Space {
            dir: "/b".into(),
            bytes: Some(100 << 30),
            used: 0,
            free,
            inodes: 1_000_000,
            inodes_free,
            holds: false,
        };
        let of = |space| codes(&NodeFacts { bricks: vec![space], ..healthy() });
        assert_eq!(of(space(50 << 30, 500_000)), []);
        assert_eq!(of(space(1 << 29, 500_000)), [Code::SpaceLow]);
        assert_eq!(of(space(50 << 30, 100)), [Code::SpaceLow]);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("3.5.0-1+deb12u1"), Some((3, 5)));
        assert_eq!(version("11"), Some((11, 0)));
        assert!(version("10.3") > version("9.10") && version("x").is_none());
    }
}
