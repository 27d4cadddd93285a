//! The audits on bricks built by hand: sound ones are silent, each damage is exactly its finding.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at surprises")]
#![expect(clippy::disallowed_methods, reason = "a test of damage does the damage")]

#[path = "../bricks/mod.rs"]
mod bricks;
mod damage;
mod handles;
mod history;
mod live;
mod manner;
mod pair;
mod sides;
#[path = "../support/mod.rs"]
mod support;
mod volumes;

use std::path::Path;

use assert_cmd::Command;
use bricks::FakeBrick;
use serde_json::Value;
use support::georepair;

/// Exit code and document of one `audit` command.
pub(crate) struct AuditOutput {
    pub(crate) code: i32,
    pub(crate) document: Value,
}

impl AuditOutput {
    /// Code and path of each finding, a bare `-` where there is no path.
    pub(crate) fn findings(&self) -> Vec<(&str, &str)> {
        let findings = self.document["findings"].as_array().unwrap().iter();
        findings
            .map(|it| (it["code"].as_str().unwrap(), it["path"].as_str().unwrap_or("-")))
            .collect()
    }

    /// A list of the head, in one text.
    pub(crate) fn list(&self, name: &str) -> String {
        self.document[name].to_string()
    }
}

/// Runs `audit brick` with a minute's patience.
pub(crate) fn audit(brick: &FakeBrick) -> AuditOutput {
    audit_beside(brick, Path::new("/var/lib/glusterd/geo-replication"))
}

/// Runs `audit brick` where glusterd keeps its sessions in this folder.
pub(crate) fn audit_beside(brick: &FakeBrick, sessions: &Path) -> AuditOutput {
    let mut command = georepair(["--format", "json", "--quiet", "audit", "brick", "--offline"]);
    command.arg(brick.path()).arg("--sessions-dir").arg(sessions);
    let mut command = Command::from_std(command);
    let output = command.timeout(std::time::Duration::from_mins(1)).output().unwrap();
    told(&output)
}

/// What an audit's output tells.
pub(crate) fn told(output: &std::process::Output) -> AuditOutput {
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(document["schema"], "georepair/audit/1");
    AuditOutput { code: output.status.code().unwrap(), document }
}
