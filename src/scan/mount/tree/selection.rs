//! The paths selected below a mount: each once, in pre-order.

use crate::domain::Name;

/// A place below a mount.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SelectedPath {
    path: Name,
    below: bool,
}

/// What is to be collected: sorted in pre-order, nothing twice.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Selection(Vec<SelectedPath>);

impl SelectedPath {
    /// Its path, relative to the mount; `.` for the mount itself.
    #[must_use]
    pub fn path(&self) -> &Name {
        &self.path
    }

    /// Whether everything below it is selected too.
    #[must_use]
    pub fn below(&self) -> bool {
        self.below
    }
}

impl Selection {
    /// A selection of these paths, relative to the mount and without `..`.
    ///
    /// `below` asks for all that is below each of them, `ancestors` for the directories above.
    #[must_use]
    pub fn new(paths: impl IntoIterator<Item = Name>, below: bool, ancestors: bool) -> Self {
        let mut asked = Vec::new();
        for path in paths {
            if ancestors {
                let bytes = path.as_bytes();
                let cuts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/');
                let above = cuts.filter_map(|(at, _)| bytes.get(..at));
                asked.extend(
                    above.map(|path| SelectedPath { path: Name::from(path), below: false }),
                );
            }
            asked.push(SelectedPath { path, below });
        }
        // Of equal paths the one with everything below comes first, and is kept.
        asked.sort_unstable_by(|a, b| {
            pre_order(&a.path).cmp(pre_order(&b.path)).then(b.below.cmp(&a.below))
        });
        let mut kept: Vec<SelectedPath> = Vec::with_capacity(asked.len());
        let mut tree: Option<Name> = None;
        for asked in asked {
            let known = kept.last().is_some_and(|last| last.path == asked.path);
            if known || tree.as_ref().is_some_and(|top| is_below(&asked.path, top)) {
                continue;
            }
            if asked.below {
                tree = Some(asked.path.clone());
            }
            kept.push(asked);
        }
        Self(kept)
    }

    /// How many places it names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn chunks(&self, size: usize) -> impl Iterator<Item = &[SelectedPath]> {
        self.0.chunks(size)
    }
}

/// The bytes of a path so that a directory sorts right before what is in it: `/` before any
/// other byte, and the root before everything.
fn pre_order(path: &Name) -> impl Iterator<Item = u8> {
    let bytes = if path.as_bytes() == b"." { &[] } else { path.as_bytes() };
    bytes.iter().map(|&byte| if byte == b'/' { 0 } else { byte })
}

fn is_below(path: &Name, top: &Name) -> bool {
    let rest = path.as_bytes().strip_prefix(top.as_bytes());
    top.as_bytes() == b"." || rest.is_some_and(|rest| rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn selected(paths: &[&str], below: bool, ancestors: bool) -> Vec<(String, bool)> {
        let asked = Selection::new(paths.iter().map(Name::from), below, ancestors);
        asked.0.iter().map(|asked| (asked.path.to_string(), asked.below)).collect()
    }

    fn told(paths: &[(&str, bool)]) -> Vec<(String, bool)> {
        paths.iter().map(|(path, below)| ((*path).to_owned(), *below)).collect()
    }

    #[test]
    fn trees_swallow_what_is_below_and_nothing_beside() {
        let found = selected(&["a/b", "a.x", "a", "a/b/c", "a-", "a"], true, false);
        assert_eq!(found, told(&[("a", true), ("a-", true), ("a.x", true)]));
        assert_eq!(selected(&["x", "."], true, false), told(&[(".", true)]));
    }

    #[test]
    fn ancestors_come_first_and_once() {
        let found = selected(&["a/b/d", "a/b/c"], true, true);
        assert_eq!(found, told(&[("a", false), ("a/b", false), ("a/b/c", true), ("a/b/d", true)]));
        assert_eq!(selected(&["a/b", "a"], true, true), told(&[("a", true)]));
    }

    proptest! {
        #[test]
        fn is_in_pre_order_and_complete(
            paths in proptest::collection::vec("[ab.-]{1,2}(/[ab.-]{1,2}){0,3}", 0..30),
            below: bool, ancestors: bool,
        ) {
            let paths: Vec<_> = paths.iter().filter(|p| !p.split('/').any(|n| n == "." || n == "..")).collect();
            let asked = Selection::new(paths.iter().map(Name::from), below, ancestors);
            let parts = |path: &Name| -> Vec<Vec<u8>> {
                path.as_bytes().split(|&byte| byte == b'/').map(<[u8]>::to_vec).collect()
            };
            let order: Vec<_> = asked.0.iter().map(|asked| parts(&asked.path)).collect();
            prop_assert!(order.is_sorted());
            for path in paths {
                let path = Name::from(path);
                let kept = asked.0.iter().filter(|it| {
                    it.path == path || (it.below && is_below(&path, &it.path))
                }).count();
                prop_assert_eq!(kept, 1);
            }
        }
    }
}
