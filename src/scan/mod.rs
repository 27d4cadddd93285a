//! Looks at the world; never changes it.
