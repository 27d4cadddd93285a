//! A temporary mount of a volume, to read or change it as a client.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::RUN;
use crate::apply::executor::ExecutorError;
use crate::scan::cluster::{Host, Tools};

/// How long a fresh mount may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// As whom a volume is mounted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Client {
    /// As an application: changes are replicated.
    Ordinary,
    /// As gsyncd: it may write to a secondary.
    Gsyncd,
}

/// A mounted volume; dropping it unmounts.
#[derive(Debug)]
pub(super) struct Mount<'a> {
    tools: &'a Tools,
    at: tempfile::TempDir,
}

impl<'a> Mount<'a> {
    /// Mounts a volume from `server`, without caches that would hide changes of others.
    pub(super) fn of(
        tools: &'a Tools,
        server: &str,
        volume: &str,
        client: Client,
    ) -> Result<Self, ExecutorError> {
        let failed = |source: io::Error| ExecutorError::System {
            doing: format!("create a mount point in {RUN}"),
            source,
        };
        fs::create_dir_all(RUN).map_err(failed)?;
        let at = tempfile::Builder::new().prefix("mount-").tempdir_in(RUN).map_err(failed)?;
        let mount = Self { tools, at };
        let mut argv: Vec<OsString> = vec!["glusterfs".into()];
        argv.push(format!("--volfile-server={server}").into());
        argv.push(format!("--volfile-id={volume}").into());
        let uncached = ["--attribute-timeout=0", "--entry-timeout=0", "--negative-timeout=0"];
        argv.extend(uncached.map(OsString::from));
        argv.push("--log-file=/var/log/glusterfs/georepair-mount.log".into());
        if client == Client::Gsyncd {
            argv.extend(["--client-pid=-1", "--aux-gfid-mount", "--acl"].map(OsString::from));
        }
        argv.push(mount.path().into());
        tools.checked(&Host::Here, &argv)?;
        mount.wait(server, volume)?;
        Ok(mount)
    }

    /// Its root.
    pub(super) fn path(&self) -> &Path {
        self.at.path()
    }

    /// A path below its root.
    pub(super) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.at.path().join(name)
    }

    /// glusterfs goes into the background before the volume answers.
    fn wait(&self, server: &str, volume: &str) -> Result<(), ExecutorError> {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_up() {
            if Instant::now() >= deadline {
                let log = "see /var/log/glusterfs/georepair-mount.log";
                let what = format!("cannot mount volume {volume} of {server}; {log}");
                return Err(ExecutorError::Unfit(what));
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// The root of every volume has the inode 1, and its directory can be read.
    fn is_up(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let root = fs::metadata(self.path());
        root.is_ok_and(|root| root.ino() == 1) && fs::read_dir(self.path()).is_ok()
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // Lazily: a volume that does not answer must not block. If it stays mounted, its mount
        // point, an empty directory, cannot be removed either.
        let umount = [OsString::from("umount"), "-l".into(), self.path().into()];
        let _ = self.tools.output(&Host::Here, &umount);
        // Not recursive, ever: below it might still be a volume.
        self.at.disable_cleanup(true);
        #[expect(clippy::disallowed_methods, reason = "an empty directory of our own")]
        let _ = fs::remove_dir(self.at.path());
    }
}
