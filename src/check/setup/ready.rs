//! Would a session work here? Each requirement, in the order in which it would fail.

use super::node::{both_options, node_findings, primary_options, room, version};
use crate::check::{Check, CheckStatus};
use crate::domain::Code;
use crate::scan::cluster::{ClusterError, KeyAccess, NodeFacts};
use crate::scan::session::{ProbeResult, Readiness};

/// Checks everything that a session needs, in the order in which it would fail.
#[must_use]
pub fn ready(it: &Readiness) -> Vec<Check> {
    let mut checks = vec![volume_started("primary volume", &it.primary.name, it.primary.started)];
    if it.in_session {
        let says = "it exists already; compare both sides to see whether it is in sync";
        checks.push(Check::warn("session", says).at(it.url.to_string()).next(compare(it)));
    }
    checks.push(port(it));
    checks.extend(ssh_and_volume(it));
    checks.push(session_key(it));
    checks.extend(options(it));
    checks.extend(secondary_content(it));
    checks.extend(secondary_size(it));
    for probed in it.primary_sites.iter().chain(&it.secondary_sites) {
        checks.extend(node(probed));
    }
    checks.extend(releases(it));
    checks.extend(sftp(it));
    checks
}

fn compare(it: &Readiness) -> String {
    format!("georepair audit session {} {}", it.primary.name, it.url)
}

fn volume_started(name: &'static str, volume: &str, started: bool) -> Check {
    if started {
        return Check::pass(name, "started").at(volume);
    }
    Check::fail(name, "it is not started")
        .at(volume)
        .of(Code::SecondaryUnreachableVolume)
        .next(format!("gluster volume start {volume}"))
}

fn port(it: &Readiness) -> Check {
    let (name, host) = ("port", it.url.host.as_str());
    match &it.port {
        Ok(port) => Check::pass(name, format!("glusterd answers on {port}")).at(host),
        Err(error) => Check::fail(name, format!("glusterd on 24007: {error}"))
            .at(host)
            .of(Code::RemoteCliFailed)
            .next(format!("ssh {host} systemctl status glusterd")),
    }
}

/// Root's ssh to the secondary, and what `gluster` there says of the volume.
fn ssh_and_volume(it: &Readiness) -> Vec<Check> {
    let (host, volume) = (it.url.host.as_str(), it.url.volume.as_str());
    let no_ssh = |error: &ClusterError, code| {
        let check = Check::fail("ssh", error.to_string()).at(host).of(code);
        vec![check.next(format!("ssh {host} true"))]
    };
    let seen = match &it.secondary {
        Err(error @ ClusterError::AuthRefused { .. }) => {
            return no_ssh(error, Code::SshAuthRefused);
        }
        Err(error @ ClusterError::Unreached { .. }) => {
            return no_ssh(error, Code::SshUnreachable);
        }
        Ok(volume) => volume_started("secondary volume", &volume.name, volume.started),
        Err(error) => Check::fail("secondary volume", error.to_string())
            .at(volume)
            .of(Code::SecondaryUnreachableVolume)
            .next(format!("ssh {host} gluster volume info {volume}")),
    };
    vec![Check::pass("ssh", "passwordless root ssh works").at(host), seen]
}

fn session_key(it: &Readiness) -> Check {
    let name = "session key";
    let check = match &it.key_access {
        None => Check::pass(name, "not created yet, as it should be before create")
            .next("gluster system:: execute gsec_create"),
        Some(Ok(KeyAccess::Forced)) => Check::pass(name, "forced command in place"),
        Some(Ok(KeyAccess::Unknown)) => {
            Check::pass(name, "not installed there yet; `create push-pem` does it")
        }
        Some(Ok(KeyAccess::Shell)) => {
            let says = "it opens a shell: it is installed without its forced command, so gsyncd's \
                        placeholder /nonexistent/gsyncd would really be run";
            Check::fail(name, says).of(Code::SshKeyNoForcedCommand)
        }
        Some(Ok(KeyAccess::Other(output))) => {
            Check::new(name, CheckStatus::Unseen, format!("ssh: {output}"))
        }
        Some(Err(error)) => Check::unseen(name, error),
    };
    check.at(&it.url.host)
}

fn options(it: &Readiness) -> Vec<Check> {
    let mut findings = primary_options(&it.primary, it.in_session);
    if let Ok(secondary) = &it.secondary {
        findings.extend(both_options(&it.primary, secondary, it.in_session));
    }
    let (name, place) = ("options", it.primary.name.as_str());
    if findings.is_empty() {
        let encoding = it.primary.option("changelog.encoding").unwrap_or("ascii");
        let says = format!("changelog.encoding {encoding}, same sharding on both sides");
        return vec![Check::pass(name, says).at(place)];
    }
    findings.iter().map(|finding| Check::from_finding(name, finding).at(place)).collect()
}

/// Before `create` the secondary should be empty.
fn secondary_content(it: &Readiness) -> Option<Check> {
    let secondary = it.secondary.as_ref().ok().filter(|_| !it.in_session)?;
    let (name, place) = ("empty", secondary.name.as_str());
    let spaces = Readiness::spaces(secondary, &it.secondary_sites);
    if spaces.iter().flatten().any(|space| space.holds) {
        let says = "not empty: existing entries with other gfids will conflict; extra entries \
                    will remain";
        let check = Check::warn(name, says).at(place).of(Code::SecondaryNotEmpty);
        return Some(check.next(compare(it)));
    }
    let all = spaces.iter().all(Option::is_some);
    all.then(|| Check::pass(name, "no user data").at(place))
}

fn secondary_size(it: &Readiness) -> Option<Check> {
    let secondary = it.secondary.as_ref().ok()?;
    let name = "size";
    let primary = room(&it.primary, &Readiness::spaces(&it.primary, &it.primary_sites));
    let remote = room(secondary, &Readiness::spaces(secondary, &it.secondary_sites));
    let check = match (primary, remote) {
        (Some((used, _)), Some((there, free))) => {
            let says = format!(
                "{} used on the primary, {} free on the secondary, {} used there",
                human(used),
                human(free),
                human(there)
            );
            // What the secondary holds may be the copy already.
            if used > there.saturating_add(free) {
                Check::fail(name, says).of(Code::SecondaryTooSmall)
            } else {
                Check::pass(name, says)
            }
        }
        _ => {
            Check::new(name, CheckStatus::Unseen, "not all bricks of both sides could be inspected")
        }
    };
    Some(check.at(&secondary.name))
}

fn node(probed: &ProbeResult) -> Vec<Check> {
    let (name, place) = ("node", probed.node.as_str());
    let facts = match &probed.site {
        Ok(facts) => facts,
        Err(error) => return vec![Check::unseen(name, error).at(place)],
    };
    let findings = node_findings(facts);
    if findings.is_empty() {
        return vec![Check::pass(name, versions(facts)).at(place)];
    }
    findings.iter().map(|finding| Check::from_finding(name, finding).at(place)).collect()
}

fn versions(facts: &NodeFacts) -> String {
    let text = |version: &Option<String>| version.clone().unwrap_or_else(|| "?".to_owned());
    format!(
        "GlusterFS {}, rsync {}, python {}, clock in sync",
        text(&facts.gluster),
        text(&facts.rsync),
        text(&facts.python)
    )
}

fn releases(it: &Readiness) -> Option<Check> {
    let release = |sites: &[ProbeResult]| {
        let known = |probed: &ProbeResult| probed.site.as_ref().ok()?.gluster.clone();
        sites.iter().find_map(known)
    };
    let (ours, theirs) = (release(&it.primary_sites)?, release(&it.secondary_sites)?);
    let says = format!("primary {ours}, secondary {theirs}");
    let same = version(&ours)?.0 == version(&theirs)?.0;
    let check = if same {
        Check::pass("releases", says)
    } else {
        Check::warn("releases", says).of(Code::ReleasesDiffer)
    };
    Some(check.at(&it.url.host))
}

/// `create push-pem` copies keys with scp, which uses sftp since OpenSSH 9 and fails silently.
fn sftp(it: &Readiness) -> Option<Check> {
    let mut probed = it.secondary_sites.iter().filter_map(|probed| probed.site.as_ref().ok());
    let node = probed.find(|facts| facts.sftp != Some(true))?;
    let says = "no sftp subsystem found in its sshd's configuration: without it create push-pem \
                reports success, but the keys never arrive";
    let check = Check::warn("sftp", says).at(&node.node).of(Code::SshAuthRefused);
    Some(check.next("sshd -T | grep -i 'subsystem sftp'"))
}

/// Bytes with a unit.
fn human(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let step = (0..units.len() - 1).find(|step| bytes >> (10 * step) < 10_000);
    let step = step.unwrap_or(units.len() - 1);
    format!("{} {}", bytes >> (10 * step), units.get(step).unwrap_or(&"B"))
}
