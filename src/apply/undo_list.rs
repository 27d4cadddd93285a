//! The list that undoes a bulk step: the earlier states from its journal, last change first.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use super::journal::{proven, replay};
use super::manifest::{ManifestError, ManifestReader, ManifestWriter};
use super::progress::Record;
use crate::plan::{Bulk, Change, Item, Manifest, Plan, State, Step, Work};

/// Writes the list into the directory `into`; `None` if the step changed nothing.
///
/// Neither the journal nor the manifest is held in memory: both are read batch by batch, from
/// the last to the first.
pub(super) fn earlier_states(
    run: &Path,
    plan: &Plan,
    step: &Step,
    into: &Path,
) -> Result<Option<Manifest>, ManifestError> {
    let Work::Bulk { bulk, manifest } = &step.does else { return Ok(None) };
    let path = run.join("journal.jsonl");
    let failed = |source| ManifestError::File { path: path.clone(), source };
    let mut journal = BufReader::new(File::open(&path).map_err(failed)?);
    let mut started = Vec::new();
    let note = |record: &Record, offset| {
        if matches!(record, Record::BatchStarted { step: of, .. } if *of == step.id) {
            started.push(offset);
        }
    };
    replay(&mut journal, plan, note).map_err(|error| failed(io::Error::other(error)))?;
    let mut items = ManifestReader::open(run, manifest)?;
    let batches = items.offsets()?;
    let mut out = ManifestWriter::create(into, &format!("undo-{}", manifest.file))?;
    let mut any = false;
    for (from, batch) in started.iter().zip(&batches).rev() {
        items.seek(*batch)?;
        let states = states_of_batch(&mut journal, *from).map_err(failed)?;
        for (item, before) in items.batch(bulk)?.iter().zip(states).rev() {
            if let Some(change) = undo_change(bulk, item, before) {
                out.push(&Item::Change(change))?;
                any = true;
            }
        }
    }
    let manifest = out.finish()?;
    Ok(any.then_some(manifest))
}

fn states_of_batch(journal: &mut BufReader<File>, from: u64) -> io::Result<Vec<State>> {
    let mut line = Vec::new();
    journal.seek(SeekFrom::Start(from))?;
    journal.read_until(b'\n', &mut line)?;
    match proven(&line) {
        Some(Record::BatchStarted { before, .. }) => Ok(before),
        _ => Err(io::Error::other("the journal changed while it was read")),
    }
}

/// The change that restores an item's earlier state; `None` if the step did not change it.
fn undo_change(bulk: &Bulk, item: &Item, before: State) -> Option<Change> {
    let change = item.change().filter(|_| *bulk == Bulk::Changes)?;
    let was = Some(change.wanted.clone());
    (before != change.wanted).then(|| Change { object: change.object.clone(), wanted: before, was })
}
