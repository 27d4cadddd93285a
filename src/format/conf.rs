//! `gsyncd.conf`: the settings that were made explicitly for a session.

use std::collections::BTreeMap;

/// A setting's name with dashes, as `config` takes it; the file has either form.
#[must_use]
pub fn setting_name(key: &str) -> String {
    key.trim().replace('_', "-")
}

/// The explicit settings, by [`setting_name`]: the `[vars]` section, as `config` writes it since
/// 4.0. The last of several counts, as for python's `configparser`.
#[must_use]
pub fn explicit_settings(conf: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(conf);
    let vars = text.lines().skip_while(|line| line.trim() != "[vars]").skip(1);
    let vars = vars.take_while(|line| !line.trim_start().starts_with('['));
    let pair = |line: &str| {
        let (key, value) = line.split_once('=')?;
        Some((setting_name(key), value.trim().to_owned()))
    };
    vars.filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_of_settings_is_read() {
        let conf = b"[__meta__]\nversion = 4\n\n[vars]\nsync_jobs = 3\nrsync-options = --a=b c\n\
            x\nsync-jobs=5\n\xff = z\n\n[other]\nlog-level = Z\n";
        let found = explicit_settings(conf);
        let pairs: Vec<_> =
            found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let expected = [("rsync-options", "--a=b c"), ("sync-jobs", "5"), ("\u{fffd}", "z")];
        assert_eq!(pairs, expected);
        assert!(explicit_settings(b"").is_empty() && explicit_settings(b"[vars").is_empty());
    }
}
