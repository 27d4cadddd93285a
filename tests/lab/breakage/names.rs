//! Names and trees that are hard to carry.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::{Broken, PRIMARIES, SECONDARIES, wait_faulty};
use crate::capture::Capture;
use crate::lab::Lab;
use crate::listing::{self, odd_path};
use crate::{load, session};

/// Names with umlauts, blanks, percent signs, newlines, and of 255 bytes.
pub(crate) fn odd_names(lab: &Lab) -> Broken<'_> {
    let what = "Nothing was broken: files, symlinks and directories with non-ASCII and \
                otherwise odd names were created.";
    let capture = Capture::begin(lab, "odd-names", what);
    let long = "ü".repeat(127);
    let names = ["Bäckerei", "日本語", "a b", "50%25 off%20", "two\nlines", " ", "-rf", "\u{202e}"];
    let names = names.into_iter().chain([long.as_str()]);
    for name in names {
        let dir = lab.on_primary("odd").join(name);
        fs::create_dir_all(&dir).expect("an odd directory");
        fs::write(dir.join(name), name).expect("an odd file");
        std::os::unix::fs::symlink(name, dir.join("link")).expect("an odd symlink");
        let renamed = dir.join(name.chars().rev().collect::<String>() + "~");
        fs::rename(dir.join("link"), renamed).expect("an odd rename");
    }
    capture.tell("made files, symlinks and directories of odd names under odd/ on the primary");
    listing::wait_equal(lab);
    capture.tell("all of it has arrived");
    Broken::new(capture, |_| ())
}

/// One name that is not UTF-8: the worker cannot read its changelog and dies at it again and again,
/// also when the file is long gone.
pub(crate) fn name_not_utf8(lab: &Lab) -> Broken<'_> {
    let what = "A file whose name is not UTF-8 was created on the primary; removing it does \
                not help.";
    let capture = Capture::begin(lab, "name-not-utf8", what);
    let path = lab.on_primary(odd_path(b"latin1-\xe4\xf6\xfc.txt"));
    fs::write(&path, "a name of another century").expect("an odd file");
    capture.tell(r"wrote latin1-\xe4\xf6\xfc.txt (ISO 8859-1) on the primary");
    wait_faulty(&capture);
    capture.wait_log(PRIMARIES, "gsyncd.log", &["UnicodeDecodeError: 'utf-8' codec"]);
    fs::remove_file(&path).expect("it goes");
    capture.tell("removed it again");
    assert!(!session::canary(lab, 25), "the changelog still holds the name");
    capture.tell("25 s later a file written then has not arrived");
    Broken::new(capture, session::recreate)
}

/// A tree of sixty levels.
pub(crate) fn deep_tree(lab: &Lab) -> Broken<'_> {
    let what = "Nothing was broken: a file sixty directories deep was created.";
    let capture = Capture::begin(lab, "deep-tree", what);
    let mut dir = lab.on_primary("deep");
    for level in 0..60 {
        dir.push(format!("level-{level}"));
    }
    fs::create_dir_all(&dir).expect("a deep tree");
    fs::write(dir.join("bottom.txt"), "far down").expect("a deep file");
    listing::wait_equal(lab);
    Broken::new(capture, |_| ())
}

/// Files are written as `.part` and renamed, again and again, while the session restarts.
///
/// What breaks gsyncd 3.7 for good leaves traces only in 10.3: each file that is gone before gsyncd
/// comes to it is a "No such file or directory" in the secondary's mount log.
pub(crate) fn rename_loop(lab: &Lab) -> Broken<'_> {
    let what = "Files were written as .part and renamed, again and again, as ownCloud does, \
                while the session was stopped and started twice; in the end both sides are \
                equal.";
    let capture = Capture::begin(lab, "rename-loop-while-restarting", what);
    let dir = lab.on_primary("owncloud");
    fs::create_dir_all(&dir).expect("a directory");
    capture
        .tell("from now on, for n in 0..4, on the primary: write owncloud/fN.part, rename it fN");
    let writes = |round| {
        (0..4).for_each(|n| write_and_rename(&dir, n, round));
        sleep(Duration::from_secs(1));
    };
    load::meanwhile(writes, || {
        for _ in 0..2 {
            sleep(Duration::from_secs(5));
            capture.georep(&["stop", "force"]);
            capture.georep(&["start", "force"]);
            session::live(lab);
        }
    });
    capture.tell("the loop has ended");
    capture.wait_log(SECONDARIES, "mnt-", &["remote operation failed", "errno=2"]);
    session::live(lab);
    listing::wait_equal(lab);
    capture.tell("both sides are equal");
    Broken::new(capture, |_| ())
}

fn write_and_rename(dir: &Path, n: u32, round: u32) {
    let part = dir.join(format!("f{n}.part"));
    fs::write(&part, format!("round {round}")).expect("a part");
    fs::rename(&part, dir.join(format!("f{n}"))).expect("a rename");
}
