//! What a volume's settings and its nodes' programs, clocks and room mean for geo-replication.

use crate::domain::{AuditFinding, Code, Facts, Name, Severity, Volume};
use crate::scan::cluster::{NodeFacts, Space};

/// Clocks that differ by more than this are told, in seconds; stime and volume marks compare the
/// clocks of different nodes.
const SKEW: f64 = 1.0;
/// And past this they break it: changes count as done before they happen.
const WRONG: f64 = 60.0;
/// Room for changelogs, in bytes, below which a brick is short of it.
const LOW: u64 = 1 << 30;

/// What is wrong with a primary volume's options. `in_session` says whether a session exists: it
/// needs what `create` and `start` switch on.
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
            "gsyncd looks in .glusterfs/changelogs only",
        );
    }
    if volume.is_on("features.read-only") {
        unfit("features.read-only", Severity::Warning, "a primary that nobody can write to");
    }
    if in_session {
        for (option, severity, says) in [
            ("changelog.changelog", Severity::Fatal, "nothing is recorded"),
            ("geo-replication.indexing", Severity::Fatal, "workers die without the volume's mark"),
            (
                "geo-replication.ignore-pid-check",
                Severity::Warning,
                "what another session writes here is not passed on",
            ),
        ] {
            if !volume.is_on(option) {
                unfit(option, severity, says);
            }
        }
    }
    found
}

/// What is wrong between the two volumes' options, and with the secondary's.
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
                    it, with one block size";
        found.push(AuditFinding::new(Code::OptionUnfit, says));
    }
    if in_session && !secondary.is_on("features.read-only") {
        let says = format!(
            "{} is not read-only: what a client writes there stands in gsyncd's way",
            secondary.name
        );
        found.push(AuditFinding::new(Code::SecondaryWritable, says));
    }
    found
}

/// What is wrong with a node's programs, clock and room.
#[must_use]
pub fn site(site: &NodeFacts) -> Vec<AuditFinding> {
    let mut found: Vec<_> = site.bricks.iter().filter_map(short_of_room).collect();
    let missing = |program: &str| {
        let says = format!("{program} is not installed on {}", site.node);
        AuditFinding::new(Code::GlusterBinaryMissing, says)
    };
    match (&site.rsync, &site.gluster) {
        (None, _) => found.push(missing("rsync")),
        (Some(rsync), gluster) => found.extend(bad_rsync(rsync, gluster.as_deref(), &site.node)),
    }
    match (&site.python, &site.gluster) {
        (None, _) => found.push(missing("python3")),
        (Some(python), Some(gluster)) => found.extend(bad_python(python, gluster, &site.node)),
        (Some(_), None) => {}
    }
    if site.gluster.is_none() {
        found.push(missing("gluster"));
    }
    found.extend(skew(site));
    found
}

fn short_of_room(space: &Space) -> Option<AuditFinding> {
    let bytes = space.bytes?;
    let tight = space.free < LOW.min(bytes / 50);
    let few = space.inodes > 0 && space.inodes_free < (space.inodes / 50).min(100_000);
    let says = match (tight, few) {
        (false, false) => return None,
        (true, _) => "little room is left: a brick that cannot write its changelog loses changes",
        (false, true) => "few inodes are left: each changelog needs one",
    };
    let path = Some(Name::from(space.dir.as_os_str().as_encoded_bytes()));
    let facts = Facts::new()
        .with("bytes free", space.free)
        .with("of", bytes)
        .with("inodes free", space.inodes_free);
    let primary = Some(facts);
    Some(AuditFinding { path, primary, ..AuditFinding::new(Code::SpaceLow, says) })
}

/// rsync 3.5.0 with gsyncd 10.3: entries are made, data never arrives, and all report success.
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

/// What python took away, and where gsyncd stopped needing it (`known_bugs`).
fn bad_python(python: &str, gluster: &str, node: &str) -> Option<AuditFinding> {
    let (python_version, release) = (version(python)?, version(gluster)?);
    let why = if python_version >= (3, 12) && release <= (11, 99) {
        "configparser.readfp is gone: gsyncd cannot read its configuration, unless the \
         distribution mended it"
    } else if python_version >= (3, 9) && release < (9, 3) {
        "Thread.isAlive is gone: workers die; mended in 9.3 and 10.0"
    } else {
        return None;
    };
    let says = format!("python {python} with GlusterFS {gluster} on {node}: {why}");
    Some(AuditFinding::new(Code::PythonIncompatible, says))
}

fn skew(site: &NodeFacts) -> Option<AuditFinding> {
    let ahead = site.ahead.filter(|ahead| ahead.abs() > SKEW)?;
    let word = if ahead > 0.0 { "ahead of" } else { "behind" };
    let says = format!("the clock of {} is {:.1} s {word} this node's", site.node, ahead.abs());
    let severity = if ahead.abs() > WRONG { Severity::Fatal } else { Severity::Warning };
    Some(AuditFinding { severity, ..AuditFinding::new(Code::ClockSkew, says) })
}

/// Major and minor number of a version.
pub(super) fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next().and_then(Result::ok).unwrap_or(0)))
}

/// How much of a volume's data there is, and how much more it takes, in bytes: what one brick of
/// each set says, times the bricks of a disperse set that hold data. `spaces` are those of the
/// volume's bricks in their order; nothing where a whole set could not be seen.
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

    fn sound() -> NodeFacts {
        NodeFacts {
            node: "m1".to_owned(),
            ahead: Some(0.0),
            rsync: Some("3.2.7".to_owned()),
            python: Some("3.11.2".to_owned()),
            gluster: Some("10.3".to_owned()),
            sftp: Some(true),
            key: true,
            bricks: Vec::new(),
        }
    }

    fn codes(it: &NodeFacts) -> Vec<Code> {
        site(it).iter().map(|finding| finding.code).collect()
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn each_thing_that_breaks_gsyncd_is_named() {
        assert_eq!(codes(&sound()), []);
        let (python, gluster) = (Some(text("3.12.1")), Some(text("11.1")));
        for (it, code) in [
            (NodeFacts { rsync: Some(text("3.5.0")), ..sound() }, Code::RsyncIncompatible),
            (NodeFacts { rsync: None, ..sound() }, Code::GlusterBinaryMissing),
            (NodeFacts { python, gluster, ..sound() }, Code::PythonIncompatible),
            (NodeFacts { gluster: Some(text("9.2")), ..sound() }, Code::PythonIncompatible),
            (NodeFacts { ahead: Some(-1.5), ..sound() }, Code::ClockSkew),
        ] {
            assert_eq!(codes(&it), [code]);
        }
        assert_eq!(codes(&NodeFacts { gluster: Some(text("9.3")), ..sound() }), []);
    }

    #[test]
    fn little_room_is_told() {
        let space = |free, inodes_free| Space {
            dir: "/b".into(),
            bytes: Some(100 << 30),
            used: 0,
            free,
            inodes: 1_000_000,
            inodes_free,
            holds: false,
        };
        let of = |space| codes(&NodeFacts { bricks: vec![space], ..sound() });
        assert_eq!(of(space(50 << 30, 500_000)), []);
        assert_eq!(of(space(1 << 29, 500_000)), [Code::SpaceLow]);
        assert_eq!(of(space(50 << 30, 100)), [Code::SpaceLow]);
    }

    #[test]
    fn versions_are_numbers() {
        assert_eq!(version("3.5.0-1+deb12u1"), Some((3, 5)));
        assert_eq!(version("11"), Some((11, 0)));
        assert!(version("10.3") > version("9.10") && version("x").is_none());
    }
}
