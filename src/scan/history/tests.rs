//! Histories over built bricks.
