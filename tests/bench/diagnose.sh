#!/usr/bin/env bash
# Measures `georepair diagnose` beside ripgrep on the same mixed log, warm, in one run.
#   tests/bench/diagnose.sh [ROUNDS]      needs: ripgrep python3 (Debian packages)
# ripgrep does what the report needs at the least: print the lines that matter with their numbers
# (rg -n), and count all lines (rg -c '').
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5}
target=${CARGO_TARGET_DIR:-target}
folder=$target/bench-data
log=$folder/mixed.log
pattern='ENTRY FAILED|META FAILED|failed to sync|could not be processed|incomplete sync|SYNC Error|return_code=[1-9]|command returned error|connection to peer is broken|MISCONFIGURATION|FAIL: |call failed|Changelog .* failed|starting gsyncd worker|worker died|Worker Status|Crawl Status|Monitor Status|remote operation failed|split-brain|gfid different|=> -1 \(|Traceback|Error:'

cargo build --release --quiet
mkdir -p "$folder"
[ -s "$log" ] || python3 tests/bench/mixed-log.py $((512 << 20)) >"$log"
[ -s "$log.gz" ] || gzip -1 -k "$log"
cat "$log" >/dev/null

# measure COMMAND...: wall seconds, CPU seconds, peak memory in MiB.
measure() {
  python3 - "$@" <<'PY'
import os, subprocess, sys, time
began = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, _, usage = os.wait4(child.pid, 0)
print(f"{time.monotonic() - began:.3f} {usage.ru_utime + usage.ru_stime:.3f} {usage.ru_maxrss / 1024:.0f}")
PY
}
middle() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

for round in $(seq "$rounds"); do
  measure "$target/release/georepair" diagnose --quiet --format json "$log" >>"$folder/georepair.$$"
  measure rg -n "$pattern" "$log" >>"$folder/rg-n.$$"
  measure rg -c '' "$log" >>"$folder/rg-c.$$"
  measure "$target/release/georepair" diagnose --quiet --format json "$log.gz" >>"$folder/packed.$$"
  measure gzip -dc "$log.gz" >>"$folder/gzip.$$"
done
size=$(stat -c %s "$log")
printf '%-34s %8s %8s %8s\n' "$((size >> 20)) MiB, median of $rounds" seconds cpu 'MiB mem'
for what in georepair rg-n rg-c packed gzip; do
  file=$folder/$what.$$
  printf '%-34s %8s %8s %8s\n' "$what" "$(cut -d' ' -f1 "$file" | middle)" "$(cut -d' ' -f2 "$file" | middle)" "$(cut -d' ' -f3 "$file" | middle)"
done
paste -d' ' "$folder/georepair.$$" "$folder/rg-n.$$" "$folder/rg-c.$$" |
  awk '{print $1 / ($4 + $7)}' | middle | xargs printf 'georepair / (rg -n + rg -c):         %.2f\n'
rm -f "$folder"/*.$$
