//! Real files below a directory, plans that change them, and the command that carries them out.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use georepair::apply::local::identity_of;
use georepair::apply::{ManifestWriter, save_plan};
use georepair::plan::{Bulk, Change, Hex, Item, NodePath, Object, Plan, State, Step, Work};
use tempfile::TempDir;

use crate::crashes;
use crate::support::georepair;

/// A directory with what a plan changes, and a state directory.
pub(crate) struct Ground {
    pub(crate) dir: TempDir,
}

/// All that can be told of what lies below a directory: kind, mode, content, one xattr.
pub(crate) type Listing = BTreeMap<PathBuf, (u32, Vec<u8>, Option<Vec<u8>>)>;

/// This machine's name.
pub(crate) fn here() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn step(object: Object, wanted: State) -> Step {
    Step { node: here(), ..crashes::step(object, wanted) }
}

impl Ground {
    /// Files with and without marks, a tree, and odd names.
    #[expect(clippy::disallowed_methods, reason = "a test lays out its files")]
    pub(crate) fn new() -> Self {
        // In memory where that takes xattrs: a killed process loses nothing there either, and a
        // busy disk would make each sync take seconds.
        let memory = Path::new("/dev/shm");
        let dir = tempfile::tempdir_in(memory).ok();
        let dir = dir.filter(|dir| xattr::set(dir.path(), MARK, &[0]).is_ok());
        let ground = Self { dir: dir.unwrap_or_else(|| tempfile::tempdir().unwrap()) };
        fs::create_dir_all(ground.at("world/tree/deep")).unwrap();
        fs::write(ground.at("world/tree/deep/file"), b"kept\n").unwrap();
        fs::write(ground.at("world/unwanted"), b"gone\n").unwrap();
        for name in odd_names() {
            fs::write(ground.world().join(name), b"old\n").unwrap();
        }
        for index in 0..2500 {
            let path = ground.at(format!("world/d{index}"));
            fs::create_dir(&path).unwrap();
            if index % 3 == 0 {
                xattr::set(&path, MARK, &[7]).unwrap();
            }
        }
        ground
    }

    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn world(&self) -> PathBuf {
        self.at("world")
    }

    pub(crate) fn plan_file(&self) -> PathBuf {
        self.at("plan.json")
    }

    /// A plan of every kind of step that needs no cluster, saved with its list.
    pub(crate) fn plan(&self) -> Plan {
        let lists = tempfile::tempdir().unwrap();
        let mut steps = Vec::new();
        for (index, name) in odd_names().into_iter().enumerate() {
            let at = NodePath::from(self.world().join(name));
            let mark = Object::Xattr { at: at.clone(), name: MARK.to_owned() };
            steps.push(step(mark.clone(), State::value(b"\x00\xff one")));
            let hex = Hex(format!("new 100% \\n {index}\n").into_bytes());
            let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
            let (uid, gid) = (uid.as_raw(), gid.as_raw());
            let file = Object::File { at: at.clone() };
            steps.push(step(file, State::Content { hex, mode: 0o640, uid, gid }));
            steps.push(step(mark, State::value(b"two")));
        }
        let at = NodePath::from(self.at("world/tree"));
        let identity = identity_of(&at).unwrap().unwrap();
        let aside = NodePath::from(self.at("world/aside/tree"));
        steps.push(step(Object::Movable { at, aside, identity }, State::Aside));
        steps.push(Step { node: here(), ..crashes::doing(self.marks(lists.path())) });
        let absent = Object::File { at: NodePath::from(self.at("world/unwanted")) };
        steps.push(step(absent, State::Absent));
        let plan = crashes::plan(steps);
        save_plan(&plan, lists.path(), &self.plan_file()).unwrap();
        plan
    }

    fn marks(&self, lists: &Path) -> Work {
        let mut out = ManifestWriter::create(lists, "marks.jsonl").unwrap();
        for index in 0..2500 {
            let at = NodePath::from(self.at(format!("world/d{index}")));
            let object = Object::Xattr { at, name: MARK.to_owned() };
            out.push(&Item::Change(Change { object, wanted: State::value(&[8]), was: None }))
                .unwrap();
        }
        Work::Bulk { bulk: Bulk::Changes, manifest: out.finish().unwrap() }
    }

    pub(crate) fn listing(&self) -> Listing {
        let mut listing = Listing::new();
        for entry in walkdir::WalkDir::new(self.world()) {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            let content = if meta.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            let mark = xattr::get(entry.path(), MARK).unwrap();
            let path = entry.path().strip_prefix(self.world()).unwrap().to_owned();
            let _ = meta.uid();
            listing.insert(path, (meta.permissions().mode(), content, mark));
        }
        // Where things are moved aside is a directory of the tool's own.
        listing.retain(|path, _| path != Path::new("aside"));
        listing
    }

    /// The command with this ground's state directory.
    pub(crate) fn georepair(&self, words: &[&str]) -> Command {
        let mut command = georepair(words);
        command.arg("--state-dir").arg(self.at("state"));
        command
    }

    /// Runs it; answers with its exit code, standard output and error.
    pub(crate) fn run(&self, words: &[&str]) -> (i32, String, String) {
        let output = self.georepair(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    pub(crate) fn apply(&self) -> (i32, String, String) {
        self.run(&["apply", self.plan_file().to_str().unwrap(), "--yes"])
    }

    /// The runs as `runs list` tells them.
    pub(crate) fn runs(&self) -> Vec<serde_json::Value> {
        let (code, out, err) = self.run(&["runs", "list", "--format", "json"]);
        assert_eq!(code, 0, "{err}");
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(document["schema"], "georepair/runs/1");
        document["runs"].as_array().unwrap().clone()
    }
}

/// An xattr that an ordinary file system takes from anybody.
pub(crate) const MARK: &str = "user.georepair.mark";

fn odd_names() -> Vec<&'static OsStr> {
    let names: [&[u8]; 5] = [b"plain", b"two words", b"it's $(x) `y`", b"caf\xe9", b"-n\nline"];
    names.into_iter().map(OsStr::from_bytes).collect()
}
