//! One situation after another in which a reset would do harm.
