//! Would a session work here? Each thing it needs, passed, doubted or failed.

use serde::Serialize;

use super::node::{both_options, primary_options, room, site, version};
use crate::domain::{AuditFinding, Code, Severity, UserError as _};
use crate::scan::cluster::{ClusterError, KeyAccess, NodeFacts};
use crate::scan::session::{ProbeResult, Readiness};

/// How one thing fares.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// As a session needs it.
    Pass,
    /// It cannot be seen from here.
    Unseen,
    /// A session would work, and somebody should look.
    Warn,
    /// A session would not work.
    Fail,
}

/// One thing that a session needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Need {
    /// What it is, in a word or two.
    pub what: &'static str,
    /// Where: a node, a volume, or the way between both sides.
    pub place: String,
    /// How it fares.
    pub verdict: Pass,
    /// The code of what is wrong.
    pub code: Option<Code>,
    /// Why.
    pub says: String,
    /// The next command, ready to paste.
    pub next: Option<String>,
}

impl Need {
    fn new(what: &'static str, place: &str, verdict: Pass, says: impl Into<String>) -> Self {
        let (place, says) = (place.to_owned(), says.into());
        Self { what, place, verdict, code: None, says, next: None }
    }

    fn of(self, code: Code) -> Self {
        Self { code: Some(code), ..self }
    }

    fn next(self, command: impl Into<String>) -> Self {
        Self { next: Some(command.into()), ..self }
    }

    fn found(what: &'static str, place: &str, finding: &AuditFinding) -> Self {
        let verdict = match finding.severity {
            Severity::Fatal | Severity::Loss => Pass::Fail,
            Severity::Warning => Pass::Warn,
            Severity::Benign => Pass::Pass,
        };
        Self::new(what, place, verdict, &finding.says).of(finding.code)
    }

    fn unseen(what: &'static str, place: &str, error: &ClusterError) -> Self {
        let it = Self::new(what, place, Pass::Unseen, format!("cannot see: {error}"));
        Self { next: error.hints().into_iter().next(), ..it }
    }
}

/// Judges everything that a session needs, in the order in which it would fail.
#[must_use]
pub fn ready(it: &Readiness) -> Vec<Need> {
    let mut needs = vec![volume_started("primary volume", &it.primary.name, it.primary.started)];
    if it.in_session {
        let says = "it exists already; whether both sides are the same is another question";
        let next = format!("georepair audit session {} {}", it.primary.name, it.url);
        needs.push(Need::new("session", &it.url.to_string(), Pass::Warn, says).next(next));
    }
    needs.extend(the_way(it));
    needs.extend(options(it));
    needs.extend(sizes(it));
    for seen in it.primary_sites.iter().chain(&it.secondary_sites) {
        needs.extend(node(seen));
    }
    needs.extend(releases(it));
    needs.extend(sftp(it));
    needs
}

fn volume_started(what: &'static str, name: &str, started: bool) -> Need {
    if started {
        return Need::new(what, name, Pass::Pass, "started");
    }
    let next = format!("gluster volume start {name}");
    Need::new(what, name, Pass::Fail, "it is not started")
        .of(Code::SecondaryUnreachableVolume)
        .next(next)
}

/// Ports, ssh, and what the session's key opens.
fn the_way(it: &Readiness) -> Vec<Need> {
    let host = it.url.host.as_str();
    let mut needs = vec![match &it.port {
        Ok(port) => Need::new("port", host, Pass::Pass, format!("glusterd answers on {port}")),
        Err(error) => Need::new("port", host, Pass::Fail, format!("glusterd on 24007: {error}"))
            .of(Code::RemoteCliFailed)
            .next(format!("ssh {host} systemctl status glusterd")),
    }];
    let is_ssh = |error: &ClusterError| matches!(error, ClusterError::Unreached { .. });
    match &it.secondary {
        Err(error) if is_ssh(error) => {
            let text = error.to_string();
            let refused = text.contains("Permission denied");
            let code = if refused { Code::SshAuthRefused } else { Code::SshUnreachable };
            needs.push(
                Need::new("ssh", host, Pass::Fail, text).of(code).next(format!("ssh {host} true")),
            );
        }
        other => {
            needs.push(Need::new("ssh", host, Pass::Pass, "root gets there without a question"));
            needs.push(match other {
                Ok(volume) => volume_started("secondary volume", &volume.name, volume.started),
                Err(error) => {
                    Need::new("secondary volume", &it.url.volume, Pass::Fail, error.to_string())
                        .of(Code::SecondaryUnreachableVolume)
                        .next(format!("ssh {host} gluster volume info {}", it.url.volume))
                }
            });
        }
    }
    needs.push(key(it));
    needs
}

fn key(it: &Readiness) -> Need {
    let (what, host) = ("session key", it.url.host.as_str());
    let pass = |says: &str| Need::new(what, host, Pass::Pass, says);
    match &it.door {
        None => pass("not made yet, as it should be before create")
            .next("gluster system:: execute gsec_create"),
        Some(Ok(KeyAccess::Forced)) => pass("it opens gsyncd and nothing else"),
        Some(Ok(KeyAccess::Unknown)) => pass("not known there yet; create push-pem brings it"),
        Some(Ok(KeyAccess::Shell)) => {
            let says = "it opens a shell: the key stands there without its forced command, and \
                        gsyncd's /nonexistent/gsyncd will really be run";
            Need::new(what, host, Pass::Fail, says).of(Code::SshKeyNoForcedCommand)
        }
        Some(Ok(KeyAccess::Odd(said))) => {
            Need::new(what, host, Pass::Unseen, format!("ssh: {said}"))
        }
        Some(Err(error)) => Need::unseen(what, host, error),
    }
}

fn options(it: &Readiness) -> Vec<Need> {
    let mut findings = primary_options(&it.primary, it.in_session);
    if let Ok(secondary) = &it.secondary {
        findings.extend(both_options(&it.primary, secondary, it.in_session));
    }
    let place = it.primary.name.as_str();
    if findings.is_empty() {
        let encoding = it.primary.option("changelog.encoding").unwrap_or("ascii");
        let says = format!("changelog.encoding {encoding}, shards alike on both sides");
        return vec![Need::new("options", place, Pass::Pass, says)];
    }
    findings.iter().map(|finding| Need::found("options", place, finding)).collect()
}

fn sizes(it: &Readiness) -> Vec<Need> {
    let Ok(secondary) = &it.secondary else { return Vec::new() };
    let place = secondary.name.as_str();
    let spaces = Readiness::spaces(secondary, &it.secondary_sites);
    let mut needs = Vec::new();
    let holds = spaces.iter().flatten().any(|space| space.holds);
    if holds && !it.in_session {
        let says = "it is not empty: what stands there under another gfid stands in the way, \
                    what the primary has not stays";
        let next = format!("georepair audit session {} {}", it.primary.name, it.url);
        let need = Need::new("empty", place, Pass::Warn, says).of(Code::SecondaryNotEmpty);
        needs.push(need.next(next));
    } else if !it.in_session && spaces.iter().all(Option::is_some) {
        needs.push(Need::new("empty", place, Pass::Pass, "nothing of a user's stands there"));
    }
    let primary = room(&it.primary, &Readiness::spaces(&it.primary, &it.primary_sites));
    needs.push(match (primary, room(secondary, &spaces)) {
        (Some((used, _)), Some((there, free))) => {
            let says = format!(
                "{} used on the primary, {} free on the secondary, {} used there",
                human(used),
                human(free),
                human(there)
            );
            if used > there.saturating_add(free) {
                Need::new("size", place, Pass::Fail, says).of(Code::SecondaryTooSmall)
            } else {
                Need::new("size", place, Pass::Pass, says)
            }
        }
        _ => Need::new("size", place, Pass::Unseen, "cannot see all bricks of both sides"),
    });
    needs
}

fn node(seen: &ProbeResult) -> Vec<Need> {
    let site_seen = match &seen.site {
        Ok(site) => site,
        Err(error) => return vec![Need::unseen("node", &seen.node, error)],
    };
    let findings = site(site_seen);
    if findings.is_empty() {
        return vec![Need::new("node", &seen.node, Pass::Pass, versions(site_seen))];
    }
    findings.iter().map(|finding| Need::found("node", &seen.node, finding)).collect()
}

fn versions(site: &NodeFacts) -> String {
    let text = |version: &Option<String>| version.clone().unwrap_or_else(|| "?".to_owned());
    format!(
        "GlusterFS {}, rsync {}, python {}, its clock agrees",
        text(&site.gluster),
        text(&site.rsync),
        text(&site.python)
    )
}

fn releases(it: &Readiness) -> Option<Need> {
    let release = |sites: &[ProbeResult]| {
        let known = |seen: &ProbeResult| seen.site.as_ref().ok()?.gluster.clone();
        sites.iter().find_map(known)
    };
    let (ours, theirs) = (release(&it.primary_sites)?, release(&it.secondary_sites)?);
    let says = format!("primary {ours}, secondary {theirs}");
    let same = version(&ours)?.0 == version(&theirs)?.0;
    let need = Need::new("releases", &it.url.host, Pass::Pass, says);
    Some(if same { need } else { Need { verdict: Pass::Warn, ..need }.of(Code::ReleasesDiffer) })
}

/// `create push-pem` copies keys with scp, which speaks sftp since OpenSSH 9 and fails silently.
fn sftp(it: &Readiness) -> Option<Need> {
    let sites: Vec<&NodeFacts> =
        it.secondary_sites.iter().filter_map(|seen| seen.site.as_ref().ok()).collect();
    let node = sites.iter().find(|site| site.sftp != Some(true))?;
    let says = "its sshd offers no sftp, as far as can be seen: create push-pem would report \
                success, and the keys would never arrive";
    let next = "sshd -T | grep -i 'subsystem sftp'";
    Some(Need::new("sftp", &node.node, Pass::Warn, says).of(Code::SshAuthRefused).next(next))
}

/// Bytes as people write them.
fn human(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let step = (0..units.len() - 1).find(|step| bytes >> (10 * step) < 10_000);
    let step = step.unwrap_or(units.len() - 1);
    format!("{} {}", bytes >> (10 * step), units.get(step).unwrap_or(&"B"))
}
