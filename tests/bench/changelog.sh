#!/bin/sh
# One ASCII changelog, three readers, one run: `georepair changelog show`, `tr '\0' '\n' | grep -c`,
# and the parser that GlusterFS keeps for its tests.
# The last needs minutes, so it is left out of runs with more than 400,000 records.
#   tests/bench/changelog.sh GEOREPAIR GLUSTERFS-CLONE [RECORDS]
set -eu
georepair=$1
clone=$2
records=${3:-310000}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
file=$work/CHANGELOG.1795230000
git -C "$clone" show v10.3:tests/utils/changelogparser.py > "$work/changelogparser.py"

python3 - "$file" "$records" << 'PYTHON'
import sys, uuid
path, records = sys.argv[1], int(sys.argv[2])
root = "00000000-0000-0000-0000-000000000001"
with open(path, "wb") as out:
    out.write(b"GlusterFS Changelog | version: v1.2 | encoding : 2\n")
    for n in range(records // 3):
        gfid = uuid.UUID(int=(n * 0x9e3779b97f4a7c15f39cc0605cedc835 + 1) % 2**128)
        out.write(b"E%s\0" % str(gfid).encode() + b"23\00033188\0001000\0001000\0")
        out.write(b"%s/report-%07d.pdf\0" % (root.encode(), n))
        out.write(b"D%s\0M%s\00038\0" % (str(gfid).encode(), str(gfid).encode()))
PYTHON

cat "$file" > /dev/null
size=$(stat -c %s "$file")
echo "$size bytes"

# Runs a reader five times; prints the middle one's seconds and its rate.
middle() {
    name=$1
    shift
    for _ in 1 2 3 4 5; do
        start=$(date +%s%N)
        "$@" > "$work/out"
        end=$(date +%s%N)
        echo $((end - start))
    done | sort -n | sed -n 3p | awk -v size="$size" -v name="$name" \
        '{ printf "%-34s %8.3f s  %8.1f MB/s\n", name, $1 / 1e9, size / ($1 / 1e9) / 1e6 }'
}

count() { tr '\0' '\n' < "$file" | grep -ac '^[DEM]'; }

middle "show, filtered to nothing" "$georepair" changelog show "$file" --op XATTROP
middle "show, as text" "$georepair" changelog show "$file"
middle "show, as JSON lines" "$georepair" changelog show "$file" --format jsonl
middle "tr | grep -c" count
[ "$records" -le 400000 ] || exit 0
start=$(date +%s%N)
python3 "$work/changelogparser.py" "$file" > "$work/out"
end=$(date +%s%N)
echo "$end $start" | awk -v size="$size" \
    '{ t = ($1 - $2) / 1e9; printf "%-34s %8.3f s  %8.1f MB/s (once)\n", "changelogparser.py", t, size / t / 1e6 }'
