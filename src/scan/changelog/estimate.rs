//! Estimates from file sizes how much a rewind to a given time would send again.

use std::ops::ControlFlow;
use std::path::Path;

use super::{Changelog, Changelogs, read};
use crate::domain::Recorded;
use crate::format::changelog::Item;

/// So many changelogs are read to learn how long a record is.
const READ: usize = 16;
/// Larger ones are not read for it, in bytes.
const LARGEST: u64 = 4 << 20;
/// Assumed length of a record if no changelog shows it, in bytes.
const USUAL: u64 = 64;

/// What the newest changelogs hold, the fewest first: each row half as many again as the one before.
///
/// Empty if there is no changelog; unreadable ones are reported by the audit, not here.
pub(in crate::scan) fn recorded(brick: &Path) -> Vec<Recorded> {
    let Ok(listed) = Changelogs::of(brick) else { return Vec::new() };
    let newest: Vec<_> = listed.files.iter().rev().filter(|file| file.end.is_some()).collect();
    let length = record_length(&newest);
    let (mut rows, mut bytes, mut next) = (Vec::new(), 0u64, 1);
    for (count, file) in (1..).zip(&newest) {
        bytes = bytes.saturating_add(file.size);
        if count == next || count == newest.len() {
            // Everything after the slice before: the empty ones between have no file.
            let since = newest.get(count).and_then(|older| older.end).unwrap_or(0);
            let records = bytes.div_ceil(length);
            rows.push(Recorded { since, changelogs: count as u64, records });
            next = count + count.div_ceil(2);
        }
    }
    rows
}

/// Bytes to a record in the newest changelogs.
fn record_length(newest: &[&Changelog]) -> u64 {
    let (mut bytes, mut records) = (0, 0u64);
    for file in newest.iter().filter(|file| file.size <= LARGEST).take(READ) {
        let counted = read(&file.path, |item| {
            records += u64::from(matches!(item, Item::Record(_)));
            ControlFlow::Continue(())
        });
        bytes += if counted.is_ok() { file.size } else { 0 };
    }
    bytes.checked_div(records).filter(|length| *length > 0).unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_was_recorded_is_told_since_times_further_and_further_back() {
        let brick = tempfile::tempdir().unwrap();
        let folder = brick.path().join(".glusterfs/changelogs");
        fs::create_dir_all(folder.join("htime")).unwrap();
        assert_eq!(recorded(brick.path()), []);
        let head = b"GlusterFS Changelog | version: v1.2 | encoding : 2\n";
        let record = [b"D".as_slice(), b"01020304-0506-0708-090a-0b0c0d0e0f10", b"\0"].concat();
        for (end, records) in [(1_000, 1), (1_015, 10), (1_060, 2), (1_075, 3)] {
            let text = [head.as_slice(), &record.repeat(records)].concat();
            let mut file = fs::File::create(folder.join(format!("CHANGELOG.{end}"))).unwrap();
            file.write_all(&text).unwrap();
        }
        let rows = recorded(brick.path());
        let told: Vec<_> = rows.iter().map(|row| (row.since, row.changelogs)).collect();
        assert_eq!(told, [(1_060, 1), (1_015, 2), (1_000, 3), (0, 4)]);
        let all = rows.last().unwrap().records;
        assert!((12..=20).contains(&all), "{all} for 16 records");
    }
}
