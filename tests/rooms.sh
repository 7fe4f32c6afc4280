#!/bin/bash
# tests/rooms.sh SOURCE_ROOT - the order of the rooms of src/ (TAP): a file includes only rooms before its own, the headers
# of a library are included by one room, and every header can be told from the file that it belongs to.
# SPDX-License-Identifier: MIT
cd "$1/src" || exit 1
rooms="base tensor ranks audio nn io optim data synth model run exchange train study subtitle report serve cli"
echo 1..6

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
own='assert|complex|ctype|dirent|dlfcn|errno|fcntl|float|fnmatch|inttypes|limits|locale|math|poll|pthread|sched|signal|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|time|unistd|wchar|sys/[a-z]+|immintrin|linux/[a-z]+'
faults=$(grep -rhoE '^ *# *include <[^>]+>' --include='*.[ch]' . | sed -E 's/.*<(.*)>/\1/' | sort -u | grep -vE "^($own)\.h\$" | while read -r header; do
  by=$(grep -rlE "include <$header>" --include='*.[ch]' . | cut -d/ -f2 | sort -u | tr '\n' ' ')
  [ "$(echo "$by" | wc -w)" -le 1 ] || echo "<$header> is included by the rooms $by"
done)
result 3 "the headers of a library are included by one room" "$faults"

# Each function is declared in the header of its file, or of its family: checkpoint_load.c in checkpoint.h (or, for the room
# alone, checkpoint_inside.h); of some rooms one header is the interface of all files.
faults=$(awk '
  FNR == 1 { file = FILENAME; sub(/^\.\//, "", file); header = file ~ /\.h$/ }
  header {
    line = $0
    while (match(line, /(am|cli|inspect)_[a-z0-9_]+/)) {
      declared[file, substr(line, RSTART, RLENGTH)] = 1
      line = substr(line, RSTART + RLENGTH)
    }
    if (file ~ /^\.\.\//) public[file] = 1
    next
  }
  /^[a-z][a-zA-Z0-9_ ]*[ *]+(am|cli|inspect)_[a-z0-9_]+\(/ && !/^(static|return|typedef|else)[^a-z]/ {
    match($0, /(am|cli|inspect)_[a-z0-9_]+\(/)
    name = substr($0, RSTART, RLENGTH - 1)
    stem = file; sub(/\.c$/, "", stem)
    found = 0
    while (1) {
      if ((stem ".h", name) in declared || (stem "_inside.h", name) in declared) { found = 1; break }
      if (stem !~ /_[^\/_]*$/) break
      sub(/_[^\/_]*$/, "", stem)
    }
    room["base"] = "base/base.h"; room["tensor"] = "tensor/tensor.h tensor/tables.h"; room["train"] = "train/trainer.h"
    room["cli"] = "cli/cli.h cli/inspect.h"; room["report"] = "report/report.h report/plot.h report/recording.h"; room["serve"] = "serve/serve.h serve/server.h"; room["ranks"] = "ranks/link.h"; room["nn/layers"] = "nn/layer.h"; room["data/corpora"] = "data/corpora/corpus.h"
    folder = file; sub(/\/[^\/]*$/, "", folder)
    n = split(room[folder], more, " ")
    for (k = 1; k <= n; k++) if ((more[k], name) in declared) found = 1
    for (h in public) if ((h, name) in declared) found = 1
    if (!found) print file " exports " name
  }' $(find . -name '*.h') ../include/audiomood/*.h $(find . -name '*.c' | sort))
result 4 "what a file exports is declared in its header, or its family's" "$faults"

# The library speaks of its options, not of the command's flags. Three whole command lines are left: two that go on with a run or a
# cross-validation, and the one that made a corpus. They can be copied as they are, whatever program meets the folder.
faults=$(grep -rnE '"([^"]*[ (])?--[a-z]' --include='*.[ch]' . | grep -vE '^\./(cli|report|serve/absent)[/.]|--resume |--set train.max_steps=0|synth --layout')
result 5 "no message of the library names a flag of the command" "$faults"

# Prose may name a file of a run; code goes by the table.
names=$(sed -nE 's/^ *\[AM_FILE_[A-Z_]+\] = \{"([^"]+)".*/\1/p' run/folder.c | grep '\.' | sed 's/\./\\./' | paste -sd'|')
faults=$(grep -rnE "\"([^\" ]*/)?($names)\"" --include='*.[ch]' . | grep -v '^\./run/folder\.c:.*AM_FILE_')
result 6 "files of a run are named by the table in run/folder.c" "$([ -n "$names" ] || echo "no table found")$faults"
