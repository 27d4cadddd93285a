//! `georepair audit brick`: is this brick's `.glusterfs`, changelog index and stime sound?

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args as ClapArgs;

use crate::check;
use crate::cli::args::Global;
use crate::cli::failure::{Failure, Outcome};
use crate::domain::{AuditFinding, AuditHead};
use crate::report::{AuditList, Progress};
use crate::scan::{BrickRoot, Meter, Records, Soundness, soundness};

/// What `audit brick` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A brick's root directory on this node
    #[arg(value_name = "DIR", required = true)]
    bricks: Vec<PathBuf>,
}

pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let bricks: Result<Vec<_>, _> = args.bricks.iter().map(|dir| BrickRoot::open(dir)).collect();
    let mut audit = Audit { list: AuditList::start(global.look())?, head: AuditHead::default() };
    for brick in bricks? {
        audit.handles(&brick, global)?;
        if audit.list.is_gone() {
            break;
        }
    }
    audit.finish()
}

/// An audit under way.
struct Audit {
    list: AuditList<'static>,
    head: AuditHead,
}

impl Audit {
    /// `.glusterfs` against the namespace.
    fn handles(&mut self, brick: &BrickRoot, global: &Global) -> Result<(), Failure> {
        let meter = Arc::new(Meter::default());
        let found = {
            // Names and handles: twice what the file system counts.
            let most = brick.inodes().unwrap_or_default().saturating_mul(2);
            let _progress = Progress::of_names(&meter, most, global.quiet);
            soundness(brick, &meter)?
        };
        let findings: Vec<_> = check::handles(&found.flawed).collect();
        self.push(brick, findings)?;
        self.tell(brick, &found);
        Ok(())
    }

    fn push(&mut self, brick: &BrickRoot, findings: Vec<AuditFinding>) -> Result<(), Failure> {
        let name = &**brick.name();
        let on_brick = |it| AuditFinding { brick: Some(name.clone()), ..it };
        let findings: Vec<_> = findings.into_iter().map(on_brick).collect();
        Ok(self.list.push(&findings)?)
    }

    fn tell(&mut self, brick: &BrickRoot, found: &Soundness) {
        let name = brick.name();
        self.head.compared += found.names;
        let (names, handles) = (found.names, found.handles);
        self.head.scope.push(format!("{name}: {names} names against {handles} handles"));
        let of_brick = |line: &String| format!("{name}: {line}");
        self.head.unseen.extend(found.unseen.iter().map(of_brick));
        self.head.notes.extend(found.notes.iter().map(of_brick));
        if found.more > 0 {
            let more = found.more;
            self.head.notes.push(format!("{name}: {more} more doubts are not listed one by one"));
        }
        if found.records == Records::None {
            self.head.notes.push(format!(
                "{name}: no object has a gfid2path xattr (storage.gfid2path is off, or the files \
                 are older than release 3.12): whether they are true cannot be told"
            ));
        }
    }

    fn finish(self) -> Result<Outcome, Failure> {
        let outcome = if self.list.has_findings() {
            Outcome::Findings
        } else if self.head.unseen.is_empty() || self.list.is_gone() {
            Outcome::Fine
        } else {
            Outcome::Blind
        };
        self.list.finish(self.head)?;
        Ok(outcome)
    }
}
