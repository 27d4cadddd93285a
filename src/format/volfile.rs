//! The graph of a client, as a mount shows it in `.meta/graphs/active/volfile`.

use uuid::Uuid;

/// What a client's graph tells about its volume.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Volfile {
    /// The volume's id, where all parts of the graph that name one agree.
    pub volume: Option<Uuid>,
    /// The bricks, `HOST:DIR`, in the order of the graph; bytes that are not UTF-8 replaced.
    pub bricks: Vec<String>,
}

/// Reads a graph. It also holds the volume's password, which is not read.
#[must_use]
pub fn volfile(text: &[u8]) -> Volfile {
    let mut found = Volfile::default();
    let (mut ids, mut host) = (Vec::new(), None);
    for line in text.split(|&byte| byte == b'\n') {
        let Some(option) = line.trim_ascii().strip_prefix(b"option ") else { continue };
        let option = String::from_utf8_lossy(option);
        match option.split_once(' ').map(|(key, value)| (key, value.trim())) {
            Some(("volume-id", id)) => ids.extend(id.parse::<Uuid>()),
            Some(("remote-host", name)) => host = Some(name.to_owned()),
            Some(("remote-subvolume", dir)) => {
                found.bricks.extend(host.take().map(|host| format!("{host}:{dir}")));
            }
            _ => {}
        }
    }
    found.volume = ids.first().copied().filter(|first| ids.iter().all(|id| id == first));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GRAPH: &str = "volume gv0-client-0\n    type protocol/client\n    option remote-host m1\n\
        \x20   option remote-subvolume /srv/bricks/gv0\n    option password secret\nend-volume\n\
        volume gv0-client-1\n    option volume-id 614d3b8d-e5db-4649-9ca0-ab25f971b5b9\n\
        \x20   option remote-host m2\n    option remote-subvolume /srv/my bricks/gv0\nend-volume\n\
        volume gv0-replicate-0\n    option volume-id 614d3b8d-e5db-4649-9ca0-ab25f971b5b9\n";

    #[test]
    fn tells_the_volume_and_its_bricks() {
        let found = volfile(GRAPH.as_bytes());
        let id = found.volume.map(|id| id.to_string());
        assert_eq!(id.as_deref(), Some("614d3b8d-e5db-4649-9ca0-ab25f971b5b9"));
        assert_eq!(found.bricks, ["m1:/srv/bricks/gv0", "m2:/srv/my bricks/gv0"]);
        assert!(!format!("{found:?}").contains("secret"));
    }

    #[test]
    fn two_ids_are_none() {
        let other = format!("{GRAPH}option volume-id 00000000-e5db-4649-9ca0-ab25f971b5b9\n");
        assert_eq!(volfile(other.as_bytes()).volume, None);
        assert_eq!(volfile(b"volume x\n"), Volfile::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text: Vec<u8>) {
            let _ = volfile(&text);
        }
    }
}
