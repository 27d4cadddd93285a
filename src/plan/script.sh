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
  local status
  status=$(gluster --mode=script volume geo-replication "$1" "$2" status 2>/dev/null) || { echo absent; return; }
  if echo "$status" | grep -qE ' (Active|Passive|Faulty|Initializing[.]{3}|Paused) '; then
    echo started
  else
    echo stopped
  fi
}

# The processes of a session on this node: monitor, workers, their ssh.
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

# Waits until every Active worker is past history, makes files on the primary, and waits until
# they are on the secondary. "Active" proves nothing: a worker may have started deaf.
canary() {
  local near far turn status folder=".georepair-canary-$3-script" address=${2##*@} arrived=1
  for turn in {1..600}; do
    status=$(gluster --mode=script volume geo-replication "$1" "$2" status)
    echo "$status" | grep -q ' Active ' &&
      ! echo "$status" | grep ' Active ' | grep -qv 'Changelog Crawl' && break
    sleep 1
  done
  near=$(mktemp -d) && far=$(mktemp -d) || return 1
  glusterfs --volfile-server=localhost --volfile-id="$1" "$near" &&
    glusterfs --volfile-server="${address%::*}" --volfile-id="${address##*::}" \
      --negative-timeout=0 --entry-timeout=0 --client-pid=-1 "$far" || arrived=2
  if test "$arrived" = 1; then
    mkdir -p "$near/$folder" && for turn in $(seq "$4"); do echo "$3" >"$near/$folder/$turn"; done
    for turn in {1..90}; do
      test "$(cat "$far/$folder"/* 2>/dev/null | grep -cx -- "$3")" = "$4" && arrived=0 && break
      sleep 1
    done
    rm -f -- "$near/$folder"/[0-9]* && rmdir -- "$near/$folder"
  fi
  umount -l "$near" "$far" 2>/dev/null
  rmdir "$near" "$far" 2>/dev/null
  test "$arrived" = 0 || echo "no change arrives; stop and start the session, and run this again" >&2
  return "$arrived"
}
