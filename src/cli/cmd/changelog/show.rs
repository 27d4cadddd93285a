//! `georepair changelog show`: a changelog, or an HTIME index, as records.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::{Gfid, Time};
use crate::report::{PrintError, RecordList, RolloverRow, Row};
use crate::scan;
use crate::scan::changelog::{NamePattern, Op, ShowOptions, Shown};
use crate::task::Failure;

/// What `changelog show` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// CHANGELOG, XSYNC-CHANGELOG or HTIME files of a brick or of gsyncd, and gsyncd's archives
    /// (`.processed/archive_YYYYMM.tar`)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Only records of this gfid
    #[arg(long = "gfid", value_name = "GFID")]
    gfids: Vec<Gfid>,
    /// Only records of this name, `PARENT-GFID/NAME`, or path
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<std::ffi::OsString>,
    /// Only records with a name, or a deleted path, that this regular expression matches: `\.part$`
    #[arg(long, value_name = "REGEX")]
    matching: Option<NamePattern>,
    /// Only these operations: RENAME, SETATTR, …, or E, D, M for all of a kind
    #[arg(long = "op", value_name = "OP", value_delimiter = ',')]
    ops: Vec<Op>,
    /// Only slices that ended at this time or later (RFC 3339 or epoch seconds)
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Only slices that ended at this time or earlier
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let paths = args.paths.iter().map(|path| path.as_encoded_bytes().to_vec()).collect();
    let wish = ShowOptions {
        gfids: args.gfids.clone(),
        paths,
        matching: args.matching.clone(),
        ops: args.ops.clone(),
        since: args.since,
        until: args.until,
    };
    let mut list = RecordList::start(global.style())?;
    let mut damage = Vec::new();
    for file in &args.files {
        show(file, &wish, &mut list, &mut damage)?;
        if list.is_gone() {
            break;
        }
    }
    let damaged = list.is_damaged();
    list.finish(&[], &[])?;
    super::print_damage(&damage, global);
    Ok(if damaged { Outcome::Findings } else { Outcome::Fine })
}

fn show(
    file: &Path,
    wish: &ShowOptions,
    list: &mut RecordList,
    damage: &mut Vec<scan::changelog::Damaged>,
) -> Result<(), Failure> {
    let mut printed: Result<(), PrintError> = Ok(());
    let about = scan::changelog::show(file, wish, |about, shown| {
        printed = match shown {
            Shown::Record(record) => list.push(&Row {
                time: about.time,
                brick: about.brick.as_ref(),
                also: Vec::new(),
                file: &about.file,
                source: &about.source,
                record,
                parent_path: None,
                new_parent_path: None,
                replaced: None,
            }),
            Shown::Rollover(rollover) => list.push(&RolloverRow {
                time: Time::from_secs(rollover.time.into()),
                path: rollover.path.into(),
                empty: rollover.empty,
                offset: rollover.offset,
            }),
            Shown::Damage(damaged) => {
                list.damaged(damaged);
                damage.push(damaged.clone());
                Ok(())
            }
        };
        printed.is_ok() && !list.is_gone()
    });
    about?;
    Ok(printed?)
}
