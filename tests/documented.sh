#!/bin/sh
# tests/documented.sh INCLUDE_DIR - every public function has a comment of its own that names each argument, in order (@param),
# and says what is returned, where anything is (@return) (TAP).
# SPDX-License-Identifier: MIT
echo 1..2
cd "$1/audiomood" || exit 1
found=$(awk '
  function fault(what) { print FILENAME ": " name ": " what; }
  function words(text, tag,   found, at) { # the words behind each `tag`, one after another
    found = ""
    while (at = index(text, tag)) {
      text = substr(text, at + length(tag))
      sub(/^\[(in|out|in,out)\]/, "", text)
      match(text, /[A-Za-z_0-9]+/)
      found = found " " substr(text, RSTART, RLENGTH)
      text = substr(text, RSTART + RLENGTH)
    }
    return found
  }
  function check(declared, comment,   arguments, n, i, list, wanted, given) {
    match(declared, /am_[a-z0-9_]+ *\(/)
    name = substr(declared, RSTART, RLENGTH); sub(/ *\(/, "", name)
    functions++
    arguments = substr(declared, RSTART + RLENGTH)
    sub(/\)[^)]*(AM_PRINTF\([^)]*\))?;.*/, "", arguments)
    n = split(arguments, list, ",")
    wanted = ""
    for (i = 1; i <= n; i++) {
      gsub(/\[[^]]*\]|[ \t]+$/, "", list[i])
      if (match(list[i], /[A-Za-z_0-9]+$/) && list[i] !~ /^ *void *$/) wanted = wanted " " substr(list[i], RSTART, RLENGTH)
    }
    given = words(comment, "@param")
    if (comment == "") { fault("has no comment of its own"); return }
    if (given != wanted) fault("@param" given "; wanted" wanted)
    if (declared !~ /^AM_API void am_/ && comment !~ /@return/) fault("has no @return")
    if (declared ~ /^AM_API void am_/ && comment ~ /@return/) fault("has @return, and returns nothing")
  }
  FNR == 1 { comment = ""; inside = declaring = 0 }
  declaring { declared = declared " " $0; if (/;/) { declaring = 0; check(declared, comment); comment = "" } next }
  inside { comment = comment "\n" $0; if (/\*\//) inside = 0; next }
  /^\/\*\*/ { comment = $0; inside = !/\*\//; next }
  /^AM_API / { declared = $0; if (/;/) { check(declared, comment); comment = "" } else declaring = 1; next }
  { comment = "" }
  END { print "functions " functions }' *.h)
declared=$(cat *.h | grep -cE '^AM_API ')
seen=$(printf '%s\n' "$found" | sed -n 's/^functions //p')
[ "$seen" = "$declared" ] && echo "ok 1 - all $declared functions are looked at" || echo "not ok 1 - of $declared functions $seen are looked at"
faults=$(printf '%s\n' "$found" | sed '/^functions /d; s/^/# /')
[ -z "$faults" ] && echo "ok 2 - each has its arguments and result documented" || {
  printf '%s\n' "$faults"
  echo "not ok 2 - each has its arguments and result documented"
}
