#!/bin/bash
# tests/cli/test_manual.sh AUDIOMOOD SOURCE_ROOT MANUAL FOLDER - man pages, Markdown and the completion of shells, as audiomood-manual
# makes them and as FOLDER has them from the build (TAP).
# SPDX-License-Identifier: MIT
manual=$(realpath "$3") built=$(realpath "$4")
. "$(dirname "$0")/tap.sh" manual "$1" "$2"
check() { if [ -z "$1" ]; then ok "$2"; else not_ok "$2" "$1"; fi; } # FAULT NAME
unset SOURCE_DATE_EPOCH
: >err

# ---- pages ----
"$manual" list >list
commands=$("$audiomood" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
wanted=$(for c in audiomood $commands config; do echo $c; done) found=$(cut -d' ' -f1 list)
check "$([ "$found" = "$wanted" ] || diff <(echo "$wanted") <(echo "$found"))" "there is a page for each command, the whole and the config"
while read -r word page; do SOURCE_DATE_EPOCH=1764460800 "$manual" man $word >$page || echo "$word: $?"; done <list >out
check "$(cat out)" "each page can be made"
check "$(cut -d' ' -f2 list | sort | diff - <(cd "$built" && ls *.[15]))" "and is made by the build"
check "$(grep -L '"2025-11-30"' *.[15])" "with the day of SOURCE_DATE_EPOCH"
check "$("$manual" man predict | diff - audiomood-predict.1 | grep '^[<>]' | grep -v '\.TH')" "and without, with no day and otherwise the same"
check "$(while read -r word page; do "$manual" man $word | diff -q - <("$manual" man $word); done <list)" "twice the same bytes"
for c in $commands; do
  # a page has the flags of --help, and no others
  diff <("$audiomood" $c --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort) \
    <(sed -n 's/^\\fB\(\\-\\-[^,\\]*\(\\-[^,\\]*\)*\).*/\1/p' audiomood-$c.1 | tr -d '\\' | sort) || echo "in $c"
done >out
check "$(cat out)" "a page has all flags of --help, and no others"
for s in config data split features augment model train train.loss train.optimiser train.schedule conv2d lstm residual; do
  "$audiomood" help $s | sed -n 's/^  \([a-z][a-z0-9_]*\)  *\(bool\|int\|real\|text\|word\|ints\|reals\|texts\|words\|map\|list\|bytes\) .*/\1 \2/p' |
    while read -r key type; do grep -qF "\\fB$key\\fR \\fI$type\\fR" audiomood-config.5 || echo "$s: $key $type"; done
done >out
check "$(cat out)" "the page of the config has all keys of help"
grep -A2 -F '\fBlearning_rate\fR' audiomood-config.5 | grep -q 'step size' && ok "with what they mean" || not_ok "with what they mean"
grep -qx 'Default: adam; of: sgd, adam, adamw.' audiomood-config.5 && ok "default and words" || not_ok "default and words"
fault=$(grep -rhoE 'getenv\("(AM|AUDIOMOOD)_[A-Z_]+"|"AUDIOMOOD_[A-Z]+"' "$root/src" --include='*.c' --exclude-dir=manual | grep -oE '[A-Z]+_[A-Z_]+' | sort -u |
  while read -r name; do grep -q "fB$name" audiomood.1 || echo "$name is not in audiomood.1"; done)
check "$fault" "what the environment may hold is told"
for word in "" nothing trian; do "$manual" man $word >out 2>err; code=$?; expect "no page of '$word'" 2 "there is no such page"; done
"$manual" commands >out 2>err; code=$?; expect "a format that there is not" 2 "audiomood-manual FORMAT"
"$manual" man audiomood >/dev/full 2>err; code=$?; : >out; expect "a full disk" 1 "audiomood-manual"
if command -v mandoc >/dev/null; then check "$(mandoc -T lint -W style *.[15])" "mandoc finds nothing"; else echo "ok $((++cases)) - mandoc # SKIP it is not there"; fi
if command -v groff >/dev/null; then
  check "$(for p in *.[15]; do groff -man -ww -t -Tutf8 -z $p 2>&1; done)" "groff warns of nothing"
else echo "ok $((++cases)) - groff # SKIP it is not there"; fi

# ---- Markdown ----
"$manual" markdown commands >commands.md && "$manual" markdown config >config.md
check "$(for c in $commands; do grep -qx "## $c" commands.md || echo $c; done)" "Markdown: a part for each command"
check "$(awk '/^\|/ { s = $0; gsub(/\\\|/, "", s); n = gsub(/\|/, "", s); if (n != 6) print FILENAME ": " $0 }' config.md)" "Markdown: five columns in each table"
grep -qF '| `learning_rate` | real | `0.001` | at least 0 |' config.md && ok "Markdown: keys with type, default and range" || not_ok "Markdown: keys"

# ---- completion ----
mkdir -p w/runs && cd w && : >x.h5 && : >'a b.WAV' && : >note.txt && : >c.yaml
"$manual" bash >../audiomood.bash; "$manual" zsh >../_audiomood; "$manual" fish >../audiomood.fish
check "$(cmp ../audiomood.bash "$built/audiomood"; cmp ../_audiomood "$built/_audiomood"; cmp ../audiomood.fish "$built/audiomood.fish")" "completion: what the build has"
# What a shell offers: a line, a bar, words that are offered, another bar and words that are not.
cat >../cases <<'CASES'
audiomood pre|predict|train
audiomood predict --wi|--with --window|--out
audiomood train --set train.loss.ki|train.loss.kind=|train.loss.gamma=
audiomood train --set train.optimiser.kind=a|adam adamw|sgd
audiomood train --set=train.loss.kind=c|cross_entropy ccc|focal
audiomood train --set data.corpus=de|described|several
audiomood train --set train.bucket=|true false|c.yaml
audiomood train --set data.manif|data.manifest=|data.root=
audiomood predict --vad |model energy none x.h5|note.txt
audiomood predict --vad=m|model|energy
audiomood predict |x.h5 runs|note.txt c.yaml
audiomood train |c.yaml|x.h5
audiomood train --out r|runs|c.yaml
audiomood train -o r|runs|c.yaml
audiomood export --to |keras|x.h5
audiomood export --lay|--layout|--frames
audiomood evaluate --under telep|telephone|white20
audiomood help train.o|train.optimiser|train.loss
audiomood help conv|conv1d conv2d|train
CASES
# Offered by bash: a real one, to whose function the line is given cut as Readline cuts it.
by_bash() {
  bash --norc -c '
    source ../audiomood.bash; complete -p audiomood >/dev/null || exit
    COMP_LINE=$1 COMP_POINT=${#1} rest=$1 COMP_WORDS=()
    while [[ $rest ]]; do
      rest=${rest#"${rest%%[! ]*}"}; [[ $rest ]] || break
      if [[ $rest == [=:]* ]]; then w=${rest%%[!=:]*}; else w=${rest%%[ =:]*}; fi
      COMP_WORDS+=("$w") rest=${rest#"$w"}
    done
    [[ $1 != *" " ]] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _audiomood; printf "%s\n" "${COMPREPLY[@]}"' - "$1"
}
by_fish() { fish --no-config -c "source ../audiomood.fish; complete -C '$1'" | cut -f1 | sed 's/^--set=//; s/^--vad=//; s/^[a-z.]*=\(.\)/\1/; s,/$,,'; }
# zsh is asked in a terminal of its own (zpty), all lines by one.
cat >../asked.zsh <<'ZSH'
zmodload zsh/zpty
zpty t zsh -f -i
seen() {
  local part i
  out=
  for i in {1..3000}; do
    while zpty -r -t t part; do out+=$part; done
    [[ $out != *$1* ]] || return 0
    sleep 0.02
  done
  return 1
}
zpty -w t 'PS1= PS2=; stty -echo columns 300 rows 200; fpath=($PWD/.. $fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=0
tell() { zle -R; print -r - "<to""ld>"; }; zle -N tell; bindkey "^X" list-choices; bindkey "^Y" tell; print rea""dy'
seen ready || exit 1
while IFS='|' read -r line rest; do
  zpty -n -w t "$line"$'\x18\x19'
  seen '<told>'
  print -r -- "$out" | tr -d '\r' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' | tail -n +2 | sed '/^-*[a-z]/s/audiomood.*//' >"${line//[^a-zA-Z.=-]/_}.zsh"
  zpty -n -w t $'\x15'
done <../cases
zpty -d t
ZSH
by_zsh() { cat "${1//[^a-zA-Z.=-]/_}.zsh"; }
tried() { # SHELL: what is amiss
  local line wanted others got word
  while IFS='|' read -r line wanted others; do
    got=$(by_$1 "$line" 2>&1)
    for word in ${wanted//=/}; do grep -qE "(^|[ /])${word//./\\.}([ /=]|\$)" <<<"$got" || echo "'$line' does not offer $word: $got" | head -3; done
    for word in ${others//=/}; do ! grep -qE "(^|[ /])${word//./\\.}([ /=]|\$)" <<<"$got" || echo "'$line' offers $word"; done
  done <../cases
}
check "$(bash -n ../audiomood.bash 2>&1; tried bash)" "completion: bash"
check "$(by_bash 'audiomood predict a' | grep -vx 'a b.WAV')" "completion: bash and a name with a blank"
if command -v fish >/dev/null; then check "$(fish -n ../audiomood.fish 2>&1; tried fish)" "completion: fish"; else echo "ok $((++cases)) - fish # SKIP it is not there"; fi
if command -v zsh >/dev/null; then check "$(zsh -n ../_audiomood 2>&1; zsh -f ../asked.zsh 2>&1; tried zsh)" "completion: zsh"; else echo "ok $((++cases)) - zsh # SKIP it is not there"; fi
plan
