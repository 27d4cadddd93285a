//! Plans of every level, as the operator sees them.
