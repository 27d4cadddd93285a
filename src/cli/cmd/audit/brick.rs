//! `georepair audit brick`: is this brick's `.glusterfs`, changelog index and stime sound?

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::report::AuditList;
use crate::task::Failure;
use crate::task::audit_brick::{AuditBrickOptions, audit_bricks};

/// What `audit brick` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The root directory of a brick on this node
    #[arg(value_name = "DIR", required = true)]
    bricks: Vec<PathBuf>,
    /// Where glusterd keeps its sessions
    #[arg(long, value_name = "DIR", default_value = crate::domain::paths::SESSIONS)]
    sessions_dir: PathBuf,
    /// Check the bricks only: ask neither glusterd nor other nodes
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let options = AuditBrickOptions {
        bricks: args.bricks.clone(),
        sessions_dir: args.sessions_dir.clone(),
        offline: args.offline,
    };
    let context = global.context()?;
    let mut list = AuditList::start(global.style())?;
    let head = audit_bricks(&options, &mut list, &context)?;
    super::finish(list, head)
}
