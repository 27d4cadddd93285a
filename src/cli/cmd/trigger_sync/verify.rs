//! The proof: recorded by the bricks, sent by the session, arrived on the secondary.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anstream::eprintln;
use rustix::fs::{AtFlags, statat};

use super::refusal::Refusal;
use super::site::Site;
use crate::apply::{ManifestError, ManifestReader};
use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::domain::{Gfid, Name};
use crate::plan::{Bulk, Manifest, Pace, Place, Trigger};
use crate::report::{Mishap, Proof};
use crate::scan::cluster::{Agent, Cluster, ClusterError, Host, Tools};
use crate::scan::{Arrival, Looks, Search, gfid_through, marks_of};

/// How many objects a peer is asked about at a time.
const TOGETHER: usize = 1024;
/// Seconds between two looks at the bricks.
const LOOK: Duration = Duration::from_secs(1);

/// What to prove, with what.
pub(super) struct Verify<'a> {
    pub(super) site: &'a Site,
    pub(super) tools: &'a Tools,
    pub(super) global: &'a Global,
    /// No slice that ended before is looked at, seconds since 1970.
    pub(super) since: i64,
    /// How long to wait for each of the three.
    pub(super) patience: Duration,
}

/// An object that should arrive.
struct Sent {
    at: Place,
    gfid: Gfid,
    parent: Gfid,
    folder: bool,
}

impl Sent {
    fn name(&self) -> &[u8] {
        self.at.name().as_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default()
    }
}

impl Verify<'_> {
    /// Proves a list.
    pub(super) fn prove(&self, lists: &Path, manifest: &Manifest) -> Result<Proof, Failure> {
        if self.site.bricks.is_empty() {
            let volume = self.site.mount.volume().to_owned();
            return Err(Refusal::NoBrick { what: "--verify", volume }.into());
        }
        let sent = self.sent(lists, manifest)?;
        let mut search = Search::default();
        for it in &sent {
            search.want(it.gfid, it.parent, it.name(), it.folder);
        }
        let ends = self.find_records(&mut search)?;
        let mut proof = Proof::default();
        for it in &sent {
            if search.is_recorded(it.gfid) {
                proof.recorded += 1;
            } else {
                proof.not_recorded += 1;
                proof.tell(mishap(it, "not recorded by the bricks of this node".to_owned()));
            }
        }
        proof.sent = self.wait_for_session(&ends)?;
        match self.look_over_there(&sent, &mut proof) {
            Ok(()) => {}
            Err(error) => proof.blind(error.to_string()),
        }
        Ok(proof)
    }

    /// The list again, each with the gfid of its directory.
    fn sent(&self, lists: &Path, manifest: &Manifest) -> Result<Vec<Sent>, ManifestError> {
        let bulk = Bulk::TriggerSync { mount: Place::from("/"), pace: Pace::default() };
        let mut reader = ManifestReader::open(lists, manifest)?;
        let mut folders: HashMap<Vec<u8>, Gfid> = HashMap::from([(b".".to_vec(), Gfid::ROOT)]);
        let mut sent = Vec::new();
        loop {
            let batch = reader.batch(&bulk)?;
            if batch.is_empty() {
                return Ok(sent);
            }
            for trigger in batch.iter().filter_map(|item| item.trigger()) {
                let Trigger { at, folder, gfid: Some(gfid) } = trigger else { continue };
                let path = at.name().as_bytes();
                let cut = path.iter().rposition(|&byte| byte == b'/');
                let above = cut.and_then(|cut| path.get(..cut)).unwrap_or(b".");
                let parent = match folders.get(above) {
                    Some(parent) => *parent,
                    None => {
                        let known = self.gfid_of_folder(above).unwrap_or(Gfid::ROOT);
                        folders.insert(above.to_vec(), known);
                        known
                    }
                };
                if *folder {
                    folders.insert(path.to_vec(), *gfid);
                }
                sent.push(Sent { at: at.clone(), gfid: *gfid, parent, folder: *folder });
            }
        }
    }

    fn gfid_of_folder(&self, path: &[u8]) -> Option<Gfid> {
        let folder = self.site.mount.way_to(path).ok()?;
        gfid_through(std::os::fd::AsFd::as_fd(&folder), b".").ok()?
    }

    /// Waits for rollovers until everything is found or nothing more can be hoped for; answers
    /// with the end of the last slice of interest on each brick.
    fn find_records(&self, search: &mut Search) -> Result<Vec<Option<u32>>, Failure> {
        let begin = Instant::now();
        let mut ends = vec![None; self.site.bricks.len()];
        self.say("waiting for the bricks to roll over their changelogs");
        loop {
            for (end, brick) in ends.iter_mut().zip(&self.site.bricks) {
                *end = (*end).max(search.read(brick.path(), self.since)?);
            }
            if search.missing() == 0 || begin.elapsed() > self.patience {
                return Ok(ends);
            }
            sleep(LOOK);
        }
    }

    /// Waits until the session is past these slices; nothing where it does not run.
    fn wait_for_session(&self, ends: &[Option<u32>]) -> Result<Option<bool>, Failure> {
        let id = self.site.session.as_ref().and_then(|session| session.secondary_id);
        let Some(id) = id.map(|id| id.to_string()) else { return Ok(None) };
        let begin = Instant::now();
        self.say("waiting for the session to come past them");
        loop {
            let mut past = true;
            for (brick, end) in self.site.bricks.iter().zip(ends) {
                let Some(end) = end else { continue };
                let marks = marks_of(brick.path())?;
                let mark = marks.iter().find(|marks| marks.session.ends_with(&id));
                past &= mark.is_some_and(|marks| marks.stime.sec.saturating_add(1) >= *end);
            }
            if past || begin.elapsed() > self.patience {
                return Ok(Some(past));
            }
            sleep(LOOK);
        }
    }

    fn look_over_there(&self, sent: &[Sent], proof: &mut Proof) -> Result<(), ClusterError> {
        let Some(session) = &self.site.session else {
            proof.blind("which session carries them is not known".to_owned());
            return Ok(());
        };
        let begin = Instant::now();
        let mut left: Vec<&Sent> = sent.iter().collect();
        self.say("looking at the secondary");
        loop {
            let cluster = Cluster::of_secondary(self.tools, &session.secondary)?;
            let mut bad = Vec::new();
            for together in left.chunks(TOGETHER) {
                let found = self.arrivals(&cluster, &session.secondary.volume, together)?;
                bad.extend(together.iter().filter_map(|it| Some((*it, self.amiss(it, &found)?))));
            }
            // Data follows the entries; what is on its way may need a moment more.
            if bad.is_empty() || begin.elapsed() > self.patience {
                let missing = bad.iter().filter(|(_, amiss)| amiss.is_none()).count() as u64;
                proof.missing = missing;
                proof.different = bad.len() as u64 - missing;
                proof.arrived = sent.len() as u64 - bad.len() as u64;
                for (it, amiss) in bad {
                    let says = amiss.unwrap_or_else(|| "not on the secondary".to_owned());
                    proof.tell(mishap(it, says));
                }
                return Ok(());
            }
            left = bad.into_iter().map(|(it, _)| it).collect();
            sleep(LOOK);
        }
    }

    /// What the bricks of the secondary have of these.
    fn arrivals(
        &self,
        cluster: &Cluster<'_>,
        volume: &str,
        sent: &[&Sent],
    ) -> Result<HashMap<Gfid, Arrival>, ClusterError> {
        let mut nodes: HashMap<Host, Vec<std::ffi::OsString>> = HashMap::new();
        for brick in cluster.volume(volume)?.bricks {
            let verb =
                nodes.entry(cluster.host_of(&brick)).or_insert_with(|| vec!["arrivals".into()]);
            verb.extend(["--brick".into(), brick.dir.into_os_string()]);
        }
        let mut found = HashMap::new();
        for (host, verb) in nodes {
            let broken = |source| ClusterError::Broken { node: host.to_string(), source };
            let mut agent = Agent::start(self.tools, &host, &verb)?;
            let gfids: Vec<_> = sent.iter().map(|it| it.gfid).collect();
            let question = serde_json::to_vec(&gfids).map_err(std::io::Error::from);
            if let Some(input) = agent.input() {
                question.and_then(|text| input.write_all(&text)).map_err(broken)?;
                input.write_all(b"\n").and_then(|()| input.flush()).map_err(broken)?;
            }
            let mut answer = String::new();
            agent.output().read_line(&mut answer).map_err(broken)?;
            let arrived: Vec<Option<Arrival>> =
                serde_json::from_str(&answer).map_err(|error| broken(error.into()))?;
            found.extend(arrived.into_iter().flatten().map(|it| (it.gfid, it)));
            agent.finish()?;
        }
        Ok(found)
    }

    /// What is wrong with an object over there: nothing, that it is missing (`Some(None)`), or how
    /// it differs.
    fn amiss(&self, sent: &Sent, found: &HashMap<Gfid, Arrival>) -> Option<Option<String>> {
        let Some(arrival) = found.get(&sent.gfid) else { return Some(None) };
        let named = arrival
            .names
            .iter()
            .any(|(parent, name)| (*parent, name.as_slice()) == (sent.parent, sent.name()));
        if !named {
            return Some(Some("it has another name or directory there".to_owned()));
        }
        let path = sent.at.name().as_bytes();
        let cut = path.iter().rposition(|&byte| byte == b'/');
        let above = cut.and_then(|cut| path.get(..cut)).unwrap_or(b".");
        let here = self
            .site
            .mount
            .way_to(above)
            .and_then(|folder| statat(&folder, sent.name(), AtFlags::SYMLINK_NOFOLLOW));
        match here {
            Ok(here) => Looks::of(&here).difference(&arrival.about).map(Some),
            // Gone here meanwhile: nothing that has to be over there.
            Err(_) => None,
        }
    }

    fn say(&self, what: &str) {
        if !self.global.quiet {
            eprintln!("{what}");
        }
    }
}

fn mishap(sent: &Sent, says: String) -> Mishap {
    Mishap { gfid: sent.gfid, path: Name::from(sent.at.name().as_bytes()), says }
}
