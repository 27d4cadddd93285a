//! Where GlusterFS keeps what geo-replication needs, and the port of glusterd.

/// glusterd's folder of sessions: a folder for each, and the keys that `create` distributes.
pub const SESSIONS: &str = "/var/lib/glusterd/geo-replication";
/// The folder of all logs.
pub const LOGS: &str = "/var/log/glusterfs";
/// The TCP port of glusterd.
pub const GLUSTERD_PORT: u16 = 24007;
