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

# Renames within a file system; what stands at the new place comes to the old one.
exchange() {
  test -e "$2" || { mv -nT -- "$1" "$2"; return; }
  mv -nT -- "$1" "$1.moving" && mv -nT -- "$2" "$1" && mv -nT -- "$1.moving" "$2"
}

pid_of_brick() {
  gluster --mode=script volume status "$1" "$2" --xml 2>/dev/null | tr -d '\n' |
    grep -o '<pid>[0-9]*</pid>' | head -n1 | tr -dc 0-9
}

# glusterd has no command that stops one brick.
stop_brick() {
  local pid turn
  pid=$(pid_of_brick "$1" "$2")
  test -n "$pid" || return 0
  tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -e "--brick-name ${2#*:} " ||
    { echo "process $pid is not of this brick alone" >&2; return 1; }
  kill "$pid"
  for turn in {1..30}; do
    test -d "/proc/$pid" || return 0
    sleep 1
  done
  return 1
}

start_brick() {
  local turn
  gluster --mode=script volume start "$1" force || return
  for turn in {1..30}; do
    test -n "$(pid_of_brick "$1" "$2")" && return
    sleep 1
  done
  return 1
}

wait_healed() {
  local turn
  for turn in {1..900}; do
    gluster --mode=script volume heal "$1" statistics heal-count | awk '
      /^Number of entries:/ { seen = 1; if ($4 != "0") owed = 1 }
      END { exit !seen || owed }' && return
    sleep 1
  done
  return 1
}

# Writes the changelogs that there are into new index files: one for each time that the brick
# began to write changelogs, another where the layout of their folders changes.
make_index() {
  local base="$1/.glusterfs/changelogs" new="$2.new" starts file last end
  # What the brick was writing is closed, as it does itself at its start, and then may not list.
  last=$(find "$base" -name htime -prune -o -type f -name 'CHANGELOG.[0-9]*' -printf '%f %p\n' |
    sed 's/^CHANGELOG\.//' | sort -n | tail -n1)
  if test -n "$last" && test -f "$base/CHANGELOG"; then
    end=$(stat -c %Y -- "$base/CHANGELOG")
    test "$end" -gt "${last%% *}" || end=$((${last%% *} + 1))
    last=${last#* }
    mv -nT -- "$base/CHANGELOG" "${last%/*}/CHANGELOG.$end" || return
  fi
  rm -rf -- "$new" && mkdir -m 600 -- "$new" || return
  starts=$(find "$base/htime" -maxdepth 1 -name 'HTIME.*' -printf '%f\n' 2>/dev/null |
    sed -n 's/^HTIME\.\([0-9][0-9]*\)$/\1/p' | sort -n | tr '\n' ' ')
  for last in $starts; do : >"$new/HTIME.$last"; done
  find "$base" -name htime -prune -o -type f -name 'CHANGELOG.[0-9]*' -printf '%f %p\n' |
    sed 's/^CHANGELOG\.//' | sort -n | awk -v starts="$starts" -v new="$new" '
      BEGIN { count = split(starts, at, " "); turn = 0 }
      {
        end = $1; path = substr($0, length($1) + 2)
        if (count == 0) { at[count = 1] = end }
        while (turn < count && at[turn + 1] + 0 <= end + 0) { from = at[++turn]; size = 0 }
        if (turn == 0) next
        if (size && size != length(path)) from = last
        print path >> (new "/HTIME." from)
        size = length(path); last = end
      }' || return
  for file in "$new"/HTIME.*; do
    test -e "$file" || continue
    last=$(tail -n1 "$file" | sed 's/.*\.//')
    setfattr -n trusted.glusterfs.htime -v "${last:-0}:$(wc -l <"$file")" -- "$file" || return
    tr '\n' '\0' <"$file" >"$file.nul" && cat "$file.nul" >"$file" && rm -f -- "$file.nul" || return
    setfattr -n trusted.glusterfs.current_htime -v "${file##*/}" -- "$new" || return
  done
  sync && mv -nT -- "$new" "$2"
}

unmark_directories() {
  find "$1" -xdev -mindepth 1 -path "$1/.glusterfs" -prune -o -type d -print0 |
    xargs -0 -r -n 64 setfattr -h -x "$2" -- 2>/dev/null
  return 0
}

# Empties a secondary through a mount that may write; with a name, a copy is kept and compared.
empty() {
  local near far address=${1##*@} emptied=1
  local names=(-mindepth 1 -maxdepth 1 ! -name '.georepair-quarantine-*' ! -name .trashcan
    ! -name .shard ! -name '.glusterfs-anonymous-inode-*')
  near=$(mktemp -d) && far=$(mktemp -d) || return 1
  glusterfs --volfile-server="${address%::*}" --volfile-id="${address##*::}" "$near" &&
    glusterfs --volfile-server="${address%::*}" --volfile-id="${address##*::}" \
      --client-pid=-1 --aux-gfid-mount --acl "$far" && stat -- "$near" "$far" >/dev/null && emptied=0
  if test "$emptied" = 0 && test -n "$2"; then
    mkdir -p -- "$far/$2" &&
      find "$near" "${names[@]}" -exec cp -a -t "$far/$2" -- {} + || emptied=1
    (cd -- "$near" && find . "${names[@]}" -print0) | while IFS= read -r -d '' name; do
      diff -r --no-dereference -q -- "$near/$name" "$far/$2/$name" || exit 1
    done || emptied=1
  fi
  test "$emptied" = 0 && find "$far" "${names[@]}" -exec rm -rf -- {} + || emptied=1
  umount -l "$near" "$far" 2>/dev/null
  rmdir "$near" "$far" 2>/dev/null
  return "$emptied"
}
