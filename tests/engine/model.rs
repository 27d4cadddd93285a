//! A world and a journal in memory that die at the n-th effect, before, after or amid acting.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use georepair::apply::{
    ApplyError, Batch, Executor, ExecutorError, Executors, Journal, Log, Origin, replay, run,
};
use georepair::domain::Time;
use georepair::plan::{Action, Bulk, Guard, Item, Object, Plan, State};

/// Where in an effect the process dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Death {
    Before,
    After,
    /// A part of a line reaches the disk, so many 256ths of it.
    Amid(u8),
}

/// How many effects are left to the process, and how it dies then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fuse {
    pub(crate) left: u32,
    pub(crate) death: Death,
}

/// What survives a crash: the world, and the bytes of the journal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) objects: BTreeMap<String, State>,
    pub(crate) journal: Vec<u8>,
    pub(crate) synced: usize,
    /// How often each object was acted upon.
    pub(crate) acts: BTreeMap<String, u32>,
}

/// A process that acts on a disk until its fuse burns down.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) disk: Rc<RefCell<Disk>>,
    fuse: Rc<RefCell<Option<Fuse>>>,
    dead: Rc<RefCell<bool>>,
}

impl Process {
    pub(crate) fn start(disk: Disk, fuse: Option<Fuse>) -> Self {
        let disk = Rc::new(RefCell::new(disk));
        Self { disk, fuse: Rc::new(RefCell::new(fuse)), dead: Rc::default() }
    }

    /// Whether it dies at this effect, and how.
    fn burn(&self) -> io::Result<Option<Death>> {
        if *self.dead.borrow() {
            return Err(io::Error::other("dead"));
        }
        let mut fuse = self.fuse.borrow_mut();
        let Some(fuse) = fuse.as_mut() else { return Ok(None) };
        if fuse.left == 0 {
            *self.dead.borrow_mut() = true;
            return Ok(Some(fuse.death));
        }
        fuse.left -= 1;
        Ok(None)
    }

    /// What is left after it ended, by itself or not.
    pub(crate) fn end(self) -> Disk {
        let mut disk = self.disk.borrow().clone();
        // What was appended and not synced may be lost; what is cut off mid-line is part of it.
        if let (true, Some(Fuse { death: Death::Amid(part), .. })) =
            (*self.dead.borrow(), *self.fuse.borrow())
        {
            let loose = disk.journal.len() - disk.synced;
            disk.journal.truncate(disk.synced + loose * usize::from(part) / 256);
        }
        disk.synced = disk.journal.len();
        disk
    }
}

struct ModelLog(Process);

impl Log for ModelLog {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let death = self.0.burn()?;
        let mut disk = self.0.disk.borrow_mut();
        match death {
            Some(Death::Before) => {}
            Some(Death::Amid(_) | Death::After) | None => disk.journal.extend_from_slice(bytes),
        }
        death.map_or(Ok(()), |_| Err(io::Error::other("died")))
    }

    fn sync(&mut self) -> io::Result<()> {
        let death = self.0.burn()?;
        let mut disk = self.0.disk.borrow_mut();
        if !matches!(death, Some(Death::Amid(_))) {
            disk.synced = disk.journal.len();
        }
        death.map_or(Ok(()), |_| Err(io::Error::other("died")))
    }
}

fn key(object: &Object) -> String {
    object.to_string()
}

impl Executor for Process {
    fn observe(&mut self, object: &Object) -> Result<State, ExecutorError> {
        let disk = self.disk.borrow();
        Ok(disk.objects.get(&key(object)).cloned().unwrap_or(State::Absent))
    }

    fn check(&mut self, guard: &Guard) -> Result<Option<String>, ExecutorError> {
        let Guard::Unchanged { object, was } = guard else { return Ok(None) };
        let now = self.observe(object)?;
        Ok((now != *was).then(|| now.to_string()))
    }

    fn perform(&mut self, action: &Action) -> Result<(), ExecutorError> {
        let died = |source| ExecutorError::System { doing: "act".to_owned(), source };
        let death = self.burn().map_err(died)?;
        if death != Some(Death::Before) {
            let mut disk = self.disk.borrow_mut();
            *disk.acts.entry(key(&action.object)).or_default() += 1;
            match &action.wanted {
                State::Absent => drop(disk.objects.remove(&key(&action.object))),
                state => drop(disk.objects.insert(key(&action.object), state.clone())),
            }
        }
        death.map_or(Ok(()), |_| Err(died(io::Error::other("died"))))
    }

    fn perform_batch(&mut self, _: &Bulk, items: &[Item]) -> Result<Batch, ExecutorError> {
        let died = |source| ExecutorError::System { doing: "act".to_owned(), source };
        let death = self.burn().map_err(died)?;
        if death != Some(Death::Before) {
            let mut disk = self.disk.borrow_mut();
            for item in items {
                let Item::Trigger(trigger) = item else { panic!("{item:?}") };
                *disk.acts.entry(trigger.at.to_string()).or_default() += 1;
                disk.objects.insert(trigger.at.to_string(), State::Spent);
            }
        }
        let done = Batch { done: items.len() as u64, failed: Vec::new() };
        death.map_or(Ok(done), |_| Err(died(io::Error::other("died"))))
    }
}

impl Executors for Process {
    fn on(&mut self, _: &str) -> Result<&mut dyn Executor, ExecutorError> {
        Ok(self)
    }
}

pub(crate) fn origin() -> Origin {
    let argv = vec!["georepair".to_owned(), "apply".to_owned()];
    Origin { tool: "0".to_owned(), host: "m1".to_owned(), user: "root".to_owned(), argv }
}

pub(crate) fn clock() -> Time {
    Time::from_secs(1_795_232_542)
}

/// Begins a plan, or goes on with it, as a new process; answers with what it leaves.
pub(crate) fn live(
    plan: &Plan,
    lists: &std::path::Path,
    disk: Disk,
    fuse: Option<Fuse>,
) -> (Disk, Result<(), ApplyError>) {
    let mut disk = disk;
    let replayed = replay(disk.journal.as_slice(), plan, |_, _| ()).expect("a sound journal");
    disk.journal.truncate(usize::try_from(replayed.sound).unwrap());
    disk.synced = disk.journal.len();
    let begun = replayed.progress.began().is_some();
    let mut process = Process::start(disk, fuse);
    let log = Box::new(ModelLog(process.clone()));
    let journal = if begun {
        Ok(Journal::go_on(log, replayed, clock))
    } else {
        Journal::begin(log, plan, origin(), clock)
    };
    let ended = match journal {
        Ok(mut journal) => run(plan, &mut journal, &mut process, &mut (), lists),
        Err(error) => Err(error.into()),
    };
    (process.end(), ended)
}
