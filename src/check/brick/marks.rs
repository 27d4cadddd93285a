//! What is wrong with the marks of geo-replication on a brick's root, as findings.

use crate::domain::{AuditFinding, Code, Facts, Mark, Time};
use crate::scan::changelog::{HistoryIndex, Marks};

/// How far ahead of this node's clock a mark may be, in seconds: clocks are never quite equal.
const AHEAD: i64 = 60;

/// A session that glusterd knows on this node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownSession {
    /// `<primary volume>_<secondary host>_<secondary volume>`.
    pub name: String,
    /// `<primary volume id>.<secondary volume id>`, once it was started.
    pub ids: Option<String>,
    /// Whether this brick's worker has a status: then it ran, and should have left a mark.
    pub ran_here: bool,
}

/// The findings of a brick's marks. `volume` is the brick's volume id; `sessions` are those that
/// glusterd knows here; `None` if glusterd cannot be asked.
#[must_use]
pub fn marks(
    marks: &[Marks],
    volume: &str,
    sessions: Option<&[KnownSession]>,
    index: &HistoryIndex,
    now: Time,
) -> Vec<AuditFinding> {
    let mut found = Vec::new();
    for it in marks {
        found.extend(in_future(it, now));
        found.extend(orphan(it, volume, sessions).or_else(|| outside(it, index)));
    }
    for session in sessions.unwrap_or_default() {
        let Some(ids) = session.ids.as_ref().filter(|ids| ids.starts_with(volume)) else {
            continue;
        };
        if session.ran_here && !marks.iter().any(|it| it.session == *ids) {
            let says = format!(
                "session {} ran here and left no stime: if this worker takes over, it crawls and \
                 sees no deletes and renames",
                session.name
            );
            found.push(AuditFinding::new(Code::StimeMissing, says));
        }
    }
    found
}

fn in_future(it: &Marks, now: Time) -> Option<AuditFinding> {
    let named = [("stime", Some(it.stime)), ("entry_stime", it.entry_stime), ("xtime", it.xtime)];
    let ahead = |mark: &Mark| mark.time() > now.plus_secs(AHEAD);
    let (name, mark) =
        named.into_iter().find_map(|(name, mark)| Some((name, mark.filter(ahead)?)))?;
    let by = mark.time().secs() - now.secs();
    let what = match name {
        "xtime" => "the clock of this node or of a client was wrong",
        _ => "everything until then is skipped as if it were done",
    };
    let says = format!("{name} of {} is {by} s ahead of this node's clock: {what}", it.session);
    let facts = |time: Time| Some(Facts::new().with("time", time));
    let (primary, secondary) = (facts(mark.time()), facts(now));
    Some(AuditFinding { primary, secondary, ..AuditFinding::new(Code::StimeInFuture, says) })
}

fn orphan(it: &Marks, volume: &str, sessions: Option<&[KnownSession]>) -> Option<AuditFinding> {
    let primary = it.session.split('.').next().unwrap_or_default();
    let says = if primary != volume {
        format!("stime of {}: its primary is another volume than this brick's", it.session)
    } else if sessions?
        .iter()
        // One that was never started may be it: its ids are not written down yet.
        .all(|session| session.ids.as_ref().is_some_and(|ids| *ids != it.session))
    {
        format!("stime of {}: glusterd knows no such session", it.session)
    } else {
        return None;
    };
    let facts = Some(Facts::new().with("stime", it.stime.time()));
    Some(AuditFinding { primary: facts, ..AuditFinding::new(Code::StimeOrphan, says) })
}

fn outside(it: &Marks, index: &HistoryIndex) -> Option<AuditFinding> {
    // Zero is what a reset writes: a full crawl is due.
    if it.stime == Mark::ZERO || index.files.is_empty() {
        return None;
    }
    let stime = it.stime.sec;
    let newest = index.files.iter().map(|file| file.from).max();
    let inside = index.files.iter().any(|file| {
        let open = Some(file.from) == newest;
        file.from <= stime && (open || file.last.is_some_and(|last| stime < last))
    });
    if inside {
        return None;
    }
    let first = index.files.iter().map(|file| file.from).filter(|from| *from > stime).min();
    let begins = first.map(|from| Time::from_secs(from.into()));
    let says = format!(
        "stime of {} is {}, and no index holds that moment: the next start crawls, and deletes \
         and renames since then are never seen",
        it.session,
        it.stime.time()
    );
    let primary = Some(Facts::new().with("stime", it.stime.time()));
    let secondary = begins.map(|begins| Facts::new().with("history begins", begins));
    Some(AuditFinding { primary, secondary, ..AuditFinding::new(Code::StimeOutsideHistory, says) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::changelog::Htime;

    const P: &str = "0ce6dea6-46f4-4dca-a0cb-72351d8b1527";
    const S: &str = "222d8df5-ced4-48a4-a782-61eb9081b218";

    fn mark(sec: u32) -> Mark {
        Mark { sec, usec: 0 }
    }

    fn left(sec: u32) -> Marks {
        Marks { session: format!("{P}.{S}"), stime: mark(sec), entry_stime: None, xtime: None }
    }

    fn index(spans: &[(u32, u32)]) -> HistoryIndex {
        let file = |&(from, last): &(u32, u32)| Htime {
            name: format!("HTIME.{from}"),
            from,
            count: None,
            rollovers: 1,
            last: Some(last),
            broken: None,
        };
        HistoryIndex { files: spans.iter().map(file).collect(), ..HistoryIndex::default() }
    }

    fn known(ids: Option<String>) -> Vec<KnownSession> {
        vec![KnownSession { name: "gv0_s1_gv0dr".to_owned(), ids, ran_here: true }]
    }

    fn codes(of: &[Marks], sessions: Option<&[KnownSession]>, index: &HistoryIndex) -> Vec<Code> {
        let found = marks(of, P, sessions, index, Time::from_secs(2_000));
        found.iter().map(|it| it.code).collect()
    }

    #[test]
    fn a_mark_within_history_of_a_known_session_is_sound() {
        let sessions = known(Some(format!("{P}.{S}")));
        let index = index(&[(500, 900), (1_000, 1_500)]);
        for stime in [500, 899, 1_000, 1_400, 1_900, 0, 2_030] {
            assert_eq!(codes(&[left(stime)], Some(&sessions), &index), [], "{stime}");
        }
    }

    #[test]
    fn a_mark_before_or_between_indexes_is_outside() {
        let sessions = known(Some(format!("{P}.{S}")));
        let index = index(&[(500, 900), (1_000, 1_500)]);
        for stime in [1, 499, 900, 950] {
            let found = codes(&[left(stime)], Some(&sessions), &index);
            assert_eq!(found, [Code::StimeOutsideHistory], "{stime}");
        }
    }

    #[test]
    fn a_mark_ahead_of_the_clock() {
        let ahead = Marks { entry_stime: Some(mark(2_061)), ..left(1_400) };
        assert_eq!(codes(&[ahead], None, &index(&[(500, 1_500)])), [Code::StimeInFuture]);
    }

    #[test]
    fn marks_of_sessions_that_are_not() {
        let none = index(&[]);
        assert_eq!(codes(&[left(9)], Some(&[]), &none), [Code::StimeOrphan]);
        assert_eq!(codes(&[left(9)], None, &none), []);
        let other = Marks { session: format!("{S}.{P}"), ..left(9) };
        assert_eq!(codes(&[other], None, &none), [Code::StimeOrphan]);
    }

    #[test]
    fn a_session_that_ran_and_left_nothing() {
        let sessions = known(Some(format!("{P}.{S}")));
        assert_eq!(codes(&[], Some(&sessions), &index(&[])), [Code::StimeMissing]);
        assert_eq!(codes(&[], Some(&known(None)), &index(&[])), []);
    }
}
