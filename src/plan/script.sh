#!/bin/bash
# Written by georepair from a plan. Read it, then run it as root on its node: bash THIS-FILE
# It may be run again after it stopped: what is so already is left alone.
# Exit codes: 0 done, 3 refused at the first step, 4 stopped midway.
set -uo pipefail
cd "$(dirname "$0")" || exit 3
export LC_ALL=C

say() { echo "step $1: $2"; }
refuse() { echo "step $1 does not fit what is there now; expected: $2" >&2; exit 3; }
fail() { echo "step $1 failed" >&2; exit 4; }

# Steps of other nodes that come first: named in DONE="1 2", or asked for at the terminal.
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
  if gluster --mode=script volume geo-replication "$1" "$2" status |
    grep -qE ' (Active|Passive|Faulty|Initializing[.]{3}|Paused) '; then
    echo started
  else
    echo stopped
  fi
}
