//! Findings of an audit: facts about one object, for both sides if there are two.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{Code, Gfid, Name, Severity, Time, twin};

/// One thing that an audit found; an element of the document `georepair/audit/1`.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AuditFinding {
    /// What it is.
    pub code: Code,
    /// How bad it is here.
    pub severity: Severity,
    /// The brick it was found on, as `HOST:DIR` or a path; `None` if it is about both sides.
    #[serde(flatten, serialize_with = "twin::brick")]
    pub brick: Option<Name>,
    /// The object, where it has a gfid.
    pub gfid: Option<Gfid>,
    /// Where it is: below the volume's root or the brick's.
    #[serde(flatten, serialize_with = "twin::path")]
    pub path: Option<Name>,
    /// What the primary has; for an audit of a brick, what was found.
    pub primary: Option<Facts>,
    /// What the secondary has; for an audit of a brick, what was expected.
    pub secondary: Option<Facts>,
    /// Number of objects below it with the same finding, not listed individually.
    pub below: u64,
    /// One sentence a person understands.
    pub says: String,
}

impl AuditFinding {
    /// A finding of the code's usual severity, with no subject set yet.
    #[must_use]
    pub fn new(code: Code, says: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            brick: None,
            gfid: None,
            path: None,
            primary: None,
            secondary: None,
            below: 0,
            says: says.into(),
        }
    }
}

/// Facts by name, in the order they are shown.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts(Vec<(&'static str, Fact)>);

/// One fact.
#[derive(Clone, PartialEq, Debug)]
pub enum Fact {
    /// A word or sentence of ours.
    Text(String),
    /// A count or a size in bytes.
    Number(u64),
    /// A moment.
    Time(Time),
    /// A gfid.
    Gfid(Gfid),
    /// A name or path, with a twin field `…_bytes`.
    Name(Name),
    /// Names or paths, with a parallel list `…_bytes`.
    Names(Vec<Name>),
}

impl Facts {
    /// No facts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one fact more.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        self.0.push((name, fact.into()));
        self
    }

    /// The facts in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Fact)> {
        self.0.iter().map(|(name, fact)| (*name, fact))
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        for (name, fact) in &self.0 {
            match fact {
                Fact::Text(text) => out.serialize_entry(name, text)?,
                Fact::Number(number) => out.serialize_entry(name, number)?,
                Fact::Time(time) => out.serialize_entry(name, time)?,
                Fact::Gfid(gfid) => out.serialize_entry(name, gfid)?,
                Fact::Name(it) => {
                    out.serialize_entry(name, it)?;
                    out.serialize_entry(&format!("{name}_bytes"), &it.exact())?;
                }
                Fact::Names(names) => {
                    let exact: Vec<_> = names.iter().map(Name::exact).collect();
                    out.serialize_entry(name, names)?;
                    out.serialize_entry(&format!("{name}_bytes"), &exact)?;
                }
            }
        }
        out.end()
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Fact {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<Time> for Fact {
    fn from(time: Time) -> Self {
        Self::Time(time)
    }
}

impl From<Gfid> for Fact {
    fn from(gfid: Gfid) -> Self {
        Self::Gfid(gfid)
    }
}

impl From<Name> for Fact {
    fn from(name: Name) -> Self {
        Self::Name(name)
    }
}

impl From<Vec<Name>> for Fact {
    fn from(names: Vec<Name>) -> Self {
        Self::Names(names)
    }
}

/// How an audit ended: the head of its document.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AuditHead {
    /// How many objects were compared or checked.
    pub compared: u64,
    /// Objects that differ and are named in changelogs that are not replicated yet; `None` if no
    /// mark is known.
    pub pending: Option<u64>,
    /// Time up to which everything was replicated when the audit began, by the session's marks.
    pub up_to: Option<Time>,
    /// What was compared and what was not, one sentence each.
    pub scope: Vec<String>,
    /// What could not be checked, one sentence each; if there is any, equality is not proven.
    pub unseen: Vec<String>,
    /// Further notes.
    pub notes: Vec<String>,
    /// How often each code was found, objects below a finding not counted.
    pub summary: BTreeMap<Code, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_stand_beside_what_can_be_shown() {
        let facts = Facts::new()
            .with("type", "file")
            .with("size", 7)
            .with("path", Name::from(b"caf\xe9"))
            .with("paths", vec![Name::from("a"), Name::from(b"\xff")]);
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(
            json,
            "{\"type\":\"file\",\"size\":7,\"path\":\"caf\u{fffd}\",\"path_bytes\":\"636166e9\",\
             \"paths\":[\"a\",\"\u{fffd}\"],\"paths_bytes\":[null,\"ff\"]}"
        );
        let finding = AuditFinding::new(Code::NoData, "it says");
        assert_eq!(
            serde_json::to_string(&finding).unwrap(),
            "{\"code\":\"no-data\",\"severity\":\"fatal\",\"brick\":null,\"brick_bytes\":null,\
             \"gfid\":null,\"path\":null,\"path_bytes\":null,\"primary\":null,\
             \"secondary\":null,\"below\":0,\"says\":\"it says\"}"
        );
    }
}
