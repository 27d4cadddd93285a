//! Quoting for bash.

use crate::domain::Name;

/// One word that a shell reads back as exactly these bytes.
pub(in crate::plan) fn quoted(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        // A text without a NUL byte can be quoted; the empty word cannot do harm.
        Ok(text) if !text.chars().any(char::is_control) => {
            shlex::try_quote(text).unwrap_or_default().into_owned()
        }
        // Bash's own `$'…'`: printing the script cannot move the cursor.
        _ => Name::from(bytes).to_string(),
    }
}
