"""The best a script does: gfids on standard input, paths out, in one process.

Directories by readlink with a parent cache, files by every gfid2path xattr, each name verified by
its inode: the method of the resolvers that came before, without their defects.

usage: python_resolver.py BRICK < gfids
"""
import os
import stat
import sys

ROOT = "00000000-0000-0000-0000-000000000001"


def main():
    brick, cache = sys.argv[1], {ROOT: ""}

    def handle(gfid):
        return f"{brick}/.glusterfs/{gfid[:2]}/{gfid[2:4]}/{gfid}"

    def folder(gfid):
        way = []
        while gfid not in cache:
            parent, name = os.readlink(handle(gfid)).split("/", 5)[4:]
            way.append((gfid, name))
            gfid = parent
        path = cache[gfid]
        for own, name in reversed(way):
            path = f"{path}/{name}"
            if os.getxattr(brick + path, "trusted.gfid").hex() != own.replace("-", ""):
                raise OSError(f"{path} is not {own}")
            cache[own] = path
        return path

    out = []
    for line in sys.stdin:
        gfid = line.strip()
        try:
            place = handle(gfid)
            at = os.lstat(place)
            if stat.S_ISLNK(at.st_mode) and at.st_nlink == 1:
                out.append(f"{gfid} {folder(gfid)}")
                continue
            if os.getxattr(place, "trusted.gfid", follow_symlinks=False).hex() != gfid.replace("-", ""):
                raise OSError("foreign")
            for key in os.listxattr(place, follow_symlinks=False):
                if key.startswith("trusted.gfid2path."):
                    value = os.getxattr(place, key, follow_symlinks=False)
                    parent, name = os.fsdecode(value).split("/", 1)
                    path = f"{folder(parent)}/{name}"
                    if os.lstat(brick + path).st_ino == at.st_ino:
                        out.append(f"{gfid} {path}")
        except OSError as error:
            out.append(f"{gfid} ? {error}")
    sys.stdout.buffer.write(os.fsencode("\n".join(out) + "\n"))


if __name__ == "__main__":
    main()
