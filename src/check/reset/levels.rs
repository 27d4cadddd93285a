//! What each reset level costs on a session, and which one is recommended.

use super::preflight::preflight;
use crate::check::CheckStatus;
use crate::domain::{
    BrickState, Code, Finding, Flag, LevelKind, Resend, ResetOptions, SessionState, Severity, Time,
};

/// What a level costs on this session. `since` is where `rewind` would set the marks back to; if
/// unknown, several times are given.
#[must_use]
pub fn cost(level: LevelKind, found: &SessionState, now: Time, since: Option<Time>) -> String {
    let row = level.row();
    let resent = match (row.resends, since) {
        (Resend::Pending, _) => pending(found),
        (Resend::Since, Some(since)) => resent_since(found, since),
        (Resend::Since, None) => resent_by_age(found, now),
        (Resend::Everything, _) => crawled(found),
    };
    if row.takes.is_empty() { resent } else { format!("{}; {resent}", row.takes) }
}

/// The recommended level, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recommendation {
    /// The level.
    pub level: LevelKind,
    /// What it is based on.
    pub why: String,
    /// Since when changes should be sent again, if the logs show it.
    pub since: Option<Time>,
}

/// The least invasive level that fixes what was found: on the bricks, in the status, and in the
/// logs.
#[must_use]
pub fn recommendation(found: &SessionState, logged: &[Finding], now: Time) -> Recommendation {
    let recommend = |level, why| Recommendation { level, why, since: None };
    let place = |(node, brick): (&str, &BrickState)| format!("{node}:{}", brick.dir.display());
    let gone = |it: &BrickState| it.changelogs.is_none() || it.lost_changelogs > 0;
    if let Some(at) = found.bricks().find(|(_, it)| gone(it) || has_no_changelogs(it)) {
        return recommend(LevelKind::Full, format!("changelogs of {} are gone", place(at)));
    }
    if let Some(at) = found.bricks().find(|(_, it)| !it.index_faults.is_empty()) {
        let fault = at.1.index_faults.first().cloned().unwrap_or_default();
        return recommend(LevelKind::History, format!("{}: {fault}", place(at)));
    }
    let open = logged.iter().filter(|it| !it.healed && it.severity <= Severity::Loss);
    let open: Vec<_> = open.collect();
    // No reset fixes these, and none helps before they are fixed.
    let cause = open.iter().find(|it| it.severity == Severity::Fatal || it.code.is(Flag::Rsync));
    let first = cause.map(|it| {
        let (title, slug) = (it.code.title(), it.code.slug());
        format!("{title}; fix that first: georepair runbook {slug}")
    });
    let losses = open.iter().filter(|it| it.code.is(Flag::LosesChanges));
    if let Some(loss) = losses.min_by_key(|it| it.seen.first) {
        let resend = resend_after(found, loss, now);
        let whys = std::iter::once(resend.why).chain(first);
        return Recommendation { why: whys.collect::<Vec<_>>().join("; "), ..resend };
    }
    if let Some(why) = first {
        return recommend(LevelKind::Retry, why);
    }
    let workers = found.session.iter().flat_map(|session| &session.workers);
    if let Some(worker) = workers.into_iter().find(|worker| worker.state == "Faulty") {
        let next = "`georepair diagnose` there finds the cause";
        return recommend(
            LevelKind::Retry,
            format!("the worker on {} is Faulty; {next}", worker.node),
        );
    }
    recommend(LevelKind::Retry, "nothing found requires more".to_owned())
}

/// A loss may have happened this long before it was logged, in seconds: a worker retries for some
/// minutes before it gives up.
const BEFORE: i64 = 900;

/// `rewind` if the changelogs reach back to before the loss, else `resync`.
fn resend_after(found: &SessionState, loss: &Finding, now: Time) -> Recommendation {
    let since = loss.seen.first.map(|first| Time::from_secs(first.secs() - BEFORE));
    let covered = since.filter(|since| {
        let rewind = ResetOptions::new(LevelKind::Rewind, now);
        let checks = preflight(found, &ResetOptions { since: Some(*since), ..rewind });
        checks.iter().all(|it| it.name != "history" || it.status == CheckStatus::Pass)
    });
    let began = loss.seen.first.map_or_else(String::new, |first| format!(" since {first}"));
    let why = format!("{}{began}", loss.code.title());
    // After a partial history gsyncd fell back to a crawl: the changelogs were not all read before.
    let rewind = covered.is_some() && loss.code != Code::HistoryPartial;
    let level = if rewind { LevelKind::Rewind } else { LevelKind::Resync };
    Recommendation { level, why, since: covered }
}

/// Whether the changelogs folder exists without an index or history.
fn has_no_changelogs(brick: &BrickState) -> bool {
    brick.index.is_none() && brick.history.is_empty()
}

/// Entries per second that a worker gets through: those that exist already, and new ones.
const ENTRIES: (u64, u64) = (3_000, 200);
/// Bytes per second of a slow line.
const SLOW_LINE: u64 = 10_000_000;

/// The changes past the marks.
fn pending(found: &SessionState) -> String {
    let waiting = found.mark_names().and_then(|names| {
        recorded(found, |it| it.marks.get(&names.stime).map_or(0, |mark| mark.sec))
    });
    waiting.map_or_else(
        || "the number of pending changes is unknown".to_owned(),
        |it| format!("plus what is pending, {}", estimate(it)),
    )
}

/// What a rewind sends again, for the times that operators think in.
fn resent_by_age(found: &SessionState, now: Time) -> String {
    let hours = [(1, "an hour"), (24, "a day"), (24 * 7, "a week")];
    let rows = hours.iter().filter_map(|(hours, name)| {
        let since = seconds(Time::from_secs(now.secs() - hours * 3_600));
        Some(format!("of {name} {}", estimate(recorded(found, |_| since)?)))
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { "the changes since that time".to_owned() } else { rows.join("; ") }
}

fn resent_since(found: &SessionState, since: Time) -> String {
    let since = seconds(since);
    recorded(found, |_| since).map_or_else(|| "the changes since that time".to_owned(), estimate)
}

fn seconds(time: Time) -> u32 {
    u32::try_from(time.secs().max(0)).unwrap_or(u32::MAX)
}

/// Records and changelogs since a time of each brick, counted once per replica set, whose bricks
/// record the same. `None` if no brick has changelogs.
fn recorded(found: &SessionState, since: impl Fn(&BrickState) -> u32) -> Option<(u64, u64)> {
    let each = by_set(found, |it| {
        let row = it.recorded_since(since(it))?;
        Some((row.records, row.changelogs))
    });
    let mut sets = each.into_iter().flatten().peekable();
    sets.peek()?;
    Some(sets.fold((0, 0), |sum, set| (sum.0 + set.0, sum.1 + set.1)))
}

/// `(records, changelogs)` in words, with a range of times: from entries that all exist to entries
/// that are all created. Data comes on top: changelogs do not record how much.
fn estimate((records, changelogs): (u64, u64)) -> String {
    let (fast, slow) = (records / ENTRIES.0, records / ENTRIES.1);
    let range = match slow {
        0..60 => "under a minute".to_owned(),
        _ => format!("{} to {}", span(fast), span(slow)),
    };
    let many = if changelogs == 1 { "changelog" } else { "changelogs" };
    format!("at most about {records} records in {changelogs} {many}: {range}, plus their data")
}

/// Entries and bytes of one copy of the volume, and a range of times: from a crawl that finds
/// everything on the secondary to sending everything over a slow line.
fn crawled(found: &SessionState) -> String {
    let sum = |part: fn(&BrickState) -> u64| -> u64 {
        by_set(found, |it| Some(part(it))).into_iter().flatten().sum()
    };
    let (entries, bytes) = (sum(|it| it.inodes), sum(|it| it.used));
    let (fast, slow) = (entries / ENTRIES.0, entries / ENTRIES.1 + bytes / SLOW_LINE);
    let mib = bytes >> 20;
    // A start and its first crawl take a minute or two by themselves.
    let (fast, slow) = (span(fast + 60), span(slow + 120));
    format!("at most {entries} entries and {mib} MiB: {fast} to {slow}")
}

/// The maximum over the bricks of each replica set.
fn by_set<T: Ord>(found: &SessionState, part: impl Fn(&BrickState) -> Option<T>) -> Vec<Option<T>> {
    let sets = found.primary.sets().map(|set| {
        let of_set = |it: &(&str, &BrickState)| {
            set.iter().any(|brick| brick.node == it.0 && brick.dir == it.1.dir)
        };
        found.bricks().filter(of_set).filter_map(|(_, it)| part(it)).max()
    });
    sets.collect()
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session_sample::session_state;
    use crate::domain::{Observed, Recorded, Remedy, Side};

    const NOW: Time = Time::from_secs(9_000);

    fn healthy() -> SessionState {
        let mut found = session_state();
        for node in &mut found.nodes {
            let brick = &mut node.report.as_mut().unwrap().bricks[0];
            brick.changelogs = Some((1, None));
            brick.index = Some((2, None));
        }
        found
    }

    fn finding(code: Code) -> Finding {
        Finding {
            case: None,
            code,
            severity: code.severity(),
            side: Side::Primary,
            session: None,
            node: None,
            worker: None,
            seen: Observed::default(),
            healed: false,
            caused_by: None,
            says: String::new(),
            evidence: Vec::new(),
            known: Vec::new(),
            remedy: Remedy { runbook: code.slug(), commands: Vec::new() },
        }
    }

    fn damaged(damage: impl Fn(&mut BrickState)) -> LevelKind {
        let mut found = healthy();
        damage(&mut found.nodes[1].report.as_mut().unwrap().bricks[0]);
        recommendation(&found, &[], NOW).level
    }

    #[test]
    fn the_least_invasive_level_is_recommended() {
        assert_eq!(damaged(|_| ()), LevelKind::Retry);
        assert_eq!(damaged(|it| it.index_faults.push("x".to_owned())), LevelKind::History);
        assert_eq!(damaged(|it| it.changelogs = None), LevelKind::Full);
        assert_eq!(damaged(|it| it.lost_changelogs = 1), LevelKind::Full);
        let mut faulty = healthy();
        faulty.session.as_mut().unwrap().workers[0].state = "Faulty".to_owned();
        let Recommendation { level, why, .. } = recommendation(&faulty, &[], NOW);
        assert!(level == LevelKind::Retry && why.contains("m1 is Faulty"), "{why}");
    }

    #[test]
    fn losses_in_the_logs_are_sent_again() {
        let found = healthy();
        let recommended = |code, first| {
            let seen = Observed { first, ..Observed::default() };
            let finding = Finding { seen, ..finding(code) };
            let Recommendation { level, since, .. } = recommendation(&found, &[finding], NOW);
            (level, since.map(Time::secs))
        };
        // The changelogs of the sample cover the seconds 1000 to 9000, its marks are at 4000 and 8000.
        let at = |secs| Some(Time::from_secs(secs));
        assert_eq!(
            recommended(Code::ChangelogSkipped, at(3_000)),
            (LevelKind::Rewind, Some(2_100))
        );
        assert_eq!(recommended(Code::ChangelogSkipped, at(1_500)), (LevelKind::Resync, None));
        assert_eq!(recommended(Code::ChangelogSkipped, None), (LevelKind::Resync, None));
        assert_eq!(recommended(Code::HistoryPartial, at(3_000)).0, LevelKind::Resync);
        let Recommendation { level, why, .. } =
            recommendation(&found, &[finding(Code::SshAuthRefused)], NOW);
        assert!(level == LevelKind::Retry && why.contains("runbook ssh-auth-refused"), "{why}");
        let empty = [finding(Code::DataSyncEmpty)];
        let Recommendation { level, why, .. } = recommendation(&found, &empty, NOW);
        assert!(level == LevelKind::Resync && why.contains("runbook data-sync-empty"), "{why}");
        let healed = Finding { healed: true, ..finding(Code::ChangelogSkipped) };
        assert_eq!(recommendation(&found, &[healed], NOW).level, LevelKind::Retry);
    }

    #[test]
    fn costs_count_each_replica_set_once() {
        let mut found = healthy();
        for node in &mut found.nodes {
            let brick = &mut node.report.as_mut().unwrap().bricks[0];
            (brick.inodes, brick.used) = (600_000, 5 << 30);
        }
        let cost = cost(LevelKind::Full, &found, Time::from_secs(0), None);
        assert_eq!(cost, "at most 600000 entries and 5120 MiB: 4 min to 60 min");
    }

    #[test]
    fn a_rewind_costs_what_was_recorded_since() {
        let mut found = healthy();
        let now = Time::from_secs(1_000_000);
        let costs = |found: &SessionState, since| cost(LevelKind::Rewind, found, now, since);
        assert_eq!(costs(&found, None), "the changes since that time");
        for node in &mut found.nodes {
            let brick = &mut node.report.as_mut().unwrap().bricks[0];
            brick.recorded = [(999_000, 1, 600), (950_000, 5, 6_000), (0, 9, 60_000_000)]
                .map(|(since, changelogs, records)| Recorded { since, changelogs, records })
                .to_vec();
        }
        let one = "at most about 600 records in 1 changelog: under a minute, plus their data";
        assert_eq!(costs(&found, Some(Time::from_secs(999_500))), one);
        let ages = costs(&found, None);
        assert!(ages.contains("of an hour at most about 6000 records in 5 changelogs"), "{ages}");
        assert!(ages.contains("of a day at most about 60000000 records"), "{ages}");
        // The marks of the sample are older than all of it.
        let pending = cost(LevelKind::Retry, &found, now, None);
        assert!(pending.contains("pending, at most about 60000000 records"), "{pending}");
    }
}
