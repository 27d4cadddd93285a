//! Facts to findings: pure rules, one family a file.
