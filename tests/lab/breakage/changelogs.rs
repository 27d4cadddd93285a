//! A brick's history is damaged: changelogs, HTIME, stime.

use super::{Broken, PRIMARIES, active, wait_faulty, write};
use crate::capture::Capture;
use crate::lab::Lab;
use crate::session;

const CHANGELOGS: &str = ".glusterfs/changelogs";

/// Deletes all changelogs with the session kept, as old recipes have it.
pub(crate) fn changelogs_deleted(lab: &Lab) -> Broken<'_> {
    let what = "Everything under .glusterfs/changelogs was deleted on both primary bricks, with \
                the session stopped and kept.";
    let capture = Capture::begin(lab, "changelogs-deleted", what);
    capture.georep(&["stop"]);
    for brick in lab.shape().primary {
        let dir = format!("{}/{CHANGELOGS}", brick.dir);
        capture.run_on(brick.node, &["find", &dir, "-mindepth", "1", "-delete"]);
    }
    capture.georep(&["start"]);
    wait_faulty(&capture);
    let words = ["Changelog History Crawl failed"];
    capture.wait_log(PRIMARIES, "gsyncd.log", &words);
    Broken::new(capture, session::recreate)
}

/// Leaves a file without its xattr beside the HTIME index, as the upgrade script does.
pub(crate) fn htime_damaged(lab: &Lab) -> Broken<'_> {
    let what = "A file without the index's xattr was put beside the HTIME file of both primary \
                bricks.";
    let capture = Capture::begin(lab, "htime-damaged", what);
    capture.georep(&["stop"]);
    for brick in lab.shape().primary {
        let litter = litter(brick.dir);
        capture.run_on(brick.node, &["touch", &litter]);
    }
    capture.georep(&["start"]);
    wait_faulty(&capture);
    let words = ["Changelog History Crawl failed"];
    capture.wait_log(PRIMARIES, "gsyncd.log", &words);
    Broken::new(capture, |lab| {
        for brick in lab.shape().primary {
            lab.node(brick.node).run_on(&["rm", &litter(brick.dir)]);
        }
    })
}

fn litter(brick: &str) -> String {
    format!("{brick}/{CHANGELOGS}/htime/HTIME.1500000000.bak")
}

/// Removes the stime of the Active worker's brick while the session is stopped.
pub(crate) fn stime_lost(lab: &Lab) -> Broken<'_> {
    let worker = active(lab);
    let what = "The stime of one brick was removed while the session was stopped.";
    let capture = Capture::begin(lab, "stime-lost", what);
    capture.georep(&["stop"]);
    write(lab, "stime-lost/a.txt", "written while stopped");
    let name = stime_names(lab, &worker.node, &worker.brick);
    assert_eq!(name.len(), 1, "one session, one stime: {name:?}");
    for name in &name {
        capture.run_on(&worker.node, &["setfattr", "-x", name, &worker.brick]);
    }
    capture.georep(&["start"]);
    let words = ["No stime available, using xsync crawl"];
    capture.wait_log(&[worker.node.as_str()], "gsyncd.log", &words);
    Broken::new(capture, |_| ())
}

/// The names of the stime xattrs of a brick's root.
pub(crate) fn stime_names(lab: &Lab, node: &str, brick: &str) -> Vec<String> {
    let names = xattr::list(lab.node(node).path(brick)).expect("the brick's xattrs");
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| is_stime(name)).collect()
}

/// Whether a mark is the stime, and not the `entry_stime`.
pub(crate) fn is_stime(name: &str) -> bool {
    name.rsplit('.').next() == Some("stime")
}
