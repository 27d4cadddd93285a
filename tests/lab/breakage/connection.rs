//! The way to the secondary is cut: volume, sshd, keys.

use super::{Broken, PRIMARIES, wait_faulty, write};
use crate::capture::Capture;
use crate::lab::Lab;
use crate::volume::SECONDARY;

const KEYS: &str = "/root/.ssh/authorized_keys";

/// Stops the secondary volume under a running session.
pub(crate) fn secondary_volume_stopped(lab: &Lab) -> Broken<'_> {
    let what = "The secondary volume was stopped while the session was running.";
    let capture = Capture::begin(lab, "secondary-volume-stopped", what);
    capture.run_on("s1", &["gluster", "--mode=script", "volume", "stop", SECONDARY, "force"]);
    write(lab, "volume-stopped/while-stopped.txt", "written while the secondary volume is stopped");
    capture.tell("wrote volume-stopped/while-stopped.txt on the primary");
    wait_faulty(&capture);
    capture.wait_log(PRIMARIES, "gsyncd.log", &["Gluster Mount process exited", "ENOTCONN"]);
    capture.wait_log(PRIMARIES, "gsyncd.log", &["starting gsyncd worker"]);
    wait_faulty(&capture);
    Broken::new(capture, |lab| {
        lab.secondary().gluster(&["volume", "start", SECONDARY]);
    })
}

/// Ends sshd and its connections on the secondary.
pub(crate) fn sshd_down(lab: &Lab) -> Broken<'_> {
    let what = "sshd was stopped on the secondary, with all its connections.";
    let capture = Capture::begin(lab, "sshd-down", what);
    capture.run_on("s1", &["pkill", "-x", "sshd"]);
    wait_faulty(&capture);
    capture.wait_log(PRIMARIES, "gsyncd.log", &["ssh>", "Connection refused"]);
    Broken::new(capture, |lab| lab.secondary().start_sshd())
}

/// Takes every authorized key from the secondary.
pub(crate) fn key_refused(lab: &Lab) -> Broken<'_> {
    let what = "All of root's authorized keys were removed on the secondary.";
    let capture = Capture::begin(lab, "key-refused", what);
    capture.run_on("s1", &["mv", KEYS, "/root/.ssh/authorized_keys.away"]);
    restart_sshd(&capture);
    wait_faulty(&capture);
    capture.wait_log(PRIMARIES, "gsyncd.log", &["ssh>", "Permission denied (publickey"]);
    Broken::new(capture, |lab| {
        lab.secondary().run_on(&["mv", "/root/.ssh/authorized_keys.away", KEYS]);
    })
}

/// Leaves gsyncd's keys authorized, but without their `command=`: what ssh runs then is the
/// placeholder that every gsyncd command line contains.
pub(crate) fn key_without_forced_command(lab: &Lab) -> Broken<'_> {
    let what = "gsyncd's keys stayed authorized on the secondary, but lost their forced command.";
    let capture = Capture::begin(lab, "key-without-forced-command", what);
    capture.run_on("s1", &["cp", "-p", KEYS, "/root/.ssh/authorized_keys.kept"]);
    capture.run_on("s1", &["sed", "-i", r#"s/^command="[^"]*" *//"#, KEYS]);
    restart_sshd(&capture);
    wait_faulty(&capture);
    capture.wait_log(PRIMARIES, "gsyncd.log", &["ssh>", "/nonexistent/gsyncd"]);
    Broken::new(capture, |lab| {
        lab.secondary().run_on(&["mv", "/root/.ssh/authorized_keys.kept", KEYS]);
    })
}

/// Cuts the connections that are there, so that new ones must be made.
fn restart_sshd(capture: &Capture<'_>) {
    capture.run_on("s1", &["pkill", "-x", "sshd"]);
    capture.run_on("s1", &["/usr/sbin/sshd", "-E", "/var/log/sshd.log"]);
}
