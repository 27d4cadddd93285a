//! `georepair agent`: what georepair does on a peer for the georepair that asked over ssh.

use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;

use clap::Subcommand;

use crate::apply::{self, Host};
use crate::cli::args::Global;
use crate::cli::comparison::Manners;
use crate::cli::failure::{Failure, Outcome};
use crate::domain::Gfid;
use crate::report::PrintError;
use crate::scan::cluster::{Hello, Tools};
use crate::scan::{BrickRoot, arrivals, inventory};

/// What an agent can be asked for. Not for people: the dialect may change with each version.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Greet and end: is there a georepair, and does it fit?
    Hello,
    /// Say what bricks hold of the gfids in each line of standard input
    Arrivals {
        /// A brick's root directory; repeat it for the bricks of one volume
        #[arg(long = "brick", value_name = "DIR", required = true)]
        bricks: Vec<PathBuf>,
    },
    /// Look at this node's world and change it, as asked on standard input
    World,
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
        Command::Arrivals { bricks } => tell_arrivals(bricks)?,
        Command::World => {
            let mut host = Host::new(Tools::new(&global.gluster, &global.ssh)?);
            let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
            apply::serve(input, output, &mut host).map_err(PrintError::from)?;
        }
        Command::Inventory { brick } => {
            Manners::be_nice();
            let out = std::io::BufWriter::new(std::io::stdout().lock());
            inventory::answer(brick, std::io::stdin().lock(), out).map_err(PrintError::from)?;
        }
    }
    Ok(Outcome::Fine)
}

/// Says the first line, which the other side waits for.
fn greet() -> Result<(), PrintError> {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, &Hello::ours()).map_err(std::io::Error::from)?;
    stdout.write_all(b"\n")?;
    Ok(stdout.flush()?)
}

/// Answers a line of gfids with a line of what there is of them, until there are no more.
fn tell_arrivals(dirs: &[PathBuf]) -> Result<(), Failure> {
    let bricks: Result<Vec<_>, _> = dirs.iter().map(|dir| BrickRoot::open(dir)).collect();
    let bricks = bricks?;
    let mut stdout = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(PrintError::from)?;
        let asked: Vec<Gfid> =
            serde_json::from_str(&line).map_err(io::Error::from).map_err(PrintError::from)?;
        let found = arrivals(&bricks, &asked)?;
        let mut answer =
            serde_json::to_vec(&found).map_err(io::Error::from).map_err(PrintError::from)?;
        answer.push(b'\n');
        stdout.write_all(&answer).and_then(|()| stdout.flush()).map_err(PrintError::from)?;
    }
    Ok(())
}
