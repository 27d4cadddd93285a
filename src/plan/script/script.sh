#!/bin/bash
# Written by georepair from a plan. Read it, then run it as root on its node: bash THIS-FILE
# If it stops, run it again: steps that are done are skipped.
# Exit codes: 0 done, 3 refused, 4 a step failed.
set -uo pipefail
cd "$(dirname "$0")" || exit 3
export LC_ALL=C

say() { echo "step $1: $2"; }
refuse() { echo "step $1 does not match the system; expected: $2" >&2; exit 3; }
fail() { echo "step $1 failed" >&2; exit 4; }

# A step that takes more than a command is executed by georepair, which exits with 3 if it refuses.
georepair_do() {
  georepair agent do "$2"
  case $? in 0) ;; 3) exit 3 ;; *) fail "$1" ;; esac
}

# Steps of other nodes that come first: listed in DONE="1 2", or asked for at the terminal.
after() {
  case " ${DONE:-} " in *" $1 "*) return ;; esac
  ask "$1" "step $1 is done on $2"
}

ask() {
  read -r -p "step $1: is it true that $2? [yes/no] " answer || answer=no
  test "$answer" = yes || { echo "stopped at step $1" >&2; exit 3; }
}

xattr_of() {
  test -e "$1" || test -L "$1" || { echo gone; return; }
  getfattr -h --absolute-names -e hex -n "$2" -- "$1" 2>/dev/null |
    sed -n '/^#/d; s/^[^=]*=//p' | grep . || echo absent
}

inode_of() { stat -c %i -- "$1" 2>/dev/null || echo none; }

file_is() {
  test -f "$1" && test ! -L "$1" && test "$(stat -c '%a %u %g' -- "$1")" = "$2" &&
    printf "$3" | cmp -s - -- "$1"
}

option_of() {
  gluster --mode=script volume info "$1" |
    awk -v key="$2: " 'index($0, key) == 1 { print substr($0, length(key) + 1) }'
}

setting_of() {
  gluster --mode=script volume geo-replication "$1" "$2" config |
    awk -v key="$3:" 'index($0, key) == 1 { print substr($0, length(key) + 1) }'
}

session_of() {
  local status
  status=$(gluster --mode=script volume geo-replication "$1" "$2" status 2>/dev/null) || { echo absent; return; }
  if echo "$status" | grep -qE ' (Active|Passive|Faulty|Initializing[.]{3}|Paused) '; then
    echo started
  else
    echo stopped
  fi
}

# The gsyncd processes of a session on this node: monitor, workers, their ssh.
gsyncd_of() {
  local line
  for line in /proc/[0-9]*/cmdline; do
    tr '\0' ' ' <"$line" 2>/dev/null |
      grep -E '(gsyncd\.py|/gsyncd) ' | grep -F "${2##*@} " | grep -qE "[ :]$1 " && echo "$line"
  done
}

wait_gone() {
  local turn
  for turn in {1..30}; do
    test -z "$(gsyncd_of "$1" "$2")" && return
    sleep 1
  done
  return 1
}

# Renames within a file system; what exists at the new path is moved to the old one.
exchange() {
  test -e "$2" || { mv -nT -- "$1" "$2"; return; }
  mv -nT -- "$1" "$1.moving" && mv -nT -- "$2" "$1" && mv -nT -- "$1.moving" "$2"
}
