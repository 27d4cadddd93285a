"""What GlusterFS itself has: glusterfind's own functions and its database, for gfids on standard input.

Files go the way of its step "gfid2path", directories through its `symlink_gfid_to_path`: its
other steps resolve no modified directory, and its search by inode stops with a TypeError in 10.3.
Needs python3-pyxattr, and the folder of glusterfind (Debian: glusterfs-server) or of a clone.

usage: glusterfind.py FOLDER BRICK < gfids
"""
import os
import sys
import tempfile
from argparse import Namespace


def main():
    folder, brick = sys.argv[1:3]
    sys.path.insert(0, folder)
    import changelog
    from changelogdata import ChangelogData
    from utils import symlink_gfid_to_path

    args = Namespace(output_prefix=".", no_encode=True, only_namespace_changes=False)
    out = []
    with tempfile.TemporaryDirectory() as work:
        data = ChangelogData(f"{work}/db", args)
        for line in sys.stdin:
            gfid = line.strip()
            if os.path.islink(f"{brick}/.glusterfs/{gfid[:2]}/{gfid[2:4]}/{gfid}"):
                out.append(f"{gfid} {symlink_gfid_to_path(brick, gfid).rstrip('/')}")
            else:
                data.when_data_meta("CHANGELOG.1", ["D", gfid])
        data.commit()
        changelog.gfid_to_all_paths_using_gfid2path(brick, data, args)
        data.commit()
        out.extend(f"{row[3]} {row[8]}" for row in data.gfidpath_get())
    print("\n".join(out))


if __name__ == "__main__":
    main()
