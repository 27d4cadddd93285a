//! May this session be started over as it was asked for? Every condition, with its reason.

use crate::domain::{
    BrickState, Level, Mark, MarkNames, NodeReport, ResetOptions, SecondaryData, SecondaryState,
    SessionState, Time,
};

/// How far clocks may be apart, in microseconds: marks and changelogs count whole seconds.
const CLOCKS: i64 = 2_000_000;

/// What came out for one condition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CheckStatus {
    /// It holds.
    Pass,
    /// It is worth knowing.
    Warn,
    /// The reset is refused.
    Fail,
}

/// A condition that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Its name: what `--override` takes.
    pub name: &'static str,
    /// What came out.
    pub verdict: CheckStatus,
    /// Why.
    pub says: String,
    /// Whether the operator may take it upon himself.
    pub may_be_overridden: bool,
}

impl Check {
    fn pass(name: &'static str, says: impl Into<String>) -> Self {
        Self { name, verdict: CheckStatus::Pass, says: says.into(), may_be_overridden: false }
    }

    fn warn(name: &'static str, says: impl Into<String>) -> Self {
        Self { verdict: CheckStatus::Warn, ..Self::pass(name, says) }
    }

    fn fail(name: &'static str, says: impl Into<String>) -> Self {
        Self { verdict: CheckStatus::Fail, ..Self::pass(name, says) }
    }

    /// A refusal that `--override` lifts.
    fn refuse(name: &'static str, says: impl Into<String>) -> Self {
        Self { may_be_overridden: true, ..Self::fail(name, says) }
    }
}

/// Looks at every condition, in the order in which an operator would mend them.
#[must_use]
pub fn preflight(found: &SessionState, wish: &ResetOptions) -> Vec<Check> {
    let mut checks = vec![
        session(found),
        nodes(found),
        peers(found),
        bricks(found),
        running(found, wish),
        workers(found),
        clocks(found),
        detector(found),
    ];
    checks.extend(secondary(found, wish));
    checks.extend(consumers(found, wish));
    if wish.level != Level::Retry {
        checks.push(marks(found));
    }
    match wish.level {
        Level::Rewind { .. } => {
            checks.push(history(found, wish));
            checks.extend(passed_over(found));
        }
        Level::History => checks.extend(index(found, wish)),
        Level::Resync => checks.push(release(found)),
        Level::Full => {
            checks.push(release(found));
            checks.extend(anew(found));
        }
        Level::Retry => {}
    }
    checks
}

fn session(found: &SessionState) -> Check {
    let name = "session";
    let Some(session) = &found.session else {
        let list = "gluster volume geo-replication status lists those there are";
        return Check::fail(name, format!("there is no session {}; {list}", found.name()));
    };
    if session.workers.iter().any(|worker| worker.state == "Paused") {
        let resume = format!("gluster volume geo-replication {} resume", found.name());
        return Check::fail(name, format!("it is paused, and may be so on purpose: {resume}"));
    }
    let states: Vec<_> = session.workers.iter().map(|worker| worker.state.as_str()).collect();
    Check::pass(name, states.join(", "))
}

fn nodes(found: &SessionState) -> Check {
    let lost = found.nodes.iter().filter_map(|node| {
        let why = node.sight.as_ref().err()?;
        Some(format!("{}: {why}", node.name))
    });
    let lost: Vec<_> = lost.collect();
    if lost.is_empty() {
        let names: Vec<_> = found.nodes.iter().map(|node| node.name.as_str()).collect();
        return Check::pass("nodes", format!("all were looked at: {}", names.join(", ")));
    }
    let why = "a reset of some nodes only is the usual mistake";
    Check::fail("nodes", format!("{why}; not seen: {}", lost.join("; ")))
}

fn peers(found: &SessionState) -> Check {
    match found.lost_peers.as_slice() {
        [] => Check::pass("peers", "glusterd reaches every peer"),
        lost => Check::fail("peers", format!("glusterd does not reach {}", lost.join(", "))),
    }
}

fn bricks(found: &SessionState) -> Check {
    let wrong = |(node, brick): (&str, &BrickState)| {
        let place = format!("{node}:{}", brick.dir.display());
        match (&brick.trouble, brick.volume) {
            (Some(trouble), _) => Some(format!("{place}: {trouble}")),
            (None, Some(id)) if id == found.primary.id => None,
            (None, Some(id)) => Some(format!("{place} belongs to the volume with the id {id}")),
            (None, None) => Some(format!("{place} is no brick; is its disk mounted?")),
        }
    };
    let wrong: Vec<_> = found.bricks().filter_map(wrong).collect();
    if wrong.is_empty() {
        let count = found.bricks().count();
        return Check::pass("bricks", format!("{count} directories are the volume's bricks"));
    }
    Check::fail("bricks", wrong.join("; "))
}

fn running(found: &SessionState, wish: &ResetOptions) -> Check {
    let name = "bricks-running";
    match &found.down {
        Some(down) if !down.is_empty() && wish.level == Level::History => Check::warn(
            name,
            format!("not running, perhaps for want of an index: {}", down.join(", ")),
        ),
        Some(down) if down.is_empty() => Check::pass(name, "every brick of the primary runs"),
        Some(down) => Check::refuse(
            name,
            format!("not running: {}; gluster volume heal info tells more", down.join(", ")),
        ),
        None => Check::refuse(name, "gluster volume status does not tell"),
    }
}

/// A session that stands still has no processes; one that is left would go on writing marks.
fn workers(found: &SessionState) -> Check {
    let name = "workers";
    let stands = found.session.as_ref().is_some_and(crate::domain::Session::is_stopped);
    let left = found.nodes.iter().filter_map(|node| {
        let alive = &node.sight.as_ref().ok()?.alive;
        let pids: Vec<_> = alive.iter().map(ToString::to_string).collect();
        (stands && !pids.is_empty()).then(|| format!("{}: {}", node.name, pids.join(" ")))
    });
    let left: Vec<_> = left.collect();
    if left.is_empty() {
        return Check::pass(name, "none is left of an earlier run");
    }
    let why = "the session is stopped, and gsyncd processes of it are alive";
    Check::fail(name, format!("{why}: {}; end them first", left.join("; ")))
}

fn clocks(found: &SessionState) -> Check {
    let off = found.nodes.iter().filter(|node| node.ahead.abs() - node.blur > CLOCKS);
    let off: Vec<_> =
        off.map(|node| format!("{} is off by {:.1} s", node.name, seconds(node.ahead))).collect();
    if off.is_empty() {
        return Check::pass("clocks", "the primary's nodes agree within 2 s");
    }
    let why = "marks and changelogs compare times";
    Check::refuse("clocks", format!("{}; {why}", off.join(", ")))
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// With another change detector a worker never comes to the changelogs that a reset waits for.
fn detector(found: &SessionState) -> Check {
    let name = "change-detector";
    match found.settings.get("change-detector").map_or("changelog", String::as_str) {
        "changelog" => Check::pass(name, "changelog"),
        other => {
            let back = format!(
                "gluster volume geo-replication {} config '!change-detector'",
                found.name()
            );
            Check::fail(name, format!("it is {other}, which never sees deletes: {back}"))
        }
    }
}

fn secondary(found: &SessionState, wish: &ResetOptions) -> Vec<Check> {
    let seen = "secondary";
    let far = match &found.far {
        Ok(far) => far,
        Err(why) => {
            let blind = format!("it cannot be looked at: {why}");
            return vec![Check::refuse(seen, blind)];
        }
    };
    let volume = &far.volume.name;
    let mut checks = vec![if far.volume.started {
        Check::pass(seen, format!("volume {volume} is started"))
    } else {
        Check::fail(seen, format!("volume {volume} is not started"))
    }];
    checks.push(same_secondary(found, far));
    let onward: Vec<_> = far.sessions.iter().map(|it| it.secondary.to_string()).collect();
    checks.push(match onward.as_slice() {
        [] => Check::pass("secondary-is-primary", "it is nobody's primary"),
        onward => {
            let onward = onward.join(", ");
            let says = format!("it is itself replicated to {onward}: all this arrives there too");
            match wish.level {
                Level::Resync | Level::Full => Check::refuse("secondary-is-primary", says),
                _ => Check::warn("secondary-is-primary", says),
            }
        }
    });
    checks.extend(emptied(far, wish));
    if !far.volume.is_on("features.read-only") {
        let why = "its clients can write to it; what they change is overwritten or in the way";
        checks.push(Check::warn("secondary-read-only", why));
    }
    checks
}

/// What emptying the secondary needs.
fn emptied(far: &SecondaryState, wish: &ResetOptions) -> Vec<Check> {
    if wish.leftovers == SecondaryData::Keep {
        return Vec::new();
    }
    let mut checks = Vec::new();
    if far.volume.is_on("features.shard") {
        let why = "it is sharded: deleted as gsyncd deletes, its files leave their shards behind";
        checks.push(Check::refuse("secondary-sharded", why));
    }
    if wish.leftovers == SecondaryData::Quarantine {
        let name = "secondary-room";
        let purge = "--purge-secondary keeps no copy";
        checks.push(match far.room {
            Some(room) if room.used < room.free => Check::pass(
                name,
                format!("a copy of at most {} bytes fits in {} free", room.used, room.free),
            ),
            Some(room) => {
                let what = format!("{} bytes may have to be copied", room.used);
                Check::fail(name, format!("{what}, and {} are free; {purge}", room.free))
            }
            None => Check::refuse(name, format!("gluster does not tell what is free; {purge}")),
        });
    }
    checks
}

/// A secondary volume that was made anew has another id, and so marks of another name.
fn same_secondary(found: &SessionState, far: &SecondaryState) -> Check {
    let name = "secondary-id";
    match found.session.as_ref().and_then(|session| session.secondary_id) {
        Some(id) if id != far.volume.id => {
            let now = far.volume.id;
            let why = format!("the session was made with the volume {id}, and it is now {now}");
            Check::fail(name, format!("{why}; the session is to be created anew"))
        }
        _ => Check::pass(name, "the same volume as when the session was made"),
    }
}

/// Who else reads the changelogs of the volume.
fn consumers(found: &SessionState, wish: &ResetOptions) -> Vec<Check> {
    let loses = matches!(wish.level, Level::Full);
    let judge = |name, none: &str, who: Vec<String>| match (who.is_empty(), loses) {
        (true, _) => Check::pass(name, none),
        (false, false) => Check::pass(name, format!("{} stay as they are", who.join(", "))),
        (false, true) => {
            let what = "would lose their history of changes, deletes and renames among them";
            Check::refuse(name, format!("{} {what}", who.join(", ")))
        }
    };
    let others = found.others.iter().map(|it| it.session.secondary.to_string()).collect();
    let sights = found.nodes.iter().filter_map(|node| node.sight.as_ref().ok());
    let mut finds: Vec<_> = sights.flat_map(|it: &NodeReport| it.glusterfind.clone()).collect();
    finds.sort_unstable();
    finds.dedup();
    let sessions = judge("other-sessions", "the volume has no other session", others);
    let sessions = match unfit_to_be_made_anew(found) {
        Some(why) if loses => Check::fail(sessions.name, format!("{}; {why}", sessions.says)),
        _ => sessions,
    };
    vec![sessions, judge("glusterfind", "no glusterfind session on the volume", finds)]
}

/// Why another session could not be taken along: where it has to be, all are deleted and created
/// again with their settings.
fn unfit_to_be_made_anew(found: &SessionState) -> Option<String> {
    if found.release.keeps_session_without_changelog() {
        return None;
    }
    found.others.iter().find_map(|other| {
        let url = &other.session.secondary;
        let paused = other.session.workers.iter().any(|worker| worker.state == "Paused");
        let user = url.user.as_deref().filter(|user| *user != "root");
        match (paused, user) {
            (true, _) => Some(format!("{url} is paused: resume or stop it first")),
            (_, Some(user)) => Some(format!("{url} is of {user}, whose keys create does not lay")),
            _ => None,
        }
    })
}

/// The names of the marks, which gsyncd's own settings must agree with.
fn marks(found: &SessionState) -> Check {
    let name = "marks";
    let Some(names) = found.mark_names() else {
        let why = "the id of the secondary volume is not known, and so not the marks' name";
        return Check::fail(name, why);
    };
    let prefix = names.stime.trim_end_matches(".stime");
    match found.settings.get("stime-xattr-prefix") {
        Some(told) if told != prefix => {
            Check::fail(name, format!("gsyncd keeps them as {told}, which should be {prefix}"))
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
        "an stime of 0 makes it crawl all"
    } else {
        "no stime of the root makes it crawl all, so those of the directories are removed too"
    };
    Check::pass("release", format!("{release}: {how}"))
}

/// What is wrong with the indexes of changelogs, with the places.
fn index_faults(found: &SessionState) -> Vec<String> {
    let faults = found.bricks().flat_map(|(node, brick)| {
        let place = format!("{node}:{}", brick.dir.display());
        brick.index_faults.iter().map(move |fault| format!("{place}: {fault}"))
    });
    faults.collect()
}

/// That history does not send what an index leaves out.
fn passed_over(found: &SessionState) -> Option<Check> {
    let faults = index_faults(found);
    let says = || {
        format!(
            "what an index lacks is passed over; `--level history` first: {}",
            faults.join("; ")
        )
    };
    (!faults.is_empty()).then(|| Check::warn("index", says()))
}

/// What an index needs to be made anew.
fn index(found: &SessionState, wish: &ResetOptions) -> Vec<Check> {
    let name = "index";
    let faults = index_faults(found);
    let mut checks = vec![if faults.is_empty() && wish.bricks.is_empty() {
        Check::fail(name, "every index agrees with its changelogs; --brick DIR makes one anyway")
    } else {
        Check::pass(name, format!("to be mended: {}", faults.join("; ")))
    }];
    let lost: u64 = found.bricks().map(|(_, brick)| brick.lost_changelogs).sum();
    if lost > 0 {
        let says = format!("{lost} that an index names are gone; what they told, resync sends");
        checks.push(Check::warn("changelogs", says));
    }
    checks.push(match found.unhealed {
        Some(0) if found.primary.set_size < 2 => {
            Check::warn("heal", "without replicas, a brick's files are away while it stands still")
        }
        Some(0) => Check::pass("heal", "the replicas owe each other nothing"),
        Some(owed) => {
            let why = "a brick that stands still would take the only good copy away";
            Check::fail("heal", format!("{owed} entries are to be healed first: {why}"))
        }
        None => Check::refuse("heal", "gluster does not tell whether the replicas are healed"),
    });
    checks
}

/// What creating the session anew needs, beyond what all levels need.
fn anew(found: &SessionState) -> Vec<Check> {
    if found.release.keeps_session_without_changelog() {
        return Vec::new();
    }
    let mut checks = Vec::new();
    if let Err(why) = &found.far {
        let says = format!("create would fail: it needs root's ssh to the secondary: {why}");
        checks.push(Check::fail("create", says));
    }
    if let Some(user) = found.secondary.user.as_deref().filter(|user| *user != "root") {
        let keys = "its keys were laid down by set_geo_rep_pem_keys.sh, and create does not";
        checks.push(Check::refuse("secondary-user", format!("it is {user}: {keys}")));
    }
    let troubled = found.bricks().filter(|(_, it)| it.changelogs.is_none());
    let troubled: Vec<_> =
        troubled.map(|(node, it)| format!("{node}:{}", it.dir.display())).collect();
    if !troubled.is_empty() {
        let says = format!("no changelogs to keep on {}", troubled.join(", "));
        checks.push(Check::warn("changelogs", says));
    }
    checks
}

/// Whether the changelogs reach back to where the marks shall go.
fn history(found: &SessionState, wish: &ResetOptions) -> Check {
    let name = "history";
    let Level::Rewind { to } = wish.level else { return Check::pass(name, "not needed") };
    let (Some(names), Some(target)) = (found.mark_names(), Mark::to_send_since(to)) else {
        return Check::fail(name, format!("{to} is no time of a mark"));
    };
    let wanted = |it: &BrickState| wish.bricks.is_empty() || wish.bricks.contains(&it.dir);
    let asked: Vec<_> = found.bricks().filter(|(_, it)| wanted(it)).collect();
    if asked.is_empty() {
        return Check::fail(name, "--brick names no brick of the volume");
    }
    let later = asked.into_iter().filter(|(_, it)| is_later(it, &names, target));
    let later: Vec<_> = later.collect();
    if later.is_empty() {
        return Check::fail(name, format!("no mark is later than {to}; marks only go back"));
    }
    let lacking = later.iter().filter_map(|(node, it)| {
        let place = format!("{node}:{}", it.dir.display());
        if let Some(trouble) = &it.index_trouble {
            return Some(format!("{place}: {trouble}"));
        }
        // libgfchangelog serves a request from one HTIME, the one that the start lies in.
        let covered = it.history.iter().any(|span| span.from <= target.sec && target.sec < span.to);
        let since = it.history.last().map(|span| Time::from_secs(i64::from(span.from) + 1));
        let since = since.map_or_else(|| "nothing".to_owned(), |it| format!("what is since {it}"));
        (!covered).then(|| format!("{place} covers {since}"))
    });
    let lacking: Vec<_> = lacking.collect();
    if lacking.is_empty() {
        return Check::pass(name, format!("{} bricks go back, and cover it", later.len()));
    }
    let next = "--level resync sends everything";
    Check::fail(name, format!("not covered by changelogs: {}; {next}", lacking.join("; ")))
}

fn is_later(brick: &BrickState, names: &MarkNames, target: Mark) -> bool {
    let marks = [&names.stime, &names.entry_stime].into_iter();
    marks.filter_map(|name| brick.marks.get(name)).any(|mark| *mark > target)
}

#[cfg(test)]
mod tests;
