#!/bin/bash
# resolve-gfid against a python resolver and against find + sort + join, on one built brick, warm.
#   usage: tests/bench/resolve.sh [DIRS] [FILES]     as root; strace for the system calls
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
georepair=${GEOREPAIR:-$here/../../target/release/georepair}
dirs=${1:-5000} files=${2:-100000} runs=${RUNS:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/georepair-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
brick=$work/brick
echo "building a brick of $dirs directories and $files files ..."
python3 "$here/brick.py" "$brick" "$dirs" "$files"
find "$brick/.glusterfs" -mindepth 3 -maxdepth 3 -printf '%f\n' | grep -v '^0\{8\}-' | shuf --random-source=<(yes) > "$work/gfids"

# Runs a command several times and prints the median of its wall times in seconds.
median() {
  local name=$1; shift
  for _ in $(seq "$runs"); do
    local start; start=$(date +%s.%N)
    "$@"
    echo "$(date +%s.%N) - $start" | bc
  done | sort -n | awk -v name="$name" '{ t[NR] = $1 } END { printf "%-46s %7.3f s  (%.3f to %.3f)\n", name, t[int((NR + 1) / 2)], t[1], t[NR] }'
}

ours() { "$georepair" --quiet resolve-gfid --brick "$brick" "$@" - < "$work/gfids" > "$work/ours"; }
python() { python3 "$here/python_resolver.py" "$brick" < "$work/gfids" > "$work/python"; }
# The scan people write by hand: inode numbers of the handles, of the names, and a join.
by_find() {
  find "$brick" -path "$brick/.glusterfs" -prune -o -printf '%i %P\n' | sort -k1,1 > "$work/names"
  (cd "$brick/.glusterfs" && sed -E 's,^(..)(..).*,\1/\2/&,' "$work/gfids" | xargs stat -c '%i %n') | sort -k1,1 > "$work/handles"
  join "$work/names" "$work/handles" > "$work/joined"
}

ours; python; by_find   # everything in the cache from here on
echo "$(wc -l < "$work/gfids") gfids, $runs runs each, medians (least to most):"
median "georepair, text" ours
median "georepair, JSON" ours --format json
median "georepair, --jobs 1" ours --jobs 1
median "python, one process, cached parents" python
echo "agreement: $(awk '{print $1, $3}' <("$georepair" --quiet resolve-gfid --brick "$brick" - < "$work/gfids") | sort | md5sum | cut -c1-8) georepair," \
     "$(sed 's, /, ,' "$work/python" | sort | md5sum | cut -c1-8) python"
echo "system calls (strace -f -c), $(wc -l < "$work/gfids") gfids:"
strace -f -c -o "$work/calls" "$georepair" --quiet resolve-gfid --brick "$brick" - < "$work/gfids" > /dev/null
sed -n '1,14p;$p' "$work/calls"

echo "the same brick without gfid2path, all files need the scan:"
python3 - "$brick" <<'PY'
import os, sys
for folder, folders, files in os.walk(sys.argv[1]):
    if folder == sys.argv[1]:
        folders.remove(".glusterfs")
    for name in files:
        path = os.path.join(folder, name)
        for key in os.listxattr(path):
            if key.startswith("trusted.gfid2path."):
                os.removexattr(path, key)
PY
ours; by_find
median "georepair, scan" ours
median "find + stat + sort + join" by_find
median "find -printf alone" bash -c "find '$brick' -path '$brick/.glusterfs' -prune -o -printf '%i %P\n' > '$work/names'"
strace -f -c -o "$work/calls" "$georepair" --quiet resolve-gfid --brick "$brick" - < "$work/gfids" > /dev/null
sed -n '1,14p;$p' "$work/calls"
