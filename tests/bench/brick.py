"""Builds a brick for the benches: DIRS directories, FILES files, handles, gfid2path; root only.

usage: brick.py DIR DIRS FILES
"""
import os
import random
import sys
import uuid


def xxh64(data):
    """XXH64 with seed 0, for the names of gfid2path xattrs."""
    mask, rotl = (1 << 64) - 1, lambda x, r: ((x << r) | (x >> (64 - r))) & ((1 << 64) - 1)
    p1, p2, p3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
    p4, p5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
    word = lambda at, size: int.from_bytes(data[at:at + size], "little")
    mix = lambda acc, lane: rotl((acc + lane * p2) & mask, 31) * p1 & mask
    at, end = 0, len(data)
    if end >= 32:
        v = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        while at + 32 <= end:
            v = [mix(acc, word(at + 8 * i, 8)) for i, acc in enumerate(v)]
            at += 32
        h = sum(rotl(acc, r) for acc, r in zip(v, (1, 7, 12, 18))) & mask
        for acc in v:
            h = ((h ^ mix(0, acc)) * p1 + p4) & mask
    else:
        h = p5
    h = (h + end) & mask
    while at + 8 <= end:
        h = (rotl(h ^ mix(0, word(at, 8)), 27) * p1 + p4) & mask
        at += 8
    if at + 4 <= end:
        h = (rotl(h ^ word(at, 4) * p1 & mask, 23) * p2 + p3) & mask
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ byte * p5 & mask, 11) * p1 & mask
    h = (h ^ h >> 33) * p2 & mask
    h = (h ^ h >> 29) * p3 & mask
    return h ^ h >> 32


def main():
    root, dirs, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(1)
    os.makedirs(f"{root}/.glusterfs/00/00")
    os.setxattr(root, "trusted.glusterfs.volume-id", b"\7" * 16)
    top = uuid.UUID(int=1)
    os.setxattr(root, "trusted.gfid", top.bytes)
    os.symlink("../../..", f"{root}/.glusterfs/00/00/{top}")

    made = set()

    def handle(gfid):
        g = str(gfid)
        if g[:4] not in made:
            made.add(g[:4])
            os.makedirs(f"{root}/.glusterfs/{g[:2]}/{g[2:4]}", exist_ok=True)
        return f"{root}/.glusterfs/{g[:2]}/{g[2:4]}/{g}"

    folders = [("", top, 0)]
    while len(folders) <= dirs:
        path, parent, depth = rng.choice(folders)
        if depth >= 12:
            continue
        gfid, name = uuid.UUID(int=rng.getrandbits(128)), f"directory-{len(folders)}"
        own = f"{path}/{name}" if path else name
        os.mkdir(f"{root}/{own}")
        os.setxattr(f"{root}/{own}", "trusted.gfid", gfid.bytes)
        p = str(parent)
        os.symlink(f"../../{p[:2]}/{p[2:4]}/{p}/{name}", handle(gfid))
        folders.append((own, gfid, depth + 1))
    for number in range(files):
        path, parent, _ = rng.choice(folders)
        gfid, name = uuid.UUID(int=rng.getrandbits(128)), f"file-{number}.data"
        own = f"{root}/{path}/{name}"
        os.close(os.open(own, os.O_CREAT | os.O_EXCL))
        value = f"{parent}/{name}".encode()
        os.setxattr(own, "trusted.gfid", gfid.bytes)
        os.setxattr(own, f"trusted.gfid2path.{xxh64(value):016x}", value)
        # What a brick of today carries besides; it pushes xattrs out of the inode, as there.
        os.setxattr(own, "trusted.glusterfs.mdata", bytes(58))
        os.link(own, handle(gfid))


if __name__ == "__main__":
    main()
