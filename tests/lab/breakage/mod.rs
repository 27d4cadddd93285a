//! Ways to break a session, named after what is broken.
