//! `georepair changelog pending`: backlog and lag of each session.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::clock;
use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::Name;
use crate::report;
use crate::report::PendingList;
use crate::scan;
use crate::task::Failure;

/// What `changelog pending` takes.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A brick's root directory; repeat it for several
    #[arg(long = "brick", value_name = "DIR", required = true)]
    bricks: Vec<PathBuf>,
    /// Only this session: `PRIMARY_HOST_SECONDARY`, `HOST::SECONDARY`, or a volume id
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Where glusterd keeps its sessions
    #[arg(long, value_name = "DIR", default_value = crate::domain::paths::SESSIONS)]
    sessions_dir: PathBuf,
    /// Where gsyncd's workers keep the changelogs they process
    #[arg(long, value_name = "DIR", default_value = "/var/lib/misc/gluster/gsyncd")]
    working_dir: PathBuf,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let now = clock::now();
    let known = scan::cluster::session_folders(&args.sessions_dir);
    let mut found = Vec::new();
    for brick in &args.bricks {
        let pending = scan::changelog::pending(
            brick,
            &known,
            args.session.as_deref(),
            &args.working_dir,
            now,
        )?;
        found.push((Name::from(brick.as_os_str().as_encoded_bytes()), pending));
    }
    let list = PendingList::new(found, now);
    report::print(&list, &global.style())?;
    Ok(if list.has_stalled() || list.is_damaged() {
        Outcome::Findings
    } else if list.is_blind() {
        Outcome::Blind
    } else {
        Outcome::Fine
    })
}
