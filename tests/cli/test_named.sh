#!/bin/bash
# tests/cli/test_named.sh - what the documentation names in code is there: commands of audiomood and their options, scripts and theirs,
# in code inside of sentences and tables, and in examples.  Blocks of commands are run as well: test_commands.sh.  The rows of
# docs/errors.md, which have mistakes, are run by test_errors.sh.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" named "$1" "$2"
# Options that stand alone and belong to others: meson's, pkg-config's, that of many configure scripts, ld's, mpirun's, gcc's, whisper.cpp's.
others='--datadir --destdir --prefix --define-variable --enable-static --gc-sections --map-by -march -ffast-math -oj -ojf'
named=$(dirname "$tap")/named.awk AM_REAL=$audiomood
. "$(dirname "$tap")/commands/options.sh"

run --help
commands=$(sed -n 's/^  \([a-z]*\)  .*/\1/p' out)
[ "$(wc -w <<<"$commands")" -ge 20 ] && ok "there are $(wc -w <<<"$commands") commands" || not_ok "there are commands" "$commands"
mkdir options
for command in $commands; do "$audiomood" "$command" --help 2>&1 | grep -E '^  -' | grep -oE -- '(^|[ ,])--?[a-z][a-z0-9-]*' | tr -d ' ,' | sort -u >"options/$command"; done
printf '%s\n' --help --version --verbose >options/audiomood; : >options/help
lacking=$(for command in $commands; do grep -qx -- --verbose "options/$command" || echo "$command"; done | grep -vx help)
[ -z "$lacking" ] && ok "each has options" || not_ok "each has options" "$lacking"

# known WHAT OPTION: whether that is there
known() {
  local what=$1 option=$2
  case $what in
    tools/* | datasets/*)
      [ -x "$root/$what" ] || [ -f "$root/$what" ] || return
      [ "$option" = - ] || script_has "$root" "$what" "$option" ;;
    \?) [[ " $(tr -s '\n ' ' ' <<<"$others") " == *" $option "* ]] || cat options/* | grep -qx -- "$option" ||
      grep -rqE -- "(^|[^a-z0-9-])$option([^a-z0-9-]|$)" "$root/tools" "$root/configs/slurm" "$root/datasets/fetch.sh" ;;
    *) [ -f "options/$what" ] && { [ "$option" = - ] || grep -qx -- "$option" "options/$what"; } ;;
  esac
}
# wrong PAGE...: what they name and is not there
wrong() {
  for page; do (cd "$root" && awk -v commands="$(tr '\n' ' ' <<<"$commands") help" -f "$named" "$page"); done >found
  sort -t $'\t' -u -k 2 found | while IFS=$'\t' read -r place what option; do
    known "$what" "$option" || { [ "$option" != - ] || option=; echo "$place: $what${option:+ $option}"; }
  done
}
cd "$root" && pages=(README.md CONTRIBUTING.md docs/*.md docs/python/*.md datasets/*.md checkpoints/*.md) && cd "$work" || exit 1
for i in "${!pages[@]}"; do [ "${pages[i]}" != docs/errors.md ] || unset "pages[i]"; done
missing=$(wrong "${pages[@]}")
[ -z "$missing" ] && ok "what $(wc -l <found) places of the documentation name is there" || not_ok "what the documentation names is there" "$missing"
[ "$(wc -l <found)" -gt 1000 ] && ok "which are many" || not_ok "which are many" "$(wc -l <found)"

# The test can fail.
finds() {
  printf '%s\n' "$2" >page.md
  missing=$(wrong "$work/page.md" | sed 's/^[^:]*:[0-9]*: //' | tr '\n' ' ')
  [ "$missing" = "$3" ] && ok "$1" || not_ok "$1" "found: $missing; wanted: $3"
}
finds "right ones pass" 'See `audiomood predict X --json`, `train CONFIG --dry-run` and `tools/check --full`, and `--segments`.' ''
finds "an option that is not there" 'See `audiomood predict X --foo`.' 'predict --foo '
finds "one of another command" 'See `audiomood train X --segments`.' 'train --segments '
finds "a command that is not there" 'See `audiomood foresee X`.' 'foresee '
finds "one over the end of a line" "$(printf 'See `audiomood predict X\n  --foo` of it.')" 'predict --foo '
finds "in brackets and with alternatives" '`audiomood predict X [--json|--foo] [-q]`' 'predict --foo predict -q '
finds "behind another command" '`cat x | audiomood live - --foo`' 'live --foo '
finds "in a table" '| `predict X [--csv\|--foo]` | yes |' 'predict --foo '
finds "an option alone" 'With `--foo P` it is so.' '? --foo '
finds "a script that is not there" '`tools/chekc --full`' 'tools/chekc tools/chekc --full '
finds "an option of a script" '`tools/check --foo`' 'tools/check --foo '
finds "in an example" "$(printf '```\n$ audiomood predict X --foo\nx.wav: sad\n```')" 'predict --foo '
finds "in one that goes on" "$(printf 'So\n\n    audiomood predict X --json\n                      [--foo]\n')" 'predict --foo '
plan
