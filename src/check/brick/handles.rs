//! What is wrong between a brick's names and its handles, as findings.

use crate::domain::{AuditFinding, Code, Facts, Gfid, Name, Severity};
use crate::scan::integrity::{Flaw, Flawed};
use crate::scan::resolve::{ObjectKind, StaleLink};

/// The findings of a brick's flawed objects, in the order given.
pub fn handles(flawed: &[Flawed]) -> impl Iterator<Item = AuditFinding> {
    flawed.iter().map(finding)
}

fn finding(it: &Flawed) -> AuditFinding {
    let found = match &it.flaw {
        Flaw::NoGfid => no_gfid(it),
        Flaw::NoHandle => no_handle(it),
        Flaw::SharedGfid(other) => {
            let says = format!("it has the same gfid as {other}, where the handle leads");
            let facts = Facts::new().with("other", other.clone());
            AuditFinding { primary: Some(facts), ..AuditFinding::new(Code::GfidDuplicate, says) }
        }
        Flaw::WrongHandle(says) => AuditFinding::new(Code::HandleWrong, says),
        Flaw::Orphan(says) => AuditFinding::new(Code::HandleOrphan, says),
        Flaw::Dangling(says) => AuditFinding::new(Code::HandleDangling, says),
        Flaw::Cycle(says) => AuditFinding::new(Code::HandleCycle, says),
        Flaw::Unrecorded(names) => unrecorded(*names),
        Flaw::StaleRecords(stale) => stale_records(stale),
    };
    AuditFinding { gfid: it.gfid, path: it.path.clone(), ..found }
}

fn no_gfid(it: &Flawed) -> AuditFinding {
    let says = "no trusted.gfid: created directly on the brick, bypassing GlusterFS";
    // mkfs creates it if the brick is the root of its file system.
    if it.path.as_ref().is_some_and(|path| path.as_bytes() == b"lost+found") {
        let says = "mkfs made it; GlusterFS gives it a gfid when a client first looks";
        let severity = Severity::Benign;
        return AuditFinding { severity, ..AuditFinding::new(Code::GfidXattrMissing, says) };
    }
    AuditFinding::new(Code::GfidXattrMissing, says)
}

fn no_handle(it: &Flawed) -> AuditFinding {
    let handle = it.gfid.as_ref().map(Gfid::handle).unwrap_or_default();
    let handle = Name::from(handle.as_os_str().as_encoded_bytes());
    let says = match it.kind {
        Some(ObjectKind::Directory) => {
            "the directory has no handle: by gfid neither it nor what is below can be found"
        }
        _ => "it has no handle: geo-replication, which works by gfid, cannot read it",
    };
    let expected = Some(Facts::new().with("handle", handle));
    AuditFinding { secondary: expected, ..AuditFinding::new(Code::HandleMissing, says) }
}

fn unrecorded(names: u64) -> AuditFinding {
    let says = if names == 1 {
        "one of its names is in no gfid2path xattr: from its gfid only a scan finds it".to_owned()
    } else {
        format!("{names} of its names are in no gfid2path xattr: only a scan finds them")
    };
    AuditFinding::new(Code::Gfid2pathMissing, says)
}

fn stale_records(stale: &[StaleLink]) -> AuditFinding {
    let says = match stale {
        [one] => format!("gfid2path records {} in {}, which it is not", one.name, one.parent),
        many => format!("gfid2path records {} names that it does not have", many.len()),
    };
    let names: Vec<_> = stale
        .iter()
        .map(|link| {
            let parent = format!("{}/", link.parent);
            Name::from([parent.as_bytes(), link.name.as_bytes()].concat())
        })
        .collect();
    let facts = Some(Facts::new().with("recorded", names));
    AuditFinding { primary: facts, ..AuditFinding::new(Code::Gfid2pathStale, says) }
}
