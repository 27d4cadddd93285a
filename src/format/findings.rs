//! The gfids in a line of `diagnose --format jsonl`.

use serde::Deserialize;

use crate::domain::Gfid;

/// The parts of a finding that name gfids; everything else is skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    gfids: Vec<Option<String>>,
    entries: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    gfid: Option<String>,
    parent: Option<String>,
}

/// The gfids of one finding: the failing ones, then its entries' and their parents', each once.
///
/// The document's head and blank lines name none.
///
/// # Errors
/// What is wrong with a line that is no JSON object.
pub fn gfids_of_finding(line: &[u8]) -> Result<Vec<Gfid>, serde_json::Error> {
    if line.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let line: Line = serde_json::from_slice(line)?;
    let entries = line.entries.into_iter().flat_map(|entry| [entry.gfid, entry.parent]);
    let mut gfids = Vec::new();
    for text in line.gfids.into_iter().chain(entries).flatten() {
        match text.parse::<Gfid>() {
            Ok(gfid) if !gfid.is_nil() && !gfids.contains(&gfid) => gfids.push(gfid),
            _ => {}
        }
    }
    Ok(gfids)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "c4b19f1c-cc18-4727-87a4-18de8fe0089e";
    const B: &str = "921bfe8e-81ef-4579-b335-abfa2c7e6afb";

    #[test]
    fn takes_gfids_entries_and_parents_once() {
        let line = format!(
            r#"{{"code":"entry-mkdir-failed","says":"{A}","gfids":["{A}"],"entries":[
            {{"gfid":"{A}","parent":"{B}","name":"x","errno":17}},{{"gfid":null,"parent":null}}]}}"#
        );
        let texts: Vec<_> =
            gfids_of_finding(line.as_bytes()).unwrap().iter().map(Gfid::to_string).collect();
        assert_eq!(texts, [A, B]);
    }

    #[test]
    fn the_head_names_none_and_rubbish_is_an_error() {
        let head = br#"{"schema":"georepair/diagnosis/1","verdict":"faulty","sources":[]}"#;
        assert!(gfids_of_finding(head).unwrap().is_empty());
        assert!(gfids_of_finding(b" \n").unwrap().is_empty());
        for rubbish in [&b"{"[..], b"42", b"[1]", b"ENTRY FAILED"] {
            assert!(gfids_of_finding(rubbish).is_err());
        }
    }
}
