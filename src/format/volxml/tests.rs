//! Answers of a real GlusterFS 10.3, and of older ones by their terms.

use super::*;

const VOLUME: &str = include_str!("../../../tests/gluster/10.3/volume-info.xml");
const STATUS: &str = include_str!("../../../tests/gluster/10.3/georep-status.xml");
const POOL: &str = include_str!("../../../tests/gluster/10.3/pool-list.xml");
const UNKNOWN: &str = include_str!("../../../tests/gluster/10.3/volume-unknown.xml");
const CONFIG: &str = include_str!("../../../tests/gluster/10.3/georep-config.txt");

#[test]
fn a_volume_is_read_set_by_set() {
    let volumes = volumes(VOLUME.as_bytes()).unwrap();
    let [volume] = &volumes[..] else { panic!("{volumes:?}") };
    assert_eq!((&*volume.name, volume.started, volume.set_size), ("gv0", true, 2));
    let sets: Vec<Vec<String>> =
        volume.sets().map(|set| set.iter().map(Brick::url).collect()).collect();
    let expected = [
        ["m1:/srv/bricks/gv0-a", "m2:/srv/bricks/gv0-a"],
        ["m1:/srv/bricks/gv0-b", "m2:/srv/bricks/gv0-b"],
    ];
    assert_eq!(sets, expected);
    assert!(volume.is_on("changelog.changelog") && !volume.is_on("performance.client-io-threads"));
    assert_eq!(volume.option("changelog.rollover-time"), Some("3"));
    assert!(!volume.is_dispersed());
}

#[test]
fn a_session_is_read_in_the_terms_of_any_release() {
    let older = STATUS.replace("secondary", "slave").replace("primary", "master");
    assert!(older.contains("session_slave") && older.contains("master_brick"));
    for xml in [STATUS, &older] {
        let sessions = sessions(xml.as_bytes()).unwrap();
        let [session] = &sessions[..] else { panic!("{sessions:?}") };
        assert_eq!(session.secondary.to_string(), "s1::gv0dr");
        assert_eq!(session.secondary.folder(&session.primary), "gv0_s1_gv0dr");
        let id = session.secondary_id.unwrap().to_string();
        assert_eq!(id, "31034ebd-8f7a-4283-85a9-1772897c7635");
        let states: Vec<_> = session.workers.iter().map(|worker| &*worker.state).collect();
        assert_eq!(states, ["Active", "Active", "Passive", "Passive"]);
        assert_eq!(session.workers[0].crawl, "Changelog Crawl");
        assert!(!session.is_stopped());
    }
}

#[test]
fn the_pool_names_this_node_localhost() {
    let pool = pool(POOL.as_bytes()).unwrap();
    let names: Vec<_> = pool.iter().map(|member| (&*member.name, member.connected)).collect();
    assert_eq!(names, [("m2", true), ("localhost", true)]);
}

#[test]
fn a_refusal_is_told_in_its_own_words() {
    let refused = volumes(UNKNOWN.as_bytes()).unwrap_err();
    assert_eq!(refused.to_string(), "gluster says: Volume does not exist");
}

#[test]
fn settings_are_read_from_the_cli_and_from_the_file() {
    let printed = settings(CONFIG);
    assert_eq!(printed["rsync-command"], "rsync");
    assert_eq!(printed["working-dir"], "/var/lib/misc/gluster/gsyncd/gv0_s1_gv0dr/");
    let file = settings("[vars]\nsync-jobs = 5\nrsync-options = --a=b:c\n");
    assert_eq!(file["sync-jobs"], "5");
    assert_eq!(file["rsync-options"], "--a=b:c");
    assert_eq!(file.len(), 2);
}

proptest::proptest! {
    #[test]
    fn no_bytes_are_too_much(bytes: Vec<u8>, at in 0usize..2000, with: Vec<u8>) {
        let _ = volumes(&bytes);
        let mut damaged = STATUS.as_bytes().to_vec();
        damaged.splice(at..(at + with.len()).min(STATUS.len()), with);
        let _ = (sessions(&damaged), volumes(&damaged), pool(&damaged));
    }
}
