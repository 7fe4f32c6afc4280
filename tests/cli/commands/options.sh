# tests/cli/commands/options.sh - read by test_named.sh and commands/stub: which options a script of ours has.
# SPDX-License-Identifier: MIT

# script_has ROOT SCRIPT OPTION: whether the script (tools/check) names that option, or a part of it (tools/package-deb) or what it runs
# does; where it hands its arguments to a command of audiomood ($AM_REAL), whether that has it.
script_has() {
  local real=$1/$2 files=("$1/$2") f command
  for f in "$real"-* $(grep -oE 'benchmark/[a-z_]+\.py|fetch\.sh' "$real" | sed "s|^|${real%/*}/|"); do [ ! -f "$f" ] || files+=("$f"); done
  cat "${files[@]}" | grep -qE -- "(^|[^a-z0-9-])$3([^a-z0-9-]|$)" && return
  for command in $(grep -oE '"\$audiomood" [a-z]+ "\$@"' "$real" | cut -d ' ' -f 2 | sort -u); do
    "$AM_REAL" "$command" --help | grep -qE -- "^  (--[a-z-]+, )?$3( |,|$)" && return
  done
  return 1
}
