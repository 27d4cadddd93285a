#!/bin/bash
# `audit brick` beside `getfattr -R -d -m . -e hex` over the same built brick, warm, in turns in one run;
# then its peak memory as the brick grows.
#   usage: tests/bench/audit-brick.sh [DIRS] [FILES]     as root; GNU time
#   ROUNDS=5 rounds; SIZES="100000 1000000" files of the bricks for the memory, none with SIZES=
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
georepair=${GEOREPAIR:-$here/../../target/release/georepair}
dirs=${1:-20000} files=${2:-400000} rounds=${ROUNDS:-5} sizes=${SIZES-100000 1000000}
work=$(mktemp -d "${TMPDIR:-/tmp}/georepair-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Seconds on the clock, of the processors, and peak KiB of a command; its exit status must be 0.
measure() {
  local name=$1; shift
  /usr/bin/time -a -o "$work/$name" -f '%e %U %S %M' "$@" > "$work/out"
}
report() {
  sort -n "$work/$1" | awk -v name="$1" '{ e[NR] = $1; cpu[NR] = $2 + $3; if ($4 > m) m = $4 }
    END { n = int((NR + 1) / 2); printf "%-12s %8.3f s (%.3f to %.3f)  %7.3f s of CPU  %6.1f MiB at most\n", name, e[n], e[1], e[NR], cpu[n], m / 1024 }'
}
# Everything in the cache, as far as it fits.
warm() { find "$1" -printf '%s' > /dev/null; getfattr -R -d -m . -e hex --absolute-names "$1" > /dev/null; }

brick=$work/brick
echo "building a brick of $dirs directories and $files files ..."
python3 "$here/brick.py" "$brick" "$dirs" "$files"
warm "$brick"
for _ in $(seq "$rounds"); do
  measure audit "$georepair" --quiet audit brick --offline "$brick"
  measure audit-1 "$georepair" --quiet --jobs 1 audit brick --offline "$brick"
  measure getfattr getfattr -R -d -m . -e hex --absolute-names "$brick"
done
echo "medians of $rounds (least to most), $((dirs + files)) names and as many handles:"
report audit; report audit-1; report getfattr
"$georepair" --quiet audit brick --offline "$brick"
rm -rf "$brick"

for size in $sizes; do
  python3 "$here/brick.py" "$brick" $((size / 20)) "$size"
  rm -f "$work/audit"
  measure audit "$georepair" --quiet audit brick --offline "$brick"
  echo "$size files: $(report audit)"
  rm -rf "$brick"
done
