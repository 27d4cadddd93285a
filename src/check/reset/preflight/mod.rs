//! Preflight of a reset: every condition that must hold before the session may be changed.

use crate::check::Check;
use crate::domain::{
    BrickState, LevelKind, Mark, MarkNames, ResetOptions, SecondaryData, SecondaryState,
    SessionState, Time,
};

/// Clocks may differ by this much, in microseconds: marks and changelogs count whole seconds.
const CLOCKS: i64 = 2_000_000;

/// Checks every condition, in the order in which an operator would fix them.
#[must_use]
pub fn preflight(found: &SessionState, options: &ResetOptions) -> Vec<Check> {
    let mut checks = vec![
        session(found),
        nodes(found),
        peers(found),
        bricks(found),
        bricks_running(found, options),
        leftover_workers(found),
        clocks(found),
        change_detector(found),
    ];
    checks.extend(secondary(found, options));
    checks.extend(changelog_readers(found, options));
    match options.level {
        LevelKind::Retry => {}
        LevelKind::Rewind => {
            checks.extend([marks(found), history(found, options)]);
            checks.extend(skipped_by_history(found));
        }
        LevelKind::History => {
            checks.push(marks(found));
            checks.extend(index(found, options));
        }
        LevelKind::Resync => checks.extend([marks(found), release(found)]),
        LevelKind::Full => {
            checks.extend([marks(found), release(found)]);
            checks.extend(recreation(found));
        }
    }
    checks
}

fn session(found: &SessionState) -> Check {
    let name = "session";
    let Some(session) = &found.session else {
        return Check::fail(name, format!("there is no session {}", found.name()))
            .next("gluster volume geo-replication status");
    };
    if session.workers.iter().any(|worker| worker.state == "Paused") {
        return Check::fail(name, "it is paused, maybe on purpose")
            .next(format!("gluster volume geo-replication {} resume", found.name()));
    }
    let states: Vec<_> = session.workers.iter().map(|worker| worker.state.as_str()).collect();
    Check::pass(name, states.join(", "))
}

fn nodes(found: &SessionState) -> Check {
    let name = "nodes";
    let lost = found.nodes.iter().filter_map(|node| {
        let why = node.report.as_ref().err()?;
        Some(format!("{}: {why}", node.name))
    });
    let lost: Vec<_> = lost.collect();
    if lost.is_empty() {
        let names: Vec<_> = found.nodes.iter().map(|node| node.name.as_str()).collect();
        return Check::pass(name, format!("all reached: {}", names.join(", ")));
    }
    Check::fail(name, format!("all nodes must be reachable; not reached: {}", lost.join("; ")))
}

fn peers(found: &SessionState) -> Check {
    match found.lost_peers.as_slice() {
        [] => Check::pass("peers", "glusterd reaches every peer"),
        lost => Check::fail("peers", format!("glusterd does not reach {}", lost.join(", ")))
            .next("gluster peer status"),
    }
}

fn bricks(found: &SessionState) -> Check {
    let wrong = |(node, brick): (&str, &BrickState)| {
        let place = format!("{node}:{}", brick.dir.display());
        match (&brick.trouble, brick.volume) {
            (Some(trouble), _) => Some(format!("{place}: {trouble}")),
            (None, Some(id)) if id == found.primary.id => None,
            (None, Some(id)) => Some(format!("{place} belongs to the volume with the id {id}")),
            (None, None) => Some(format!("{place} is not a brick; is its disk mounted?")),
        }
    };
    let wrong: Vec<_> = found.bricks().filter_map(wrong).collect();
    if wrong.is_empty() {
        let count = found.bricks().count();
        return Check::pass("bricks", format!("{count} directories are bricks of the volume"));
    }
    Check::fail("bricks", wrong.join("; "))
}

fn bricks_running(found: &SessionState, options: &ResetOptions) -> Check {
    let name = "bricks-running";
    let status = format!("gluster volume status {}", found.primary.name);
    match &found.down {
        Some(down) if down.is_empty() => Check::pass(name, "every brick of the primary is running"),
        Some(down) => {
            let down = down.join(", ");
            // A brick may refuse to run without an index: rebuilding it is then what helps.
            if options.level == LevelKind::History {
                let why = "not running, possibly because the index is missing";
                return Check::warn(name, format!("{why}: {down}")).next(status);
            }
            Check::refuse(name, format!("not running: {down}")).next(status)
        }
        None => Check::refuse(name, "gluster reports no status of the bricks").next(status),
    }
}

/// A stopped session has no processes; a leftover one would go on writing marks.
fn leftover_workers(found: &SessionState) -> Check {
    let name = "workers";
    let stopped = found.session.as_ref().is_some_and(crate::domain::Session::is_stopped);
    let left = found.nodes.iter().filter_map(|node| {
        let alive = &node.report.as_ref().ok()?.alive;
        let pids: Vec<_> = alive.iter().map(ToString::to_string).collect();
        (stopped && !pids.is_empty()).then(|| format!("{}: {}", node.name, pids.join(" ")))
    });
    let left: Vec<_> = left.collect();
    if left.is_empty() {
        return Check::pass(name, "no leftover gsyncd processes");
    }
    let says = "the session is stopped but gsyncd still runs; stop these PIDs first";
    Check::fail(name, format!("{says}: {}", left.join("; ")))
}

fn clocks(found: &SessionState) -> Check {
    let off = found.nodes.iter().filter(|node| node.clock.certain().abs() > CLOCKS);
    let off: Vec<_> = off
        .map(|node| format!("{} is off by {:.1} s", node.name, seconds(node.clock.ahead)))
        .collect();
    if off.is_empty() {
        return Check::pass("clocks", "the primary's nodes agree within 2 s");
    }
    let why = "marks and changelogs compare times across nodes";
    Check::refuse("clocks", format!("{}; {why}", off.join(", ")))
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// With another change detector a worker never reads the changelogs that a reset waits for.
fn change_detector(found: &SessionState) -> Check {
    let name = "change-detector";
    match found.settings.get("change-detector").map_or("changelog", String::as_str) {
        "changelog" => Check::pass(name, "changelog"),
        other => Check::fail(name, format!("it is {other}, which never sees deletes")).next(
            format!("gluster volume geo-replication {} config '!change-detector'", found.name()),
        ),
    }
}

fn secondary(found: &SessionState, options: &ResetOptions) -> Vec<Check> {
    let remote = match &found.remote {
        Ok(remote) => remote,
        Err(why) => return vec![Check::refuse("secondary", format!("cannot be inspected: {why}"))],
    };
    let volume = &remote.volume.name;
    let started = if remote.volume.started {
        Check::pass("secondary", format!("volume {volume} is started"))
    } else {
        Check::fail("secondary", format!("volume {volume} is not started"))
    };
    let mut checks = vec![started, same_secondary(found, remote), end_of_chain(remote, options)];
    checks.extend(emptying(remote, options));
    if !remote.volume.is_on("features.read-only") {
        let says = "not read-only: client writes will be overwritten or cause conflicts";
        checks.push(
            Check::warn("secondary-read-only", says).next("georepair runbook secondary-writable"),
        );
    }
    checks
}

/// A recreated secondary volume has another id, and marks under another name.
fn same_secondary(found: &SessionState, remote: &SecondaryState) -> Check {
    let name = "secondary-id";
    match found.session.as_ref().and_then(|session| session.secondary_id) {
        Some(id) if id != remote.volume.id => {
            let now = remote.volume.id;
            let why = format!("the session was created for the volume {id}, it is now {now}");
            Check::fail(name, format!("{why}; the session must be recreated"))
        }
        _ => Check::pass(name, "the same volume as when the session was created"),
    }
}

/// Whether the secondary is replicated on to others.
fn end_of_chain(remote: &SecondaryState, options: &ResetOptions) -> Check {
    let name = "secondary-is-primary";
    let onward: Vec<_> = remote.sessions.iter().map(|it| it.secondary.to_string()).collect();
    if onward.is_empty() {
        return Check::pass(name, "it is not the primary of another session");
    }
    let says =
        format!("it is itself replicated to {}: all of this follows there", onward.join(", "));
    if options.level.resends_everything() {
        Check::refuse(name, says)
    } else {
        Check::warn(name, says)
    }
}

/// Conditions of emptying the secondary.
fn emptying(remote: &SecondaryState, options: &ResetOptions) -> Vec<Check> {
    let mut checks = Vec::new();
    if options.secondary_data != SecondaryData::Keep && remote.volume.is_on("features.shard") {
        let says = "it is sharded: files deleted the way gsyncd does leave their shards behind";
        checks.push(Check::refuse("secondary-sharded", says));
    }
    if options.secondary_data == SecondaryData::Quarantine {
        checks.push(quarantine_space(remote));
    }
    checks
}

fn quarantine_space(remote: &SecondaryState) -> Check {
    let name = "secondary-room";
    let purge = "--purge-secondary keeps no copy";
    match remote.room {
        Some(room) if room.used < room.free => {
            let says = format!("a copy of at most {} bytes fits in {} free", room.used, room.free);
            Check::pass(name, says)
        }
        Some(room) => {
            let says = format!("a copy may take {} bytes, {} are free", room.used, room.free);
            Check::fail(name, format!("{says}; {purge}"))
        }
        None => Check::refuse(name, format!("gluster reports no free space; {purge}")),
    }
}

/// Other readers of the volume's changelogs: sessions and glusterfind.
fn changelog_readers(found: &SessionState, options: &ResetOptions) -> Vec<Check> {
    let loses = options.level == LevelKind::Full;
    let judge = |name, none: &str, who: Vec<String>| match (who.is_empty(), loses) {
        (true, _) => Check::pass(name, none),
        (false, false) => Check::pass(name, format!("{} keep their history", who.join(", "))),
        (false, true) => {
            let what = "would lose their change history, including deletes and renames";
            Check::refuse(name, format!("{} {what}", who.join(", ")))
        }
    };
    let others = found.others.iter().map(|it| it.session.secondary.to_string()).collect();
    let reports = found.nodes.iter().filter_map(|node| node.report.as_ref().ok());
    let mut finds: Vec<_> = reports.flat_map(|it| it.glusterfind.clone()).collect();
    finds.sort_unstable();
    finds.dedup();
    let sessions = judge("other-sessions", "the volume has no other session", others);
    let sessions = match cannot_be_recreated(found) {
        Some(why) if loses => Check::fail(sessions.name, format!("{}; {why}", sessions.says)),
        _ => sessions,
    };
    vec![sessions, judge("glusterfind", "no glusterfind session on the volume", finds)]
}

/// Why another session cannot be deleted and recreated with its settings, which a new changelog
/// history requires from 4.0 on.
fn cannot_be_recreated(found: &SessionState) -> Option<String> {
    if found.release.keeps_session_without_changelog() {
        return None;
    }
    found.others.iter().find_map(|other| {
        let url = &other.session.secondary;
        let paused = other.session.workers.iter().any(|worker| worker.state == "Paused");
        if paused {
            return Some(format!("{url} is paused: resume or stop it first"));
        }
        url.user.as_deref().filter(|user| *user != "root")?;
        Some(format!("{url}: {NO_KEYS}"))
    })
}

const NO_KEYS: &str = "`create` does not install keys for non-root users";

/// The names of the marks, which gsyncd's own settings must agree with.
fn marks(found: &SessionState) -> Check {
    let name = "marks";
    let Some(names) = found.mark_names() else {
        let says = "the id of the secondary volume is unknown, and with it the marks' names";
        return Check::fail(name, says);
    };
    let prefix = names.stime.trim_end_matches(".stime");
    match found.settings.get("stime-xattr-prefix") {
        Some(other) if other != prefix => {
            Check::fail(name, format!("gsyncd keeps them as {other}, expected {prefix}"))
        }
        _ => {
            let with = found.bricks().filter(|(_, it)| it.marks.contains_key(&names.stime));
            let (with, all) = (with.count(), found.bricks().count());
            Check::pass(name, format!("{with} of {all} bricks have an stime"))
        }
    }
}

fn release(found: &SessionState) -> Check {
    let release = found.release;
    let how = if release.zero_is_everything() {
        "an stime of 0 makes it crawl everything"
    } else {
        "it crawls everything only without any stime: those of the directories are removed too"
    };
    Check::pass("release", format!("{release}: {how}"))
}

/// Faults of the changelog indexes, with their places.
fn index_faults(found: &SessionState) -> Vec<String> {
    let faults = found.bricks().flat_map(|(node, brick)| {
        let place = format!("{node}:{}", brick.dir.display());
        brick.index_faults.iter().map(move |fault| format!("{place}: {fault}"))
    });
    faults.collect()
}

/// History skips the changelogs that an index does not list.
fn skipped_by_history(found: &SessionState) -> Option<Check> {
    let faults = index_faults(found);
    let says = || {
        let says = "changelogs missing from an index are skipped; run `--level history` first";
        format!("{says}: {}", faults.join("; "))
    };
    (!faults.is_empty()).then(|| Check::warn("index", says()))
}

/// Conditions of rebuilding an index.
fn index(found: &SessionState, options: &ResetOptions) -> Vec<Check> {
    let name = "index";
    let faults = index_faults(found);
    let mut checks = vec![if faults.is_empty() && options.bricks.is_empty() {
        Check::fail(name, "every index matches its changelogs; --brick DIR rebuilds one anyway")
    } else {
        Check::pass(name, format!("to be rebuilt: {}", faults.join("; ")))
    }];
    let lost: u64 = found.bricks().map(|(_, brick)| brick.lost_changelogs).sum();
    if lost > 0 {
        let says = format!("{lost} listed in an index are gone; resync sends what they recorded");
        checks.push(Check::warn("changelogs", says));
    }
    checks.push(pending_heals(found));
    checks
}

fn pending_heals(found: &SessionState) -> Check {
    let name = "heal";
    let info = format!("gluster volume heal {} info", found.primary.name);
    match found.unhealed {
        Some(0) if found.primary.set_size < 2 => {
            Check::warn(name, "no replicas: a brick's files are unavailable while it is stopped")
        }
        Some(0) => Check::pass(name, "no pending heals"),
        Some(count) => {
            let why = "stopping a brick now could take the only good copy offline";
            Check::fail(name, format!("{count} entries pending heal: {why}")).next(info)
        }
        None => Check::refuse(name, "gluster reports no heal status").next(info),
    }
}

/// Conditions of recreating the session, beyond what all levels need.
fn recreation(found: &SessionState) -> Vec<Check> {
    if found.release.keeps_session_without_changelog() {
        return Vec::new();
    }
    let mut checks = Vec::new();
    if let Err(why) = &found.remote {
        let says = format!("create would fail: it needs root's ssh to the secondary: {why}");
        checks.push(Check::fail("create", says));
    }
    if let Some(user) = found.secondary.user.as_deref().filter(|user| *user != "root") {
        let says = format!("it is {user}: {NO_KEYS}, set_geo_rep_pem_keys.sh did");
        checks.push(Check::refuse("secondary-user", says));
    }
    let without = found.bricks().filter(|(_, it)| it.changelogs.is_none());
    let without: Vec<_> =
        without.map(|(node, it)| format!("{node}:{}", it.dir.display())).collect();
    if !without.is_empty() {
        let says = format!("no changelogs to keep on {}", without.join(", "));
        checks.push(Check::warn("changelogs", says));
    }
    checks
}

/// Whether the changelogs reach back to where the marks should go.
fn history(found: &SessionState, options: &ResetOptions) -> Check {
    let name = "history";
    let Some(since) = options.since else {
        return Check::fail(name, "rewind needs a time: --to TIME");
    };
    let (Some(names), Some(target)) = (found.mark_names(), Mark::to_send_since(since)) else {
        return Check::fail(name, format!("{since} is not a possible time of a mark"));
    };
    let wanted = |it: &BrickState| options.bricks.is_empty() || options.bricks.contains(&it.dir);
    let chosen: Vec<_> = found.bricks().filter(|(_, it)| wanted(it)).collect();
    if chosen.is_empty() {
        return Check::fail(name, "--brick names no brick of the volume");
    }
    let later: Vec<_> = chosen.into_iter().filter(|(_, it)| is_later(it, &names, target)).collect();
    if later.is_empty() {
        return Check::fail(name, format!("no mark is later than {since}; marks only go back"));
    }
    let lacking = later.iter().filter_map(|(node, it)| {
        let gap = not_covered(it, target)?;
        Some(format!("{node}:{}: {gap}", it.dir.display()))
    });
    let lacking: Vec<_> = lacking.collect();
    if lacking.is_empty() {
        return Check::pass(name, format!("{} bricks go back, and cover it", later.len()));
    }
    let next = "--level resync sends everything";
    Check::fail(name, format!("not covered by changelogs: {}; {next}", lacking.join("; ")))
}

/// Why a brick's history does not cover a mark; `None` if it does.
fn not_covered(brick: &BrickState, target: Mark) -> Option<String> {
    if let Some(trouble) = &brick.index_trouble {
        return Some(trouble.clone());
    }
    // libgfchangelog serves a request from one HTIME, the one that contains its start.
    if brick.history.iter().any(|span| span.from <= target.sec && target.sec < span.to) {
        return None;
    }
    let since = brick.history.last().map(|span| Time::from_secs(i64::from(span.from) + 1));
    Some(since.map_or_else(|| "no history".to_owned(), |it| format!("history since {it} only")))
}

fn is_later(brick: &BrickState, names: &MarkNames, target: Mark) -> bool {
    let marks = [&names.stime, &names.entry_stime].into_iter();
    marks.filter_map(|name| brick.marks.get(name)).any(|mark| *mark > target)
}

#[cfg(test)]
mod tests;
