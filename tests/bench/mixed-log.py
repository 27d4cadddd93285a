#!/usr/bin/env python3
"""Writes a log of all releases, mostly ordinary, to measure `diagnose` with.

usage: mixed-log.py BYTES > FILE

Nineteen lines in twenty are what healthy sessions of 3.8 to 11 write, one in twenty is a client's
failed look-up; after every twenty thousand lines stands one whole log of tests/logs/eras, with the
failures of its release. The same bytes every time.
"""

import glob
import os
import random
import sys

random.seed(7)
here = os.path.dirname(os.path.abspath(__file__))
eras = [open(path, "rb").read() for path in sorted(glob.glob(here + "/../logs/eras/*.log"))]

PRIMARY = b"I [primary(worker /bricks/b%d/vol):"
ORDINARY = [
    (25, lambda i: PRIMARY % (i % 4) + b"1604:crawl] _GPrimary: secondary's time [{stime=(%d, 0)}]" % (1700000000 + i)),
    (15, lambda i: PRIMARY % (i % 4) + b"2009:syncjob] Syncer: Sync Time Taken [{job=%d}, {num_files=%d}, {return_code=0}, {duration=0.1843}]" % (i % 3, i % 50)),
    (10, lambda i: PRIMARY % (i % 4) + b"1429:process] _GPrimary: Entry Time Taken [{UNL=0}, {RMD=0}, {CRE=%d}, {MKN=0}, {MKD=0}, {REN=0}, {LIN=0}, {SYM=0}, {duration=0.0026}]" % (i % 9)),
    (8, lambda i: PRIMARY % (i % 4) + b"1451:process] _GPrimary: Batch Completed [{mode=live_changelog}, {duration=0.6030}, {changelog_start=1795252632}, {changelog_end=1795252632}, {num_changelogs=1}, {stime=(1795252631, 0)}, {entry_stime=(1795252631, 0)}]"),
    (17, lambda i: b"I [MSGID: 108031] [afr-common.c:3201:afr_local_discovery_cbk] 0-mirror-replicate-0: selecting local read_child mirror-client-%d " % (i % 2)),
    (10, lambda i: b"I [MSGID: 109066] [dht-rename.c:1411:dht_rename] 0-vol-dht: renaming /.gfid/94310944-7f8a-421d-a51f-1e23e28da9cc/f%d.part (hash=vol-client-0/cache=vol-client-0) => /.gfid/94310944-7f8a-421d-a51f-1e23e28da9cc/f%d (hash=vol-client-0/cache=<nul>)" % (i, i)),
    (10, lambda i: b"I [master(/data/brick%d):1249:crawl] _GMaster: slave's time: (%d, 0)" % (i % 4, 1400000000 + i)),
    (5, lambda i: b"W [MSGID: 114031] [client-rpc-fops_v2.c:2618:client4_0_lookup_cbk] 0-vol-client-0: remote operation failed. [{path=<gfid:993b2ecf-4e88-45ca-82a0-%012x>}, {gfid=993b2ecf-4e88-45ca-82a0-%012x}, {errno=2}, {error=No such file or directory}] " % (i % 100000, i % 100000)),
]
KINDS = [line for weight, line in ORDINARY for _ in range(weight)]


def stamp(i):
    return b"[2024-%02d-%02d %02d:%02d:%02d.%d] " % (
        1 + i // 2419200 % 12, 1 + i // 86400 % 28, i // 3600 % 24, i // 60 % 60, i % 60, i * 7919 % 1000000)


def main(wanted):
    written = number = 0
    while written < wanted:
        lines = [stamp(i) + random.choice(KINDS)(i) + b"\n" for i in range(number, number + 20000)]
        number += 20000
        written += sys.stdout.buffer.write(b"".join(lines) + random.choice(eras))


main(int(sys.argv[1]))
