#!/bin/bash
# tests/cli/test_commands.sh AUDIOMOOD SOURCE_ROOT MANUAL BUILD - runs the commands of the documentation: every block "sh" of its pages, each in a
# folder of its own, where all that it names stands made up and small (commands/stand-ins.sh), by a PATH that has nothing but
# audiomood, stand-ins of the programs of others (commands/stub), and the tools of any system.
#
# audiomood is the real one, with the arguments as they are. Trainings and cross-validations run to their end, but with two epochs, a
# linear net, a corpus of 192 synthetic clips; commands/audiomood says what is smaller. The scripts of tools/ and datasets/ are not
# run: that they are there, and have these options, is looked at. So a command that is not there, an option, a key of a config, a label, a file or an
# order of commands that cannot work is found; whether a figure is right is not.
# SPDX-License-Identifier: MIT
AM_MANUAL=$(realpath "$3") AM_BUILD=$(realpath "$4")
. "$(dirname "$0")/tap.sh" commands "$1" "$2"
commands=$(dirname "$tap")/commands AM_REAL=$audiomood AM_ROOT=$root
export AM_REAL AM_ROOT AM_MANUAL AM_BUILD AUDIOMOOD_MODEL=$root/checkpoints/ravdess-nemo.h5 AUDIOMOOD_DETECTOR=$root/checkpoints/speech_detector.h5
. "$commands/stand-ins.sh"

# Blocks that are not run: the page, how the block begins, and why.
not_run='docs/tutorial.md||test_tutorial.sh runs this page, and compares what it prints'

export AM_KEPT=${AM_MADE_UP:-$work/.kept}/commands
kept=$AM_KEPT
[ "$kept" -nt "$commands/stand-ins.sh" ] || rm -rf "$kept"
mkdir copy bin && cd copy && kept commands keep && cd .. && rm -r copy || exit 1
for name in cat head tail ls cp mv mkdir rm ln find awk sed grep sort tr echo printf cut wc bash env true; do ln -s "$(type -P $name)" bin/; done
ln -s "$commands/audiomood" bin/
for name in sudo timed mpirun srun sbatch ldconfig pkg-config cc meson ninja curl arecord tar podman; do ln -s "$commands/stub" bin/; mv bin/stub bin/$name; done
mkdir placed && (cd placed && place) || { echo "Bail out! stand-ins could not be made"; exit 1; }

# blocks PAGE FOLDER: one file a block, FOLDER/LINE.sh, as it stands but for its indentation; LINE.above is the block before it
blocks() {
  awk -v folder="$2" '
    /^ *```/ {
      if (inside) { inside = 0; close(name); previous = name; next }
      inside = 1; kind = $0; indent = kind; sub(/`.*/, "", indent); sub(/^ *```/, "", kind)
      name = sprintf("%s/%04d.%s", folder, NR, kind == "" ? "example" : kind)
      if (kind == "sh" && previous != "") print previous >(folder "/" sprintf("%04d.above", NR))
      printf "" >name; next
    }
    inside { print substr($0, length(indent) + 1) >name }' "$1"
}
# fresh BLOCK: whatever a block makes is not there before: names that it has first behind --out, -o, --dir or synth
fresh() {
  awk '{ for (i = 1; i <= NF; i++) { w = $i; gsub(/[;)]+$/, "", w); if (!(w in seen)) { seen[w] = 1; if (before ~ /^(--out|-o|synth)$/ && w ~ /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/) print w } before = w } }' "$1" |
    while read -r name; do [[ $name == *..* ]] || rm -rf "./$name"; done
}
# try BLOCK: runs it in a folder; BLOCK.code has its exit code, BLOCK.said what it said
try() {
  local folder=${1%.sh}.d
  mkdir "$folder" && cp -a "$work/placed/." "$folder" && cd "$folder" || return
  fresh "$1"
  # A description that a page gives stands in its own block above.
  if [ -f "${1%.sh}.above" ]; then above=$(<"${1%.sh}.above"); ! grep -q '^files:' "$above" || cp "$above" mine.yaml; fi
  ! grep -q crossval "$1" || cp folds.yaml CONFIG
  ! grep -q -- --enrol "$1" || ln -sfn "$AM_KEPT/six/voice" RUN
  # Programs of a build, and one that is named by its whole path.
  for program in $(grep -oE 'build/tests/[a-z_]+/[a-z_]+' "$1"); do mkdir -p "${program%/*}" && ln -sf "$commands/stub" "$program"; done
  sed 's|/usr/bin/time|timed|' "$1" >block
  timeout -s KILL 300 env PATH="$work/bin" bash -eu -o pipefail block >"${1%.sh}.said" 2>&1 </dev/null; echo $? >"${1%.sh}.code"
  cd "$work" && rm -rf "$folder"
}
export -f try fresh
export work commands

# run_pages FOLDER PAGE...: all blocks of the pages, two at a time
run_pages() {
  local folder=$1 page; shift
  for page; do mkdir -p "$folder/$page.d"; blocks "$page" "$folder/$page.d"; done
  find "$folder" -name '*.sh' -size +0 | sort | grep -vF "$(cut -d '|' -f 1 <<<"$not_run" | sed 's|$|.d/|')" >"$folder/list"
  xargs -r -P 2 -I % bash -c 'try "$1"' - % <"$folder/list"
}

cd "$root" && pages=(README.md CONTRIBUTING.md docs/*.md docs/python/*.md datasets/*.md checkpoints/*.md) || exit 1
run_pages "$work/pages" "${pages[@]}"
cd "$work" || exit 1
while read -r block; do
  page=${block#"$work/pages/"}; line=${page##*.d/}; name="${page%.d/*}:$((10#${line%.sh})): $(head -n 1 "$block")"
  if [ "$(cat "${block%.sh}.code")" = 0 ]; then ok "$name"; else : >out; cp "${block%.sh}.said" err; not_ok "$name" "exit code $(cat "${block%.sh}.code")"; fi
done <pages/list
[ "$(wc -l <pages/list)" -gt 50 ] && ok "$(wc -l <pages/list) blocks of commands" || not_ok "blocks of commands" "$(wc -l <pages/list)"
[ "$(wc -l <<<"$not_run")" -le 4 ] && ok "and few that are not run" || not_ok "few blocks are not run" "$not_run"
while IFS='|' read -r page begin why; do
  [ -n "$why" ] && grep -qF -- "$begin" "$root/$page" && ok "$page ${begin:-(all)}: $why" || not_ok "$page $begin is not there any more, or has no reason"
done <<<"$not_run"

# Commands are in no other kind of block: an example may have them behind $, or with what is printed.
others=$(for f in pages/*.d/*.example pages/*/*.d/*.example pages/*/*/*.d/*.example; do
  [ ! -s "$f" ] || grep -qvE '^ *(AM_[A-Z]+=[^ ]* )*(audiomood|tools/[a-z-]+|datasets/get-[a-z-]+) |^ +--|^$' "$f" || grep -qE ' \[--|\||audiomood [a-z]+: ' "$f" || echo "$f: $(head -n 1 "$f")"
done 2>/dev/null)
[ -z "$others" ] && ok "blocks of nothing but commands are marked sh" || not_ok "blocks of nothing but commands are marked sh" "$others"

# The test can fail.
mkdir made-up && pages=()
# wrong NAME BLOCK CODE PATTERN: what becomes of a page of this block
wrong() {
  pages+=("${#pages[@]}.md"); made_up+=("$1" "$3" "$4")
  { printf '# Page\n\n```sh\n'; printf '%s\n' "$2"; printf '```\n'; } >"made-up/${pages[-1]}"
}
wrong "a page may be right" 'audiomood predict voice.wav --json' 0 '"file": "voice.wav"'
wrong "an option that is not there" 'audiomood predict voice.wav --jsno' 2 'unknown option --jsno'
wrong "a command that is not there" 'audiomood foresee voice.wav' 2 "no command 'foresee'"
wrong "a file that is not there" 'audiomood predict voices.wav' 1 'voices.wav'
wrong "a key that is not there" 'audiomood train configs/ravdess_cnn1.yaml --set data.root=ravdess --set train.rate=1 --out x' 2 'unknown key "rate"'
wrong "a config that is not there" 'audiomood crossval configs/ravdess_cnn2.yaml --out x' 1 'ravdess_cnn2.yaml'
wrong "the first of several" 'audiomood inspect voices.wav
audiomood inspect voice.wav' 1 'voices.wav'
wrong "in a pipe" 'audiomood predict voices.wav | cat' 1 'voices.wav'
wrong "an option of a script" 'tools/robustness runs/mine --dat x' 1 'robustness: has no option --dat'
wrong "a script that is not there" 'tools/robust runs/mine' 127 'tools/robust'
wrong "a key that a script is to choose" 'tools/nested-crossval configs/ravdess_functionals.yaml --choose train.optimiser.decay=0.1,0.4 --out x' 1 'unknown key "decay"'
wrong "a program that has no stand-in" 'rsync a b' 127 'rsync'
wrong "an option of meson" 'meson setup build -Dreprot=disabled' 1 'no option reprot'
wrong "a target of ninja" 'ninja -C build docs-siet' 1 'no target docs-siet'
wrong "a program of the build" 'build/tests/nn/test_nothing' 1 'no target tests/nn/test_nothing'
wrong "a path of the server" 'curl -F file=@voice.wav http://127.0.0.1:8080/v1/predcit' 1 'no path'
wrong "a recording that is sent" 'curl -F file=@voices.wav http://127.0.0.1:8080/v1/predict' 1 'voices.wav is not there'
(cd made-up && run_pages "$work/tried" "${pages[@]}")
: >err
for page in "${pages[@]}"; do
  cp tried/$page.d/*.said out; code=$(<tried/$page.d/0003.code)
  expect "${made_up[0]}" "${made_up[1]}" "${made_up[2]}"; made_up=("${made_up[@]:3}")
done
plan
