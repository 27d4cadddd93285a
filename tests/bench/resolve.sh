#!/bin/bash
# resolve-gfid beside glusterfind's own functions, beside the best a script does, and beside find +
# sort + join, on one built brick, warm, all in one run: in each round each runs once.
#   usage: tests/bench/resolve.sh [DIRS] [FILES]
# As root. Debian packages: strace; glusterfs-server and python3-pyxattr for glusterfind (GLUSTERFIND
# names another folder that has its python files). RUNS=5 rounds; GEOREPAIR names the binary.
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

glusterfind_files=${GLUSTERFIND:-$(dirname "$(find /usr/lib* -path '*/glusterfind/changelogdata.py' 2>/dev/null | head -1)")}

# Runs each command once a round, "NAME:FUNCTION ARGUMENTS" each; prints the medians of wall and of
# CPU seconds, and how often the first would fit into each of the others.
rounds() {
  local round what number
  rm -f "$work"/time.*
  for round in $(seq "$runs"); do
    number=0
    for what in "$@"; do
      number=$((number + 1))
      TIMEFORMAT='%R %U %S'
      { time ${what#*:}; } 2>> "$work/time.$number"
    done
  done
  number=0
  for what in "$@"; do
    number=$((number + 1))
    printf '%-46s %8.2f s  %8.2f CPU s  (wall %s to %s)\n' "${what%%:*}" \
      "$(cut -d' ' -f1 "$work/time.$number" | middle)" "$(awk '{ print $2 + $3 }' "$work/time.$number" | middle)" \
      "$(cut -d' ' -f1 "$work/time.$number" | sort -n | head -1)" "$(cut -d' ' -f1 "$work/time.$number" | sort -n | tail -1)"
    paste -d' ' "$work/time.$number" "$work/time.1" | awk '{ print $1 / $4 }' | middle |
      xargs printf '%46s    = %.1f times the first, median of the rounds\n' ''
  done
}
middle() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

ours() { "$georepair" --quiet resolve-gfid --brick "$brick" "$@" - < "$work/gfids" > "$work/ours"; }
python() { python3 "$here/python_resolver.py" "$brick" < "$work/gfids" > "$work/python"; }
glusterfind() { /usr/bin/python3 "$here/glusterfind.py" "$glusterfind_files" "$brick" < "$work/gfids" > "$work/glusterfind"; }
# The scan people write by hand: inode numbers of the handles, of the names, and a join.
by_find() {
  find "$brick" -path "$brick/.glusterfs" -prune -o -printf '%i %P\n' | sort -k1,1 > "$work/names"
  (cd "$brick/.glusterfs" && sed -E 's,^(..)(..).*,\1/\2/&,' "$work/gfids" | xargs stat -c '%i %n') | sort -k1,1 > "$work/handles"
  join "$work/names" "$work/handles" > "$work/joined"
}

ours; python; by_find   # everything in the cache from here on
peers=("georepair, text:ours" "georepair, JSON:ours --format json" "georepair, --jobs 1:ours --jobs 1"
  "python, one process, cached parents:python")
if /usr/bin/python3 -c 'import xattr; xattr.list' 2>/dev/null && [ -e "$glusterfind_files/changelog.py" ]; then
  peers+=("glusterfind's functions:glusterfind")
else
  echo "glusterfind left out: it needs glusterfs-server and python3-pyxattr"
fi
echo "$(wc -l < "$work/gfids") gfids, $runs rounds, medians:"
rounds "${peers[@]}"
answers() { sed 's, \+, ,; s, / , ,; s, /, ,' | awk '{ print $1, $NF }' | sort | md5sum | cut -c1-8; }
echo "answers: $("$georepair" --quiet resolve-gfid --brick "$brick" - < "$work/gfids" | answers) georepair," \
     "$(answers < "$work/python") python, $([ ! -e "$work/glusterfind" ] || answers < "$work/glusterfind") glusterfind"
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
names() { find "$brick" -path "$brick/.glusterfs" -prune -o -printf '%i %P\n' > "$work/names"; }
rounds "georepair, scan:ours" "find + stat + sort + join:by_find" "find -printf alone:names"
strace -f -c -o "$work/calls" "$georepair" --quiet resolve-gfid --brick "$brick" - < "$work/gfids" > /dev/null
sed -n '1,14p;$p' "$work/calls"
