//! A whole lab: nodes on a switch, two volumes, a session between them, a mount of each.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::node::Node;
use crate::shape::{REPLICATED, Shape};
use crate::switch::Switch;
use crate::{listing, mount, requirements, session, volume};

/// Counts labs of this process; their marks differ by it.
static LABS: AtomicUsize = AtomicUsize::new(0);

/// How many labs the tests share: one test has one lab to itself, and most of its time it waits.
const SHARED_LABS: usize = 4;

static POOL: Mutex<Pool> = Mutex::new(Pool { idle: Vec::new(), up: 0 });
static FREED: Condvar = Condvar::new();

/// The shared labs: those no test has at the moment, and how many there are.
#[derive(Debug)]
struct Pool {
    idle: Vec<Lab>,
    up: usize,
}

/// The `georepair` under test. For figures `GEOREPAIR` names one that is built for use, such as
/// `target/release/georepair`, by its full path.
pub(crate) fn program() -> String {
    let named = std::env::var("GEOREPAIR");
    named.unwrap_or_else(|_| env!("CARGO_BIN_EXE_georepair").to_owned())
}

/// A lab that is up. Dropping it takes it down; so does any death of this process.
#[derive(Debug)]
pub(crate) struct Lab {
    nodes: Vec<Node>,
    switch: Switch,
    shape: Shape,
    mark: String,
    canaries: AtomicU32,
    stalls: AtomicU32,
}

/// How long the parts of bringing a lab up took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UpTimes {
    pub(crate) nodes: Duration,
    pub(crate) active: Duration,
    pub(crate) live: Duration,
}

impl Lab {
    /// Brings up nodes, volumes and a session that provably replicates.
    pub(crate) fn up(shape: Shape) -> (Self, UpTimes) {
        let begin = Instant::now();
        let lab = Self::up_without_session(shape);
        let nodes = begin.elapsed();
        session::create(&lab);
        session::start(&lab);
        session::wait_status(&lab, "Active and Passive", |rows| session::all_well(&lab, rows));
        let active = begin.elapsed();
        session::live(&lab);
        (lab, UpTimes { nodes, active, live: begin.elapsed() })
    }

    /// Brings up nodes and volumes only.
    pub(crate) fn up_without_session(shape: Shape) -> Self {
        let count = LABS.fetch_add(1, Ordering::Relaxed);
        let mark = format!("georepair-lab-{}-{count}", std::process::id());
        let switch = Switch::up(&mark);
        let places = shape.nodes.iter().enumerate();
        let nodes = places.map(|(n, place)| Node::up(&mark, place, count + n)).collect();
        let (canaries, stalls) = (AtomicU32::new(0), AtomicU32::new(0));
        let lab = Self { nodes, switch, shape, mark, canaries, stalls };
        lab.introduce_nodes();
        std::thread::scope(|scope| {
            for node in &lab.nodes {
                scope.spawn(|| {
                    node.start_sshd();
                    node.start_glusterd();
                });
            }
        });
        lab.primary().gluster(&["peer", "probe", "m2"]);
        crate::wait::happens("the peers are friends", || {
            lab.primary().gluster(&["peer", "status"]).contains("Peer in Cluster (Connected)")
        });
        volume::create(&lab);
        volume::hurry(&lab);
        mount::mount_both(&lab);
        lab
    }

    /// Cables, names and a common ssh identity for root.
    fn introduce_nodes(&self) {
        let mut hosts = String::from("127.0.0.1 localhost\n");
        for node in &self.nodes {
            self.switch.plug(node);
            hosts.extend([node.address(), " ", node.name(), "\n"]);
        }
        let first = self.primary();
        first.run_on(&[
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-f",
            "/root/.ssh/id_ed25519",
        ]);
        let key = std::fs::read(first.path("/root/.ssh/id_ed25519")).expect("the private key");
        let public =
            std::fs::read(first.path("/root/.ssh/id_ed25519.pub")).expect("the public key");
        let config = b"StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n";
        for node in &self.nodes {
            let ssh = node.path("/root/.ssh");
            std::fs::write(node.path("/etc/hosts"), &hosts).expect("the node's hosts");
            std::fs::write(ssh.join("id_ed25519"), &key).expect("the node's key");
            std::fs::write(ssh.join("authorized_keys"), &public).expect("the authorized key");
            std::fs::write(ssh.join("config"), config).expect("the ssh configuration");
            node.run_on(&["ln", "-s", &program(), "/usr/local/bin/georepair"]);
            node.run_on(&["chmod", "600", "/root/.ssh/id_ed25519", "/root/.ssh/authorized_keys"]);
        }
    }

    /// One of the labs that the tests of this binary share; `None` (and said so) where none can run.
    ///
    /// Waits while all are in use, and then for what the test before left on its way: a test may
    /// begin with a breakage that loses it. A test that fails leaves its breakage behind: its lab
    /// is taken down, and another test gets a new one.
    pub(crate) fn shared() -> Option<Shared> {
        if !requirements::met() {
            return None;
        }
        let mut pool = POOL.lock().expect("no one panics with the pool in hand");
        while pool.idle.is_empty() && pool.up == SHARED_LABS {
            pool = FREED.wait(pool).expect("no one panics with the pool in hand");
        }
        let idle = pool.idle.pop();
        pool.up += usize::from(idle.is_none());
        drop(pool);
        // From here on a panic gives the place back (`Shared::drop`).
        let mut shared = Shared(idle);
        if let Some(lab) = &shared.0 {
            listing::wait_equal(lab);
            return Some(shared);
        }
        shared.0 = Some(Self::up(REPLICATED).0);
        Some(shared)
    }

    #[track_caller]
    pub(crate) fn node(&self, name: &str) -> &Node {
        let found = self.nodes.iter().find(|node| node.name() == name);
        found.unwrap_or_else(|| panic!("the lab has no node {name}"))
    }

    /// Runs a program on a node and returns what it prints; it has to succeed.
    #[track_caller]
    pub(crate) fn run_on(&self, node: &str, argv: &[&str]) -> String {
        self.node(node).run_on(argv)
    }

    /// Runs the `georepair` under test on a node.
    pub(crate) fn georepair(&self, node: &str, arguments: &[&str]) -> Output {
        self.node(node).try_on(&[&[program().as_str()], arguments].concat())
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node where the primary's CLI is used.
    pub(crate) fn primary(&self) -> &Node {
        self.node("m1")
    }

    pub(crate) fn secondary(&self) -> &Node {
        self.node("s1")
    }

    pub(crate) fn switch(&self) -> &Switch {
        &self.switch
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// What marks this lab's processes in their environment.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// A path of the primary volume, as this process reaches it.
    pub(crate) fn on_primary(&self, path: impl AsRef<Path>) -> PathBuf {
        self.primary().path(mount::ON_PRIMARY).join(path)
    }

    /// A path of the secondary volume, as this process reaches it; it may be written to.
    pub(crate) fn on_secondary(&self, path: impl AsRef<Path>) -> PathBuf {
        self.secondary().path(mount::ON_SECONDARY).join(path)
    }

    pub(crate) fn next_canary(&self) -> u32 {
        self.canaries.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a worker start that looked well and was deaf.
    pub(crate) fn note_stall(&self) {
        self.stalls.fetch_add(1, Ordering::Relaxed);
    }

    /// How many worker starts looked well and were deaf.
    pub(crate) fn stalls(&self) -> u32 {
        self.stalls.load(Ordering::Relaxed)
    }
}

/// A shared lab, for as long as one test has it.
#[derive(Debug)]
pub(crate) struct Shared(Option<Lab>);

impl std::ops::Deref for Shared {
    type Target = Lab;

    fn deref(&self) -> &Lab {
        self.0.as_ref().expect("a shared lab is up until it is dropped")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let lab = self.0.take().filter(|_| !std::thread::panicking());
        let mut pool = POOL.lock().expect("no one panics with the pool in hand");
        match lab {
            Some(lab) => pool.idle.push(lab),
            None => pool.up -= 1,
        }
        FREED.notify_one();
    }
}
