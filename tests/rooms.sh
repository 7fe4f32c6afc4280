#!/bin/bash
# tests/rooms.sh SOURCE_ROOT - the order of the rooms of src/ (TAP): a file includes only rooms before its own, and the headers
# of a library are included by one room.
cd "$1/src" || exit 1
rooms="base tensor audio nn io optim data synth model run exchange train study report cli"
echo 1..3

place() { local n=0 r; for r in $rooms; do n=$((n + 1)); [ "$r" = "$1" ] && echo $n && return; done; }
result() { # NUMBER NAME FAULTS
  if [ -z "$3" ]; then echo "ok $1 - $2"; else printf '%s\n' "$3" | sed 's/^/# /'; echo "not ok $1 - $2"; fi
}

found=$(ls | sort | tr '\n' ' ')
wanted=$(printf '%s\n' $rooms | sort | tr '\n' ' ')
result 1 "src/ holds the rooms that are known" "$([ "$found" = "$wanted" ] || echo "there are: $found")"

faults=$(grep -rnoE '^#include "[a-z]+/[a-z0-9_/]+\.h"' --include='*.[ch]' . | sed -E 's/^\.\///; s/:[0-9]+:#include "/ /; s/"$//' |
  while read -r file header; do
    case $header in audiomood/*) continue ;; esac
    from=$(place "${file%%/*}") to=$(place "${header%%/*}")
    [ -n "$to" ] || { echo "$file includes $header, of no room"; continue; }
    [ "$to" -le "$from" ] || echo "$file includes $header, of a room behind its own"
  done)
result 2 "a room uses only rooms before it" "$faults"

# Those of C and POSIX belong to all.
own='assert|complex|ctype|dirent|errno|fcntl|float|fnmatch|inttypes|limits|locale|math|poll|pthread|sched|signal|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|time|unistd|wchar|sys/[a-z]+|immintrin|linux/[a-z]+'
faults=$(grep -rhoE '^ *# *include <[^>]+>' --include='*.[ch]' . | sed -E 's/.*<(.*)>/\1/' | sort -u | grep -vE "^($own)\.h\$" | while read -r header; do
  by=$(grep -rlE "include <$header>" --include='*.[ch]' . | cut -d/ -f2 | sort -u | tr '\n' ' ')
  [ "$(echo "$by" | wc -w)" -le 1 ] || echo "<$header> is included by the rooms $by"
done)
result 3 "the headers of a library are included by one room" "$faults"
