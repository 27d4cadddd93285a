//! Statistics of a brick's changelogs: operations over time, hot directories, sizes on disk.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::history::{Damaged, Span, place_of};
use super::marks::marks_of;
use super::{Changelogs, ChangelogsError, htimes, read};
use crate::domain::{Gfid, Mark, Name, Time};
use crate::format::changelog::Item;
use crate::scan::cluster::quote_plus;

/// How many hot directories are named.
const HOT: usize = 10;
/// Directories nest no deeper than a path of 4096 bytes can reach.
const DEEPEST: usize = 2048;
/// Buckets of time, in seconds: the smallest that gives few enough of them.
const WIDTHS: [i64; 6] = [60, 600, 3600, 6 * 3600, 86_400, 7 * 86_400];
/// How many buckets are few enough.
const BUCKETS: i64 = 60;

/// The sums of one brick.
#[derive(Clone, Default, Debug)]
pub struct Stats {
    /// Changelog files, the one still written to among them.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// HTIME files and their bytes.
    pub htime: (u64, u64),
    /// Records by operation; `DATA` for D records.
    pub ops: BTreeMap<String, u64>,
    /// Records over time; the file still written to is left out.
    pub over_time: Vec<Bucket>,
    /// Directories with the most entry operations, most first.
    pub hot: Vec<HotFolder>,
    /// What no session needs any more; `None` if no session has a mark.
    pub unneeded: Option<Unneeded>,
    /// What could not be read, one sentence each.
    pub notes: Vec<String>,
    /// Bytes that are not a record.
    pub damage: Vec<Damaged>,
}

/// A stretch of time and what happened in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    /// Where it begins.
    pub from: Time,
    /// How long it is, in seconds.
    pub seconds: i64,
    /// E records.
    pub entries: u64,
    /// D records.
    pub data: u64,
    /// M records.
    pub metadata: u64,
}

/// A directory in which much happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HotFolder {
    /// The directory.
    pub gfid: Gfid,
    /// Where it is now, below the brick's root.
    pub path: Option<Name>,
    /// E records in it.
    pub entries: u64,
}

/// Changelogs older than every mark: no session reads them again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unneeded {
    /// The least mark of all sessions.
    pub before: Time,
    /// Whose mark that is.
    pub least: String,
    /// How many files are older.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Adds up a brick's changelogs. `glusterfind` is the folder of glusterfind's sessions,
/// `/var/lib/glusterd/glusterfind`: they read changelogs as well.
///
/// # Errors
/// [`ChangelogsError`] if the brick has no changelogs or a file cannot be read.
pub fn stats(brick: &Path, glusterfind: &Path, span: Span) -> Result<Stats, ChangelogsError> {
    let listed = Changelogs::of(brick)?;
    let mut sums = Stats { notes: listed.notes.clone(), ..Stats::default() };
    for file in &listed.files {
        sums.files += 1;
        sums.bytes += file.size;
    }
    for path in htimes(brick) {
        sums.htime.0 += 1;
        sums.htime.1 += fs::symlink_metadata(path).map_or(0, |about| about.len());
    }
    let (mut slices, mut parents) = (BTreeMap::new(), HashMap::<Gfid, u64>::new());
    for file in listed.between(span.since, span.until) {
        let mut slice = [0_u64; 3];
        let outcome = read(&file.path, |item| {
            sums.add(item, &file.path, &mut slice, &mut parents);
            ControlFlow::Continue(())
        });
        match outcome {
            Err(error) if file.end.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(ChangelogsError::unreadable(&file.path, error)),
            Ok(_) => {}
        }
        if let Some(end) = file.end {
            slices.insert(i64::from(end), slice);
        }
    }
    sums.over_time = buckets(&slices);
    sums.hot = hot(brick, parents);
    sums.unneeded = unneeded(brick, &listed, glusterfind)?;
    Ok(sums)
}

impl Stats {
    fn add(
        &mut self,
        item: &Item<'_>,
        path: &Path,
        slice: &mut [u64; 3],
        parents: &mut HashMap<Gfid, u64>,
    ) {
        let record = match item {
            Item::Record(record) => record,
            Item::Damage(damage) | Item::Torn(damage) => {
                let torn = matches!(item, Item::Torn(_));
                self.damage.push(Damaged { file: path.to_owned(), damage: *damage, torn });
                return;
            }
        };
        let [entries, data, metadata] = slice;
        match record.change.letter() {
            "E" => *entries += 1,
            "D" => *data += 1,
            _ => *metadata += 1,
        }
        let fop = record.change.fop();
        let known = match fop {
            None => Some("DATA"),
            Some(fop) => fop.name(),
        };
        if let Some(count) = known.and_then(|name| self.ops.get_mut(name)) {
            *count += 1;
        } else {
            let name = fop.map_or_else(|| "DATA".to_owned(), |fop| fop.to_string());
            *self.ops.entry(name).or_default() += 1;
        }
        for place in record.change.places() {
            *parents.entry(place.parent).or_default() += 1;
        }
    }
}

fn buckets(slices: &BTreeMap<i64, [u64; 3]>) -> Vec<Bucket> {
    let (Some((&first, _)), Some((&last, _))) = (slices.first_key_value(), slices.last_key_value())
    else {
        return Vec::new();
    };
    let wide = WIDTHS.iter().copied().find(|width| (last - first) / width < BUCKETS);
    let seconds = wide.unwrap_or(30 * 86_400);
    let mut found: Vec<Bucket> = Vec::new();
    for (end, [entries, data, metadata]) in slices {
        let from = Time::from_secs(end.div_euclid(seconds) * seconds);
        if found.last().is_none_or(|bucket| bucket.from != from) {
            found.push(Bucket { from, seconds, entries: 0, data: 0, metadata: 0 });
        }
        if let Some(bucket) = found.last_mut() {
            bucket.entries += entries;
            bucket.data += data;
            bucket.metadata += metadata;
        }
    }
    found
}

fn hot(brick: &Path, parents: HashMap<Gfid, u64>) -> Vec<HotFolder> {
    let mut most: Vec<_> = parents.into_iter().collect();
    most.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    most.truncate(HOT);
    most.into_iter()
        .map(|(gfid, entries)| HotFolder { gfid, path: path_now(brick, gfid), entries })
        .collect()
}

/// Where a directory is now, by the handles up to the root.
fn path_now(brick: &Path, directory: Gfid) -> Option<Name> {
    if directory == Gfid::ROOT {
        return Some(Name::from("."));
    }
    let (mut parts, mut gfid) = (Vec::new(), directory);
    while gfid != Gfid::ROOT {
        let place = place_of(brick, gfid).filter(|_| parts.len() < DEEPEST)?;
        parts.push(place.name);
        gfid = place.parent;
    }
    let parts: Vec<_> = parts.iter().rev().map(Name::as_bytes).collect();
    Some(Name::from(parts.join(&b'/')))
}

fn unneeded(
    brick: &Path,
    listed: &Changelogs,
    glusterfind: &Path,
) -> Result<Option<Unneeded>, ChangelogsError> {
    let mut marks: Vec<(Mark, String)> =
        marks_of(brick)?.into_iter().map(|marks| (marks.stime, marks.session)).collect();
    marks.extend(glusterfind_marks(brick, glusterfind));
    let Some((least, whose)) = marks.into_iter().min() else { return Ok(None) };
    let old = listed.files.iter().filter(|file| file.end.is_some_and(|end| end < least.sec));
    let (files, bytes) = old.fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.size));
    Ok(Some(Unneeded { before: least.time(), least: whose, files, bytes }))
}

/// The times up to which glusterfind's sessions have read this brick; a volume's own time where
/// it has none, for any volume, since a brick does not know its volume's name.
fn glusterfind_marks(brick: &Path, glusterfind: &Path) -> Vec<(Mark, String)> {
    let folders = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten();
    let full = brick.canonicalize().unwrap_or_else(|_| brick.to_owned());
    let own = format!("{}.status", quote_plus(full.as_os_str().as_encoded_bytes()));
    let mut found = Vec::new();
    for session in folders(glusterfind.to_owned()) {
        for volume in folders(session.path()) {
            let time = [own.as_str(), "status"].iter().find_map(|name| {
                let text = fs::read_to_string(volume.path().join(name)).ok()?;
                text.trim().split('.').next()?.parse().ok()
            });
            if let Some(sec) = time {
                let name = format!("glusterfind {}", session.file_name().to_string_lossy());
                found.push((Mark { sec, usec: 0 }, name));
            }
        }
    }
    found
}
