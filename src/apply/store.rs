//! Runs on disk: plan, journal, lists and lock of each, below the state directory.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::journal::{Journal, JournalError, replay};
use super::local::identity_of;
use super::manifest::{ManifestError, ManifestReader, list_path};
use super::progress::{Origin, RunProgress, StepState};
use crate::domain::{Kind, Time, UserError};
use crate::plan::{
    Action, Because, Identity, Manifest, NodePath, Object, Plan, State, Step, StepId, Work, script,
};

/// The directory of all runs, `STATE_DIR/runs`; each is named by its uuid (version 7: by time).
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A run that is locked and can be continued.
pub struct Run {
    /// Its name.
    pub id: Uuid,
    /// Its directory, with the lists of its bulk steps.
    pub folder: PathBuf,
    /// Its plan.
    pub plan: Plan,
    /// Its journal.
    pub journal: Journal,
    _lock: File,
}

/// A run as read without a lock: another process may be running it.
#[derive(Debug)]
pub struct Summary {
    /// Its name.
    pub id: Uuid,
    /// Its directory.
    pub folder: PathBuf,
    /// Its state.
    pub state: RunState,
    /// Its plan and its progress, or why they cannot be read.
    pub content: Result<(Plan, RunProgress), StoreError>,
    /// The latest run that undoes or undid it.
    pub undone_by: Option<Uuid>,
}

/// The state of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunState {
    /// Every step is done.
    Finished,
    /// It stopped before its end, or another process is running it.
    Unfinished,
    /// It was undone.
    Undone,
}

/// Who starts or resumes a run, and the clock.
#[derive(Clone, Debug)]
pub struct Start {
    /// Who.
    pub origin: Origin,
    /// The current time.
    pub clock: fn() -> Time,
}

/// A run cannot be written, read or locked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory of it cannot be read or written.
    #[error("cannot open {path:?}")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Its plan cannot be read.
    #[error("{path:?} is not a georepair plan")]
    Plan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Its journal cannot be read or written.
    #[error("run {id}")]
    Journal {
        /// The run.
        id: Uuid,
        /// Why.
        #[source]
        source: JournalError,
    },
    /// Another process holds its lock.
    #[error("run {id} is in use by another georepair process")]
    Busy {
        /// The run.
        id: Uuid,
    },
    /// A list of its plan is missing, or another one.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// There is no such run.
    #[error("no run {name} in {folder:?}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// Where runs are kept.
        folder: PathBuf,
    },
}

impl UserError for StoreError {
    fn kind(&self) -> Kind {
        match self {
            Self::Journal { source, .. } => source.kind(),
            Self::Unknown { .. } => Kind::Usage,
            _ => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                vec!["run it as root, or use a directory of your own: --state-dir DIR".to_owned()]
            }
            Self::Journal { source, .. } => source.hints(),
            Self::Unknown { .. } => vec!["georepair runs list".to_owned()],
            _ => Vec::new(),
        }
    }
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { path: path.clone(), source }
}

impl Store {
    /// The runs below a state directory, which is created when it is first needed.
    #[must_use]
    pub fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join("runs") }
    }

    /// Where a run is kept.
    #[must_use]
    pub fn folder(&self, id: Uuid) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Creates a run of a plan: all of it is on disk, or nothing.
    ///
    /// `lists` is the directory with the lists of the plan's bulk steps; they are copied.
    ///
    /// # Errors
    /// [`StoreError`].
    #[expect(clippy::disallowed_methods, reason = "gives a new run's directory its name")]
    pub fn create(
        &self,
        id: Uuid,
        plan: &Plan,
        lists: &Path,
        start: Start,
    ) -> Result<Run, StoreError> {
        fs::create_dir_all(&self.folder).map_err(file_error(&self.folder))?;
        let new = self.folder.join(format!(".new-{id}"));
        fs::create_dir(&new).map_err(file_error(&new))?;
        write_synced(&new.join("plan.json"), &text_of(plan))?;
        for manifest in manifests(plan) {
            ManifestReader::open(lists, manifest)?;
            copy_synced(&list_path(lists, &manifest.file)?, &list_path(&new, &manifest.file)?)?;
        }
        let lock = locked(&new, id)?;
        let path = new.join("journal.jsonl");
        let log =
            File::options().append(true).create_new(true).open(&path).map_err(file_error(&path))?;
        let journal = Journal::begin(Box::new(log), plan, start.origin, start.clock)
            .map_err(|source| StoreError::Journal { id, source })?;
        sync_folder(&new)?;
        let folder = self.folder(id);
        fs::rename(&new, &folder).map_err(file_error(&folder))?;
        sync_folder(&self.folder)?;
        Ok(Run { id, folder, plan: plan.clone(), journal, _lock: lock })
    }

    /// Locks a run to resume it; a torn last line of its journal is cut.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(&self, id: Uuid, start: Start) -> Result<Run, StoreError> {
        let folder = self.folder(id);
        if !folder.is_dir() {
            return Err(self.unknown(id.to_string()));
        }
        let lock = locked(&folder, id)?;
        let plan = read_plan(&folder.join("plan.json"))?;
        let path = folder.join("journal.jsonl");
        let file =
            File::options().read(true).append(true).open(&path).map_err(file_error(&path))?;
        let failed = |source| StoreError::Journal { id, source };
        let replayed = replay(BufReader::new(&file), &plan, |_, _| ()).map_err(failed)?;
        file.set_len(replayed.sound).and_then(|()| file.sync_all()).map_err(file_error(&path))?;
        let mut journal = Journal::go_on(Box::new(file), replayed, start.clock);
        journal.resumed(start.origin).map_err(failed)?;
        Ok(Run { id, folder, plan, journal, _lock: lock })
    }

    /// Every run, oldest first; also those that cannot be read.
    ///
    /// # Errors
    /// [`StoreError::File`] if the directory cannot be read; a missing one is no error.
    pub fn list(&self) -> Result<Vec<Summary>, StoreError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(file_error(&self.folder))?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(file_error(&self.folder))?.file_name();
            ids.extend(name.to_str().and_then(|name| Uuid::try_parse(name).ok()));
        }
        ids.sort_unstable();
        let mut runs: Vec<_> = ids.into_iter().map(|id| self.summary(id)).collect();
        note_undone(&mut runs);
        Ok(runs)
    }

    /// The one run whose name starts like this.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if none or several do.
    pub fn find(&self, name: &str) -> Result<Summary, StoreError> {
        let mut fitting =
            self.list()?.into_iter().filter(|run| run.id.to_string().starts_with(name));
        match (fitting.next(), fitting.next()) {
            (Some(run), None) => Ok(run),
            _ => Err(self.unknown(name.to_owned())),
        }
    }

    /// The plan that deletes runs, and what they moved aside and nobody moved back. With a run that
    /// undid another one, that one is deleted as well.
    ///
    /// # Errors
    /// [`StoreError`], also if another process has one of them open.
    pub fn prune_plan(&self, ids: &[Uuid], host: &str) -> Result<Plan, StoreError> {
        let runs = self.list()?;
        let chosen: Vec<&Summary> = runs
            .iter()
            .filter(|run| {
                ids.contains(&run.id) || run.undone_by.is_some_and(|by| ids.contains(&by))
            })
            .collect();
        let mut steps = Vec::new();
        for run in &chosen {
            drop(locked(&run.folder, run.id)?);
            steps.extend(kept_by(run));
            let at = NodePath::from(run.folder.as_path());
            let identity = identity_of(&at).ok().flatten();
            let identity = identity.ok_or_else(|| self.unknown(run.id.to_string()))?;
            steps.push(deletion_step(host, at, identity));
        }
        let many = if chosen.len() == 1 { "run" } else { "runs" };
        let title = format!("delete {} {many} and what they kept", chosen.len());
        Ok(Plan::new(title, "delete".to_owned(), steps))
    }

    fn unknown(&self, name: String) -> StoreError {
        StoreError::Unknown { name, folder: self.folder.clone() }
    }

    fn summary(&self, id: Uuid) -> Summary {
        let folder = self.folder(id);
        let content = read_run(&folder, id);
        let finished = content.as_ref().is_ok_and(|(plan, progress)| progress.is_finished(plan));
        let state = if finished { RunState::Finished } else { RunState::Unfinished };
        Summary { id, folder, state, content, undone_by: None }
    }
}

/// What a run moved aside and still keeps, according to its journal.
fn kept_by(run: &Summary) -> Vec<Step> {
    let Ok((plan, progress)) = &run.content else { return Vec::new() };
    if run.state == RunState::Undone {
        return Vec::new();
    }
    let aside = plan.steps.iter().filter_map(|step| match step.does.action()? {
        Action { object: Object::Movable { aside, identity, .. }, wanted: State::Aside }
            if matches!(
                progress.step(step.id),
                StepState::Begun { .. } | StepState::Done { .. }
            ) =>
        {
            Some(deletion_step(&step.node, aside.clone(), *identity))
        }
        _ => None,
    });
    aside.collect()
}

fn deletion_step(node: &str, at: NodePath, identity: Identity) -> Step {
    let does = Work::Set(Action { object: Object::Kept { at, identity }, wanted: State::Spent });
    let node = node.to_owned();
    Step { id: StepId(0), because: Because::Asked, node, guards: Vec::new(), does }
}

/// Marks the runs that others have undone, or started to undo.
fn note_undone(runs: &mut [Summary]) {
    let undoing: Vec<(Uuid, Uuid, bool)> = runs
        .iter()
        .filter_map(|run| {
            let (plan, _) = run.content.as_ref().ok()?;
            Some((plan.undoes?, run.id, run.state == RunState::Finished))
        })
        .collect();
    let undone: HashSet<Uuid> =
        undoing.iter().filter(|(_, _, finished)| *finished).map(|(of, ..)| *of).collect();
    for run in runs {
        let by = undoing.iter().rfind(|(of, ..)| *of == run.id);
        run.undone_by = by.map(|(_, by, _)| *by);
        if undone.contains(&run.id) {
            run.state = RunState::Undone;
        }
    }
}

pub(super) fn read_run(folder: &Path, id: Uuid) -> Result<(Plan, RunProgress), StoreError> {
    let plan = read_plan(&folder.join("plan.json"))?;
    let path = folder.join("journal.jsonl");
    let file = File::open(&path).map_err(file_error(&path))?;
    let replayed = replay(BufReader::new(file), &plan, |_, _| ());
    let replayed = replayed.map_err(|source| StoreError::Journal { id, source })?;
    Ok((plan, replayed.progress))
}

/// Reads a plan's document.
///
/// # Errors
/// [`StoreError::File`] and [`StoreError::Plan`].
pub fn read_plan(path: &Path) -> Result<Plan, StoreError> {
    let text = fs::read(path).map_err(file_error(path))?;
    serde_json::from_slice(&text)
        .map_err(|source| StoreError::Plan { path: path.to_owned(), source })
}

/// Saves a plan, and its lists beside it; overwrites only a plan of the same name.
///
/// # Errors
/// [`StoreError`].
pub fn save_plan(plan: &Plan, lists: &Path, path: &Path) -> Result<(), StoreError> {
    let beside = path.parent().unwrap_or(Path::new(""));
    for manifest in manifests(plan) {
        ManifestReader::open(lists, manifest)?;
        let (from, to) = (list_path(lists, &manifest.file)?, list_path(beside, &manifest.file)?);
        if !to.exists() || ManifestReader::open(beside, manifest).is_err() {
            copy_synced(&from, &to)?;
        }
    }
    write_synced(path, &text_of(plan))
}

/// Writes a script for each node into a directory, and the lists that they read beside them.
///
/// # Errors
/// [`StoreError`].
pub fn write_scripts(plan: &Plan, lists: &Path, folder: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(folder).map_err(file_error(folder))?;
    for step in &plan.steps {
        if let Work::Bulk { bulk, manifest } = &step.does {
            let mut reader = ManifestReader::open(lists, manifest)?;
            let path = list_path(folder, &manifest.list_name())?;
            let mut out = io::BufWriter::new(File::create(&path).map_err(file_error(&path))?);
            loop {
                let items = reader.batch(bulk)?;
                if items.is_empty() {
                    break;
                }
                let texts = items.iter().map(script::list_item);
                texts
                    .into_iter()
                    .try_for_each(|text| out.write_all(&text))
                    .map_err(file_error(&path))?;
            }
            out.flush().map_err(file_error(&path))?;
        }
    }
    for (name, text) in script::scripts(plan) {
        write_synced(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}

fn text_of(plan: &Plan) -> Vec<u8> {
    // Never fails: a plan is plain data.
    let mut text = serde_json::to_vec_pretty(plan).unwrap_or_default();
    text.push(b'\n');
    text
}

fn manifests(plan: &Plan) -> impl Iterator<Item = &Manifest> {
    plan.steps.iter().filter_map(|step| step.does.manifest())
}

pub(super) fn locked(folder: &Path, id: Uuid) -> Result<File, StoreError> {
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(file_error(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { id }),
        Err(TryLockError::Error(error)) => Err(file_error(&path)(error)),
    }
}

fn write_synced(path: &Path, text: &[u8]) -> Result<(), StoreError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(text)?;
        file.sync_all()
    };
    write().map_err(file_error(path))
}

fn copy_synced(from: &Path, to: &Path) -> Result<(), StoreError> {
    let copy = || {
        let mut out = File::create_new(to)?;
        io::copy(&mut File::open(from)?, &mut out)?;
        out.sync_all()
    };
    copy().map_err(file_error(to))
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error(folder))
}
