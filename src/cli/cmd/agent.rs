//! `georepair agent`: what georepair does on a peer for the georepair that asked over ssh.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use uuid::Uuid;

use crate::apply;
use crate::apply::local::LocalExecutor;
use crate::cli::clock::now;
use crate::cli::failure::Outcome;
use crate::cli::global::Global;
use crate::domain::{Brick, SecondaryUrl};
use crate::report::PrintError;
use crate::scan::cluster::{Hello, Tools};
use crate::scan::session::{Asked, sight};
use crate::scan::{delivery, inventory};
use crate::task::Failure;
use crate::task::throttle::Throttle;

/// What an agent can be asked for. Not for people: the dialect may change with each version.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Greet and end: is there a georepair, and does it fit?
    Hello,
    /// Answer whether objects were recorded here and have arrived here
    Delivery {
        /// A brick's root directory; repeat it for the others of the volume
        #[arg(long = "brick", value_name = "DIR", required = true)]
        bricks: Vec<PathBuf>,
    },
    /// Look at this node's world and change it, as asked on standard input
    World,
    /// Look at a session on this node: marks, history, processes
    Look {
        /// The primary volume.
        primary: String,
        /// The other side.
        secondary: SecondaryUrl,
        /// The volume's bricks on this node.
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
    greet()?;
    match command {
        Command::Hello => {}
        Command::Delivery { bricks } => {
            let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
            delivery::serve(bricks, input, output).map_err(PrintError::from)?;
        }
        Command::World => {
            let mut host = LocalExecutor::new(Tools::new(&global.gluster, &global.ssh)?);
            let mut turns = apply::Leases::default();
            let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
            apply::serve(input, output, &mut host, &mut turns).map_err(PrintError::from)?;
        }
        Command::Look { primary, secondary, bricks } => look(primary, secondary, bricks)?,
        Command::Inventory { brick } => {
            Throttle::be_nice();
            let out = std::io::BufWriter::new(std::io::stdout().lock());
            inventory::answer(brick, std::io::stdin().lock(), out).map_err(PrintError::from)?;
        }
    }
    Ok(Outcome::Fine)
}

/// One line: what this node sees of a session.
fn look(primary: &str, secondary: &SecondaryUrl, dirs: &[PathBuf]) -> Result<(), PrintError> {
    // Whoever asks knows the rest of each brick.
    let brick = |dir: &PathBuf| Brick {
        node: String::new(),
        dir: dir.clone(),
        host: Uuid::nil(),
        arbiter: false,
    };
    let bricks = dirs.iter().map(brick).collect();
    let asked = Asked { primary: primary.to_owned(), secondary: secondary.clone(), bricks };
    let found = sight(&asked, now);
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, &found).map_err(std::io::Error::from)?;
    stdout.write_all(b"\n")?;
    Ok(stdout.flush()?)
}

/// Says the first line, which the other side waits for.
fn greet() -> Result<(), PrintError> {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, &Hello::ours()).map_err(std::io::Error::from)?;
    stdout.write_all(b"\n")?;
    Ok(stdout.flush()?)
}
