//! `/proc/self/mountinfo`: which file system is mounted where, its type and its source.

use std::borrow::Cow;

/// One mount, with the kernel's escapes (`\040`) undone (proc(5), `mountinfo`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount<'a> {
    /// Its number, unique among the mounts that there are now.
    pub id: u64,
    /// The mount point.
    pub point: Cow<'a, [u8]>,
    /// The type of the file system: `fuse.glusterfs`, `ext4`.
    pub kind: Cow<'a, [u8]>,
    /// What it is of: `m1:/gv0`, `/dev/sda1`.
    pub source: Cow<'a, [u8]>,
}

/// The mounts, one per line; other lines are skipped.
pub fn mounts(text: &[u8]) -> impl Iterator<Item = Mount<'_>> {
    text.split(|&byte| byte == b'\n').filter_map(mount)
}

/// The number of an open file's mount, from `/proc/self/fdinfo/<n>`.
#[must_use]
pub fn mount_of_fdinfo(text: &[u8]) -> Option<u64> {
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"mnt_id:"))?;
    number(line.trim_ascii())
}

/// `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
fn mount(line: &[u8]) -> Option<Mount<'_>> {
    let mut fields = line.split(|&byte| byte == b' ');
    let id = number(fields.next()?)?;
    let point = fields.nth(3)?;
    let mut after = fields.skip_while(|field| *field != b"-").skip(1);
    let (kind, source) = (after.next()?, after.next()?);
    Some(Mount { id, point: unescaped(point), kind: unescaped(kind), source: unescaped(source) })
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Puts the byte in the place of each `\ooo`.
fn unescaped(field: &[u8]) -> Cow<'_, [u8]> {
    if !field.contains(&b'\\') {
        return Cow::Borrowed(field);
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let octal = after.first_chunk::<3>().filter(|_| byte == b'\\').and_then(|digits| {
            digits.iter().try_fold(0_u32, |sum, digit| {
                matches!(digit, b'0'..=b'7').then(|| sum * 8 + u32::from(digit - b'0'))
            })
        });
        if let Some(escaped) = octal.and_then(|value| u8::try_from(value).ok()) {
            bytes.push(escaped);
            rest = after.get(3..).unwrap_or_default();
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: &[u8] = b"355 354 0:205 / /var/lib/glusterd rw,relatime - tmpfs lab rw\n\
        42 359 0:39 / /mnt/two\\040words\\134x rw,relatime shared:7 master:1 - fuse.glusterfs \
        m1:/gv0 rw,user_id=0\n\nrubbish\n43 1 0:1 / /short rw - fuse\n";

    #[test]
    fn reads_points_types_and_sources() {
        let found: Vec<_> = mounts(LINES).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].id, &*found[0].kind), (355, &b"tmpfs"[..]));
        assert_eq!(&*found[1].point, b"/mnt/two words\\x");
        assert_eq!((&*found[1].kind, &*found[1].source), (&b"fuse.glusterfs"[..], &b"m1:/gv0"[..]));
    }

    #[test]
    fn fdinfo_tells_the_mount() {
        assert_eq!(
            mount_of_fdinfo(b"pos:\t0\nflags:\t02100000\nmnt_id:\t487\nino:\t1\n"),
            Some(487)
        );
        assert_eq!(mount_of_fdinfo(b"pos:\t0\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text: Vec<u8>) {
            let _ = mounts(&text).count();
            let _ = mount_of_fdinfo(&text);
        }

        #[test]
        fn escapes_are_undone(name: Vec<u8>) {
            let mut escaped = Vec::new();
            for byte in &name {
                match byte {
                    b' ' | b'\t' | b'\n' | b'\\' => {
                        escaped.extend_from_slice(format!("\\{byte:03o}").as_bytes());
                    }
                    byte => escaped.push(*byte),
                }
            }
            prop_assert_eq!(&*unescaped(&escaped), &name[..]);
        }
    }
}
