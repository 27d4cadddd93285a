//! Which level of a reset helps least-first, what each mends, and what it costs here.

use crate::domain::{BrickSight, Situation};

/// A level as it is offered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
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

/// The levels, least first.
#[must_use]
pub fn offers(found: &Situation) -> Vec<Offer> {
    let offer = |level, mends, not, costs, for_good| Offer { level, mends, not, costs, for_good };
    let sized = sized(found);
    let moment = || "a minute or two".to_owned();
    vec![
        offer(
            "retry",
            "a start that hung; a worker that is Active and deaf",
            "what was skipped before",
            moment(),
            "nothing",
        ),
        offer(
            "rewind",
            "changes lost since a time that you know, deletes and renames too",
            "what was lost before",
            "the changes since that time once more".to_owned(),
            "nothing",
        ),
        offer(
            "history",
            "workers that are Faulty for a damaged index of changelogs",
            "changelogs that are gone",
            "each damaged brick stands still for seconds, then heals".to_owned(),
            "nothing",
        ),
        offer(
            "resync",
            "entries and data that are missing, whatever the reason",
            "deletes, renames, damage of equal size, unless the secondary is emptied",
            sized.clone(),
            "emptying the secondary, where it is asked for",
        ),
        offer(
            "full",
            "a history that is gone or that gsyncd dies of",
            "history of other sessions and glusterfind: they lose it",
            sized,
            "emptying the secondary",
        ),
    ]
}

/// The level that what was seen speaks for, and why.
#[must_use]
pub fn advice(found: &Situation) -> (&'static str, String) {
    let place = |(node, brick): (&str, &BrickSight)| format!("{node}:{}", brick.dir.display());
    let gone = |it: &BrickSight| it.changelogs.is_none() || it.lost_changelogs > 0;
    if let Some(at) = found.bricks().find(|(_, it)| gone(it) || no_changelogs(it)) {
        return ("full", format!("changelogs of {} are gone", place(at)));
    }
    if let Some(at) = found.bricks().find(|(_, it)| !it.index_faults.is_empty()) {
        let fault = at.1.index_faults.first().cloned().unwrap_or_default();
        return ("history", format!("{}: {fault}", place(at)));
    }
    let workers = found.session.iter().flat_map(|session| &session.workers);
    if let Some(worker) = workers.into_iter().find(|worker| worker.state == "Faulty") {
        let tells = "`georepair diagnose` tells why";
        return ("retry", format!("the worker on {} is Faulty; {tells}", worker.node));
    }
    ("retry", "nothing that was seen needs more".to_owned())
}

/// Whether the folder is there and what makes it of use is not.
fn no_changelogs(brick: &BrickSight) -> bool {
    brick.index.is_none() && brick.history.is_empty()
}

/// Entries and bytes of one copy of the volume, and a range of times: from a crawl that finds all
/// of it on the other side to sending everything over a slow line.
fn sized(found: &Situation) -> String {
    let (mut entries, mut bytes) = (0u64, 0u64);
    for set in found.primary.sets() {
        let of_set = |it: &(&str, &BrickSight)| {
            set.iter().any(|brick| brick.node == it.0 && brick.dir == it.1.dir)
        };
        let most = |part: fn(&BrickSight) -> u64| {
            found.bricks().filter(of_set).map(|(_, it)| part(it)).max().unwrap_or_default()
        };
        entries = entries.saturating_add(most(|it| it.inodes));
        bytes = bytes.saturating_add(most(|it| it.used));
    }
    let (fast, slow) = (entries / 3_000, entries / 200 + bytes / 10_000_000);
    let mib = bytes >> 20;
    let (fast, slow) = (span(fast + 60), span(slow + 120));
    format!("at most {entries} entries and {mib} MiB: {fast} to {slow}")
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

    fn sound() -> Situation {
        let mut found = situation();
        for node in &mut found.nodes {
            let brick = &mut node.sight.as_mut().unwrap().bricks[0];
            brick.changelogs = Some((1, None));
            brick.index = Some((2, None));
        }
        found
    }

    fn spoilt(spoil: impl Fn(&mut BrickSight)) -> &'static str {
        let mut found = sound();
        spoil(&mut found.nodes[1].sight.as_mut().unwrap().bricks[0]);
        advice(&found).0
    }

    #[test]
    fn the_least_that_helps_is_recommended() {
        assert_eq!(spoilt(|_| ()), "retry");
        assert_eq!(spoilt(|it| it.index_faults.push("x".to_owned())), "history");
        assert_eq!(spoilt(|it| it.changelogs = None), "full");
        assert_eq!(spoilt(|it| it.lost_changelogs = 1), "full");
        let mut faulty = sound();
        faulty.session.as_mut().unwrap().workers[0].state = "Faulty".to_owned();
        let (level, why) = advice(&faulty);
        assert!(level == "retry" && why.contains("m1 is Faulty"), "{why}");
    }

    #[test]
    fn costs_count_each_replica_set_once() {
        let mut found = sound();
        for node in &mut found.nodes {
            let brick = &mut node.sight.as_mut().unwrap().bricks[0];
            (brick.inodes, brick.used) = (600_000, 5 << 30);
        }
        let costs = offers(&found).pop().unwrap().costs;
        assert_eq!(
            costs,
            "at most 600000 entries and 5120 MiB: 4 min to 1 h".replace("1 h", "60 min")
        );
    }
}
