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
/// Why a line is not a JSON object.
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

/// What of a diagnosis or an audit names objects that a primary has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    code: Option<String>,
    severity: Option<String>,
    gfid: Option<String>,
    gfids: Vec<GfidText>,
    entries: Vec<Entry>,
    findings: Vec<Document>,
}

/// A gfid in a list: its text, or its object from `resolve-gfid`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum GfidText {
    Text(String),
    Told { gfid: Option<String> },
    Other(serde::de::IgnoredAny),
}

/// The gfids that a diagnosis, an audit or a list of `resolve-gfid` is about, each once: a whole
/// document, or one finding a line.
///
/// Left out are benign findings, and what only the secondary has.
///
/// # Errors
/// What is wrong with text that is not JSON.
pub fn gfids_of_document(text: &[u8]) -> Result<Vec<Gfid>, serde_json::Error> {
    let (mut gfids, mut seen) = (Vec::new(), std::collections::HashSet::new());
    for piece in serde_json::Deserializer::from_slice(text).into_iter::<Document>() {
        let mut left = vec![piece?];
        while let Some(piece) = left.pop() {
            left.extend(piece.findings.into_iter().rev());
            let elsewhere = piece.code.as_deref() == Some("only-on-secondary");
            if elsewhere || piece.severity.as_deref() == Some("benign") {
                continue;
            }
            let listed = piece.gfids.into_iter().filter_map(|text| match text {
                GfidText::Text(text) => Some(text),
                GfidText::Told { gfid } => gfid,
                GfidText::Other(_) => None,
            });
            let entries = piece.entries.into_iter().filter_map(|entry| entry.gfid);
            let texts = piece.gfid.into_iter().chain(listed).chain(entries);
            let known = texts.filter_map(|text| text.parse::<Gfid>().ok());
            gfids.extend(known.filter(|gfid| !gfid.is_nil() && seen.insert(*gfid)));
        }
    }
    Ok(gfids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_tell_what_the_primary_has() {
        let whole = format!(
            r#"{{"schema":"georepair/diagnosis/1","findings":[
            {{"code":"entry-mkdir-failed","severity":"fatal","gfids":["{A}"],
              "entries":[{{"gfid":"{A}","parent":"{B}"}}]}},
            {{"code":"shutdown-noise","severity":"benign","gfids":["{B}"]}}]}}"#
        );
        let lines = format!(
            "{{\"code\":\"only-on-primary\",\"gfid\":\"{A}\"}}\n\n{{\"code\":\"only-on-secondary\",\
             \"gfid\":\"{B}\"}}\n{{\"schema\":\"georepair/audit/1\",\"compared\":3}}\n"
        );
        let resolved = format!(r#"{{"gfids":[{{"gfid":"{A}","paths":["x"]}},null,7]}}"#);
        for text in [whole, lines, resolved] {
            let gfids = gfids_of_document(text.as_bytes()).unwrap();
            assert_eq!(gfids.iter().map(Gfid::to_string).collect::<Vec<_>>(), [A], "{text}");
        }
        assert!(gfids_of_document(b"{\"gfids\":[").is_err());
    }

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
