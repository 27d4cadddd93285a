//! How fast changelogs are read: both encodings from memory, and a history over a million records.
#![expect(missing_docs, reason = "criterion's macros write undocumented functions")]
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use std::borrow::Cow;
use std::fs;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use georepair::domain::{Fop, Gfid};
use georepair::format::changelog::{
    Change, Encoding, Entry, Form, Item, Owner, Place, Record, Version, encode, records,
};
use georepair::scan::changelog::{Span, Subject, history};

const ASCII: Form = Form { version: Version::V1_2, encoding: Encoding::Ascii };

fn gfid(n: u64) -> Gfid {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Gfid::from_bytes((u128::from(mixed) << 64 | u128::from(n)).to_be_bytes())
}

/// What a busy brick writes: a file is made, written, and its xattrs are set; every tenth is
/// renamed, every tenth removed.
fn append(n: u64, form: Form, out: &mut Vec<u8>) -> u64 {
    let place = |name: String| Place { parent: gfid(n % 97), name: Cow::Owned(name.into_bytes()) };
    let entry = |fop, owner, to| {
        let place = place(format!("report-{n:07}.pdf"));
        Change::Entry(Entry { fop, owner, place, to, path: None })
    };
    let owner = Some(Owner { mode: 0o100_644, uid: 1000, gid: 1000 });
    let mut changes = vec![
        entry(Fop::CREATE, owner, None),
        Change::Data,
        Change::Metadata { fop: Fop::SETATTR, owner: None },
    ];
    match n % 10 {
        3 => changes.push(entry(
            Fop::RENAME,
            None,
            Some(Box::new(place(format!("done-{n:07}.pdf")))),
        )),
        7 => changes.push(entry(Fop::UNLINK, None, None)),
        _ => {}
    }
    for change in &changes {
        encode(&Record { offset: 0, gfid: gfid(n), change: change.clone() }, form, out);
    }
    changes.len() as u64
}

fn parse(c: &mut Criterion) {
    for encoding in [Encoding::Ascii, Encoding::Binary] {
        let form = Form { encoding, ..ASCII };
        let mut bytes = form.header().into_bytes();
        (0..200_000).for_each(|n| {
            append(n, form, &mut bytes);
        });
        let mut group = c.benchmark_group("parse");
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
        group.bench_function(form.to_string(), |b| {
            b.iter(|| {
                let sound = |item: &Item<'_>| matches!(black_box(item), Item::Record(_));
                black_box(records(black_box(&bytes)).filter(sound).count())
            });
        });
        group.finish();
    }
}

fn tell(c: &mut Criterion) {
    let brick = tempfile::tempdir().unwrap();
    let folder = brick.path().join(".glusterfs/changelogs/2026/11/21");
    fs::create_dir_all(&folder).unwrap();
    let (mut n, mut total) = (0, 0);
    for end in 0..320 {
        let mut bytes = ASCII.header().into_bytes();
        for _ in 0..1000 {
            total += append(n, ASCII, &mut bytes);
            n += 1;
        }
        let path = folder.join(format!("CHANGELOG.{}", 1_795_219_200 + 15 * end));
        #[expect(clippy::disallowed_methods, reason = "the bench builds its own brick")]
        fs::write(path, bytes).unwrap();
    }
    let bricks = [brick.path().to_path_buf()];
    let mut group = c.benchmark_group("history");
    group.throughput(Throughput::Elements(total)).sample_size(10);
    group.bench_function("one gfid of a million records", |b| {
        b.iter(|| history(&bricks, &[Subject::Gfid(gfid(4203))], Span::default()).unwrap());
    });
    group.finish();
}

criterion_group!(benches, parse, tell);
criterion_main!(benches);
