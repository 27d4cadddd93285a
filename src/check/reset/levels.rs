//! Which level of a reset helps least-first, what each mends, and what it costs here.

use super::preflight::{CheckStatus, preflight};
use crate::domain::{
    BrickState, Code, Finding, Flag, Level, ResetOptions, SecondaryData, SessionState, Severity,
    Time,
};

/// A level as it is offered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LevelInfo {
    /// Its name, as `--level` takes it.
    pub level: &'static str,
    /// What it mends.
    pub mends: &'static str,
    /// What it cannot mend.
    pub not: &'static str,
    /// What it costs on this session.
    pub costs: String,
    /// What of it cannot be taken back.
    pub for_good: &'static str,
}

/// The levels, least first. `to` is where `rewind` would set the marks back to, where that is
/// known; else several times are told.
#[must_use]
pub fn offers(found: &SessionState, now: Time, to: Option<Time>) -> Vec<LevelInfo> {
    let offer =
        |level, mends, not, costs, for_good| LevelInfo { level, mends, not, costs, for_good };
    let crawled = crawled(found);
    vec![
        offer(
            "retry",
            "a start that hung; a worker that is Active and deaf",
            "what was skipped before",
            format!("a minute or two; {}", pending(found)),
            "nothing",
        ),
        offer(
            "rewind",
            "changes lost since a time that you know, deletes and renames too",
            "what was lost before",
            to.map_or_else(|| ages(found, now), |to| sent_again(found, to)),
            "nothing",
        ),
        offer(
            "history",
            "workers that are Faulty for a damaged index of changelogs",
            "changelogs that are gone",
            format!("each damaged brick stands still for seconds, then heals; {}", pending(found)),
            "nothing",
        ),
        offer(
            "resync",
            "entries and data that are missing, whatever the reason",
            "deletes, renames, damage of equal size, unless the secondary is emptied",
            crawled.clone(),
            "emptying the secondary, where it is asked for",
        ),
        offer(
            "full",
            "a history that is gone or that gsyncd dies of",
            "history of other sessions and glusterfind: they lose it",
            crawled,
            "emptying the secondary",
        ),
    ]
}

/// The level's offer.
#[must_use]
pub fn offer(found: &SessionState, wish: &ResetOptions) -> Option<LevelInfo> {
    let to = if let Level::Rewind { to } = wish.level { Some(to) } else { None };
    let level = wish.level.to_string();
    offers(found, wish.now, to).into_iter().find(|offer| offer.level == level)
}

/// The level that speaks for itself, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recommendation {
    /// Its name.
    pub level: &'static str,
    /// What was seen that speaks for it.
    pub why: String,
    /// Since when changes are to be sent again, where the logs tell.
    pub since: Option<Time>,
}

/// The least that mends what was seen: on the bricks, in the status, and in the logs.
#[must_use]
pub fn advice(found: &SessionState, logged: &[Finding], now: Time) -> Recommendation {
    let advise = |level, why| Recommendation { level, why, since: None };
    let place = |(node, brick): (&str, &BrickState)| format!("{node}:{}", brick.dir.display());
    let gone = |it: &BrickState| it.changelogs.is_none() || it.lost_changelogs > 0;
    if let Some(at) = found.bricks().find(|(_, it)| gone(it) || no_changelogs(it)) {
        return advise("full", format!("changelogs of {} are gone", place(at)));
    }
    if let Some(at) = found.bricks().find(|(_, it)| !it.index_faults.is_empty()) {
        let fault = at.1.index_faults.first().cloned().unwrap_or_default();
        return advise("history", format!("{}: {fault}", place(at)));
    }
    let open = logged.iter().filter(|it| !it.healed && it.severity <= Severity::Loss);
    let open: Vec<_> = open.collect();
    // No reset mends these, and none helps before they are mended.
    let cause = open.iter().find(|it| it.severity == Severity::Fatal || it.code.is(Flag::Rsync));
    let first = cause.map(|it| {
        let (title, slug) = (it.code.title(), it.code.slug());
        format!("{title}; mend that first: georepair runbook {slug}")
    });
    let losses = open.iter().filter(|it| it.code.is(Flag::LosesChanges));
    if let Some(loss) = losses.min_by_key(|it| it.seen.first) {
        let advice = sent_again_since(found, loss, now);
        let whys = std::iter::once(advice.why).chain(first);
        return Recommendation { why: whys.collect::<Vec<_>>().join("; "), ..advice };
    }
    if let Some(why) = first {
        return advise("retry", why);
    }
    let workers = found.session.iter().flat_map(|session| &session.workers);
    if let Some(worker) = workers.into_iter().find(|worker| worker.state == "Faulty") {
        let tells = "`georepair diagnose` there tells why";
        return advise("retry", format!("the worker on {} is Faulty; {tells}", worker.node));
    }
    advise("retry", "nothing that was seen needs more".to_owned())
}

/// So many seconds before a loss was logged it may have happened: a worker tries for some minutes.
const BEFORE: i64 = 900;

/// `rewind` where the changelogs reach back to before it began, else `resync`.
fn sent_again_since(found: &SessionState, loss: &Finding, now: Time) -> Recommendation {
    let (title, mut why) = (loss.code.title(), String::new());
    let since = loss.seen.first.map(|first| Time::from_secs(first.secs() - BEFORE));
    let covered = since.filter(|to| {
        let level = Level::Rewind { to: *to };
        let (bricks, leftovers) = (Vec::new(), SecondaryData::Keep);
        let wish = ResetOptions { level, bricks, leftovers, compare: false, now };
        preflight(found, &wish)
            .iter()
            .all(|it| it.name != "history" || it.verdict == CheckStatus::Pass)
    });
    if let Some(first) = loss.seen.first {
        why = format!(" since {first}");
    }
    let why = format!("{title}{why}");
    let level =
        if covered.is_some() && loss.code != Code::HistoryPartial { "rewind" } else { "resync" };
    Recommendation { level, why, since: covered }
}

/// Whether the folder is there and what makes it of use is not.
fn no_changelogs(brick: &BrickState) -> bool {
    brick.index.is_none() && brick.history.is_empty()
}

/// What a worker may do in a second: entries that are there already, and those that are made.
const ENTRIES: (u64, u64) = (3_000, 200);
/// Bytes that a slow line carries in a second.
const SLOW_LINE: u64 = 10_000_000;

/// What stands past the marks.
fn pending(found: &SessionState) -> String {
    let Some(names) = found.mark_names() else { return "what is pending is not known".to_owned() };
    let waiting = recorded(found, |it| it.marks.get(&names.stime).map_or(0, |mark| mark.sec));
    waiting.map_or_else(
        || "what is pending is not known".to_owned(),
        |it| format!("then what is pending, {}", told(it)),
    )
}

/// What a rewind sends again, for the times that operators think in.
fn ages(found: &SessionState, now: Time) -> String {
    let hours = [(1, "an hour"), (24, "a day"), (24 * 7, "a week")];
    let rows = hours.iter().filter_map(|(hours, name)| {
        let since = seconds(Time::from_secs(now.secs() - hours * 3_600));
        Some(format!("of {name} {}", told(recorded(found, |_| since)?)))
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { "the changes since that time".to_owned() } else { rows.join("; ") }
}

fn sent_again(found: &SessionState, to: Time) -> String {
    let since = seconds(to);
    recorded(found, |_| since).map_or_else(|| "the changes since that time".to_owned(), told)
}

fn seconds(time: Time) -> u32 {
    u32::try_from(time.secs().max(0)).unwrap_or(u32::MAX)
}

/// Records and changelogs since a time of each brick, counted once for each replica set: its
/// bricks record the same. Nothing where no brick has changelogs.
fn recorded(found: &SessionState, since: impl Fn(&BrickState) -> u32) -> Option<(u64, u64)> {
    let each = by_set(found, |it| {
        let row = it.recorded_since(since(it))?;
        Some((row.records, row.changelogs))
    });
    let mut sets = each.into_iter().flatten().peekable();
    sets.peek()?;
    Some(sets.fold((0, 0), |sum, set| (sum.0 + set.0, sum.1 + set.1)))
}

/// `(records, changelogs)` in words, with a range from records whose entries are there to those
/// that are all to be made. Data comes on top: changelogs do not tell how much.
fn told((records, changelogs): (u64, u64)) -> String {
    let (fast, slow) = (records / ENTRIES.0, records / ENTRIES.1);
    let range = match slow {
        0..60 => "under a minute".to_owned(),
        _ => format!("{} to {}", span(fast), span(slow)),
    };
    let many = if changelogs == 1 { "changelog" } else { "changelogs" };
    format!("at most about {records} records in {changelogs} {many}: {range}, and their data")
}

/// Entries and bytes of one copy of the volume, and a range of times: from a crawl that finds all
/// of it on the other side to sending everything over a slow line.
fn crawled(found: &SessionState) -> String {
    let sum = |part: fn(&BrickState) -> u64| -> u64 {
        by_set(found, |it| Some(part(it))).into_iter().flatten().sum()
    };
    let (entries, bytes) = (sum(|it| it.inodes), sum(|it| it.used));
    let (fast, slow) = (entries / ENTRIES.0, entries / ENTRIES.1 + bytes / SLOW_LINE);
    let mib = bytes >> 20;
    let (fast, slow) = (span(fast + 60), span(slow + 120));
    format!("at most {entries} entries and {mib} MiB: {fast} to {slow}")
}

/// For each replica set the most of what its bricks say.
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
    use crate::domain::situation_sample::situation;
    use crate::domain::{Observed, Recorded, Remedy, Side};

    const NOW: Time = Time::from_secs(9_000);

    fn sound() -> SessionState {
        let mut found = situation();
        for node in &mut found.nodes {
            let brick = &mut node.sight.as_mut().unwrap().bricks[0];
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

    fn spoilt(spoil: impl Fn(&mut BrickState)) -> &'static str {
        let mut found = sound();
        spoil(&mut found.nodes[1].sight.as_mut().unwrap().bricks[0]);
        advice(&found, &[], NOW).level
    }

    #[test]
    fn the_least_that_helps_is_recommended() {
        assert_eq!(spoilt(|_| ()), "retry");
        assert_eq!(spoilt(|it| it.index_faults.push("x".to_owned())), "history");
        assert_eq!(spoilt(|it| it.changelogs = None), "full");
        assert_eq!(spoilt(|it| it.lost_changelogs = 1), "full");
        let mut faulty = sound();
        faulty.session.as_mut().unwrap().workers[0].state = "Faulty".to_owned();
        let Recommendation { level, why, .. } = advice(&faulty, &[], NOW);
        assert!(level == "retry" && why.contains("m1 is Faulty"), "{why}");
    }

    #[test]
    fn what_the_logs_tell_of_losses_is_sent_again() {
        let found = sound();
        let told = |code, first| {
            let seen = Observed { first, ..Observed::default() };
            let finding = Finding { seen, ..finding(code) };
            let Recommendation { level, since, .. } = advice(&found, &[finding], NOW);
            (level, since.map(Time::secs))
        };
        // The changelogs of the sample cover the seconds 1000 to 9000, its marks are at 4000 and 8000.
        let at = |secs| Some(Time::from_secs(secs));
        assert_eq!(told(Code::ChangelogSkipped, at(3_000)), ("rewind", Some(2_100)));
        assert_eq!(told(Code::ChangelogSkipped, at(1_500)), ("resync", None));
        assert_eq!(told(Code::ChangelogSkipped, None), ("resync", None));
        assert_eq!(told(Code::HistoryPartial, at(3_000)).0, "resync");
        let Recommendation { level, why, .. } =
            advice(&found, &[finding(Code::SshAuthRefused)], NOW);
        assert!(level == "retry" && why.contains("runbook ssh-auth-refused"), "{why}");
        let empty = [finding(Code::DataSyncEmpty)];
        let Recommendation { level, why, .. } = advice(&found, &empty, NOW);
        assert!(level == "resync" && why.contains("runbook data-sync-empty"), "{why}");
        let healed = Finding { healed: true, ..finding(Code::ChangelogSkipped) };
        assert_eq!(advice(&found, &[healed], NOW).level, "retry");
    }

    #[test]
    fn costs_count_each_replica_set_once() {
        let mut found = sound();
        for node in &mut found.nodes {
            let brick = &mut node.sight.as_mut().unwrap().bricks[0];
            (brick.inodes, brick.used) = (600_000, 5 << 30);
        }
        let costs = offers(&found, Time::from_secs(0), None).pop().unwrap().costs;
        assert_eq!(costs, "at most 600000 entries and 5120 MiB: 4 min to 60 min");
    }

    #[test]
    fn a_rewind_costs_what_was_recorded_since() {
        let mut found = sound();
        let now = Time::from_secs(1_000_000);
        let costs = |found: &SessionState, to| offers(found, now, to).remove(1).costs;
        assert_eq!(costs(&found, None), "the changes since that time");
        for node in &mut found.nodes {
            let brick = &mut node.sight.as_mut().unwrap().bricks[0];
            brick.recorded = [(999_000, 1, 600), (950_000, 5, 6_000), (0, 9, 60_000_000)]
                .map(|(since, changelogs, records)| Recorded { since, changelogs, records })
                .to_vec();
        }
        let one = "at most about 600 records in 1 changelog: under a minute, and their data";
        assert_eq!(costs(&found, Some(Time::from_secs(999_500))), one);
        let ages = costs(&found, None);
        assert!(ages.contains("of an hour at most about 6000 records in 5 changelogs"), "{ages}");
        assert!(ages.contains("of a day at most about 60000000 records"), "{ages}");
        // The marks of the sample are older than all of it.
        let pending = offers(&found, now, None).remove(0).costs;
        assert!(pending.contains("pending, at most about 60000000 records"), "{pending}");
    }
}
