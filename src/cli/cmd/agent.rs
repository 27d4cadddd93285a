//! `georepair agent`: what georepair does on a peer for the georepair that calls it over ssh.

use std::path::PathBuf;

use clap::Subcommand;
use uuid::Uuid;

use crate::apply;
use crate::apply::local::LocalExecutor;
use crate::cli::clock::now;
use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::{Brick, SecondaryUrl};
use crate::plan::Step;
use crate::report::PrintError;
use crate::scan::cluster;
use crate::scan::cluster::Tools;
use crate::scan::session::{SessionRequest, node_report};
use crate::scan::{delivery, inventory};
use crate::task::throttle::Throttle;
use crate::task::{Failure, UsageError};

/// What an agent can do, for another georepair or a script of one. Not for people: requests and
/// answers change with each version.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Print the greeting, which has the version, and end
    Hello,
    /// Answer whether objects were recorded on these bricks and have arrived there
    Delivery {
        /// A brick's root directory; repeat it for the others of the volume
        #[arg(long = "brick", value_name = "DIR", required = true)]
        bricks: Vec<PathBuf>,
    },
    /// Observe and change this node, as requested on standard input
    World,
    /// Execute one step of a plan on this node, as a script of `--script` does
    Do {
        /// The step as JSON
        step: String,
    },
    /// Report the state of a session on this node: marks, history, processes
    Look {
        /// The primary volume
        primary: String,
        /// The secondary
        secondary: SecondaryUrl,
        /// The volume's bricks on this node
        bricks: Vec<PathBuf>,
    },
    /// Answer questions about what a brick holds, until standard input ends
    Inventory {
        /// The brick's root directory
        #[arg(long, value_name = "DIR")]
        brick: PathBuf,
    },
}

pub(in crate::cli) fn run(command: &Command, global: &Global) -> Result<Outcome, Failure> {
    let (input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let served = match command {
        Command::Hello => cluster::greet(&mut output),
        Command::Do { step } => return execute(step, global),
        Command::Delivery { bricks } => delivery::serve(bricks, input, output),
        Command::World => {
            let mut world = LocalExecutor::new(Tools::new(&global.gluster, &global.ssh)?);
            apply::serve(input, output, &mut world)
        }
        Command::Look { primary, secondary, bricks } => {
            let request = session_request(primary, secondary, bricks);
            cluster::serve(input, output, |(), _| Ok(node_report(&request, now)))
        }
        Command::Inventory { brick } => {
            Throttle::be_nice();
            inventory::serve(brick, input, output)
        }
    };
    served.map_err(PrintError::from)?;
    Ok(Outcome::Fine)
}

/// Executes the step of a script; the script has printed what it is.
fn execute(step: &str, global: &Global) -> Result<Outcome, Failure> {
    let step = Step::from_json(step).map_err(|_| UsageError("not a step of a plan"))?;
    let action = step.does.action().ok_or(UsageError("a list needs a run"))?;
    let mut here = LocalExecutor::new(Tools::new(&global.gluster, &global.ssh)?);
    if !apply::execute_without_journal(&step, action, &mut here)? {
        anstream::println!("  already done");
    }
    Ok(Outcome::Fine)
}

fn session_request(primary: &str, secondary: &SecondaryUrl, dirs: &[PathBuf]) -> SessionRequest {
    // The caller knows the rest of each brick.
    let brick = |dir: &PathBuf| Brick {
        node: String::new(),
        dir: dir.clone(),
        host: Uuid::nil(),
        arbiter: false,
    };
    let bricks = dirs.iter().map(brick).collect();
    SessionRequest { primary: primary.to_owned(), secondary: secondary.clone(), bricks }
}
