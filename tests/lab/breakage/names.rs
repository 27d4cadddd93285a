//! Names and trees that are hard to carry.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Broken;
use crate::capture::Scene;
use crate::lab::Lab;
use crate::listing::{self, odd_path};
use crate::session;

/// Names with umlauts, blanks, percent signs, newlines, and of 255 bytes.
pub(crate) fn odd_names(lab: &Lab) -> Broken<'_> {
    let what = "Nothing was broken: files, symlinks and directories of non-ASCII and otherwise odd names were made.";
    let scene = Scene::begin(lab, "odd-names", what);
    let long = "ü".repeat(127);
    let names = ["Bäckerei", "日本語", "a b", "50%25 off%20", "two\nlines", " ", "-rf", "\u{202e}"];
    let names = names.into_iter().chain([long.as_str()]);
    for name in names {
        let dir = lab.on_primary("odd").join(name);
        fs::create_dir_all(&dir).expect("an odd directory");
        fs::write(dir.join(name), name).expect("an odd file");
        std::os::unix::fs::symlink(name, dir.join("link")).expect("an odd symlink");
        fs::rename(dir.join(name), dir.join(format!("{}.r", &name[..name.len().min(200) / 2 * 2])))
            .unwrap_or(());
    }
    scene.tell("made files, symlinks and directories of odd names under odd/ on the primary");
    listing::wait_equal(lab, 90);
    scene.tell("all of it has arrived");
    Broken::new(scene, |_| ())
}

/// A name that is not UTF-8.
pub(crate) fn name_not_utf8(lab: &Lab) -> Broken<'_> {
    let what = "A file whose name is not UTF-8 was made on the primary.";
    let scene = Scene::begin(lab, "name-not-utf8", what);
    let path = lab.on_primary(odd_path(b"latin1-\xe4\xf6\xfc.txt"));
    fs::write(&path, "a name of another century").expect("an odd file");
    scene.tell(r"wrote latin1-\xe4\xf6\xfc.txt (ISO 8859-1) on the primary");
    std::thread::sleep(std::time::Duration::from_secs(25));
    scene.tell(&format!("status: {:?}", session::status(lab)));
    scene.tell(&format!("differences: {:?}", listing::differences(lab)));
    Broken::new(scene, |lab| {
        fs::remove_file(lab.on_primary(odd_path(b"latin1-\xe4\xf6\xfc.txt"))).expect("it goes");
    })
}

/// A tree of sixty levels.
pub(crate) fn deep_tree(lab: &Lab) -> Broken<'_> {
    let what = "Nothing was broken: a file sixty directories deep was made.";
    let scene = Scene::begin(lab, "deep-tree", what);
    let mut dir = lab.on_primary("deep");
    for level in 0..60 {
        dir.push(format!("level-{level}"));
    }
    fs::create_dir_all(&dir).expect("a deep tree");
    fs::write(dir.join("bottom.txt"), "far down").expect("a deep file");
    listing::wait_equal(lab, 90);
    Broken::new(scene, |_| ())
}

/// Files are written as `.part` and renamed, again and again, while the session restarts.
pub(crate) fn rename_loop(lab: &Lab) -> Broken<'_> {
    let what = "Files were written as .part and renamed, again and again, as ownCloud does, while the session was stopped and started twice.";
    let scene = Scene::begin(lab, "rename-loop-while-restarting", what);
    let dir = lab.on_primary("owncloud");
    fs::create_dir_all(&dir).expect("a directory");
    let stop = AtomicBool::new(false);
    scene.tell(
        "from now on, on the primary, for n in 0..8: write owncloud/fN.part, rename it to fN",
    );
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                for n in 0..8 {
                    let part = dir.join(format!("f{n}.part"));
                    fs::write(&part, format!("round {round}")).expect("a part");
                    fs::rename(&part, dir.join(format!("f{n}"))).expect("a rename");
                }
                round += 1;
            }
        });
        for _ in 0..2 {
            std::thread::sleep(std::time::Duration::from_secs(6));
            scene.georep(&["stop", "force"]);
            scene.georep(&["start", "force"]);
            session::wait_status(lab, "Active", 60, |rows| session::any(rows, "Active"));
        }
        stop.store(true, Ordering::Relaxed);
    });
    scene.tell("the loop has ended");
    session::live(lab);
    scene.tell(&format!("differences: {:?}", listing::differences(lab)));
    Broken::new(scene, |_| ())
}
