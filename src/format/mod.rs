//! Bytes to nouns and back: total functions over slices.
