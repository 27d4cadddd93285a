#!/bin/bash
# `audit session` beside two bare walks of the same bricks, warm, in turns in one run, all at the low priority
# that the audit gives itself; then its peak memory as the bricks grow.
#   usage: tests/bench/session.sh [DIRS] [FILES]     as root; GNU time
#   ROUNDS=5 rounds; SIZES="100000 1000000" files of the bricks for the memory, none with SIZES=
#   KEEP=DIR builds the bricks there, keeps them, and takes those that are there already
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
georepair=${GEOREPAIR:-$here/../../target/release/georepair}
dirs=${1:-20000} files=${2:-400000} rounds=${ROUNDS:-5} sizes=${SIZES-100000 1000000}
work=$(mktemp -d "${TMPDIR:-/tmp}/georepair-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
bricks=${KEEP:-$work}

# Two bricks of the same gfids and times, and of two volumes.
pair() {
  local at=$1 dirs=$2 files=$3
  [ -e "$at-done" ] && return
  python3 "$here/brick.py" "$at-p" "$dirs" "$files"
  cp -a "$at-p" "$at-s"
  setfattr -n trusted.glusterfs.volume-id -v 0x"$(printf '08%.0s' {1..16})" "$at-s"
  touch "$at-done"
}
# Seconds on the clock, of the processors, and peak KiB of a command.
measure() {
  local name=$1; shift
  nice -n 19 /usr/bin/time -a -o "$work/$name" -f '%e %U %S %M' "$@" > "$work/out"
}
report() {
  sort -n "$work/$1" | awk -v name="$1" '$1 ~ /^[0-9.]+$/ { e[++n] = $1; cpu[n] = $2 + $3; if ($4 > m) m = $4 }
    END { k = int((n + 1) / 2); printf "%-16s %8.3f s (%.3f to %.3f)  %7.3f s of CPU  %6.1f MiB at most\n", name, e[k], e[1], e[n], cpu[k], m / 1024 }'
}
ours() { local at=$1; shift; "$georepair" --quiet "$@" audit session --primary-brick "$at-p" --secondary-brick "$at-s" --settle 0; }
audit() { local name=$1 at=$2; shift 2; measure "$name" "$georepair" --quiet "$@" audit session --primary-brick "$at-p" --secondary-brick "$at-s" --settle 0; }
walk() { measure "$1" sh -c "find '$2-p' -printf '%i %s %T@\n'; find '$2-s' -printf '%i %s %T@\n'"; }

echo "building two bricks of $dirs directories and $files files ..."
pair "$bricks/whole" "$dirs" "$files"
ours "$bricks/whole" | tail -1
walk warm "$bricks/whole"
for _ in $(seq "$rounds"); do
  audit audit "$bricks/whole"
  audit audit-1 "$bricks/whole" --jobs 1
  walk two-walks "$bricks/whole"
done
echo "medians of $rounds (least to most), $((dirs + files)) objects on each side, $(nproc) cores:"
report audit; report audit-1; report two-walks
[ -n "${KEEP:-}" ] || rm -rf "$bricks"/whole-*

for size in $sizes; do
  pair "$bricks/$size" $((size / 20)) "$size"
  audit "equal-$size" "$bricks/$size"
  report "equal-$size"
  # A tenth of the files arrived empty.
  find "$bricks/$size-s" -path '*/.glusterfs' -prune -o -type f -print0 |
    shuf -z -n $((size / 10)) --random-source=<(yes) | xargs -0 -n 1000 touch -d @1600000000
  audit "differing-$size" "$bricks/$size" --format jsonl || [ $? = 1 ]
  report "differing-$size"
  [ -n "${KEEP:-}" ] || rm -rf "$bricks/$size"-*
done
