#!/bin/bash
# tests/cli/test_predicting.sh AUDIOMOOD SOURCE_ROOT - predict: files, folders, pipes, windows, several models (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" predicting "$1" "$2"

trained

run predict run1 "$sound"; expect "predict a file" 0 "angry [0-9.]+%"
run predict run1/best.h5 "$sound" --json; expect "predict --json" 0 '^\{"file": ?"corpus.*"label": ?"[a-z]+", ?"probabilities": ?\{"calm"'
run predict run1 corpus/Actor_04 --csv
expect "predict a folder as CSV" 0 "^file,label,p_calm"
[ "$(wc -l <out)" = 31 ] && ok "one line a sound" || not_ok "one line a sound" "$(wc -l <out) lines"
"$audiomood" predict run1 - --json <"$sound" >out 2>err; code=$?; expect "predict standard input" 0 "standard input"
"$audiomood" predict run1 "$sound" >/dev/full 2>err; code=$?; : >out; expect "a full standard output is a failure" 1 "standard output"
"$audiomood" predict run1 "$sound" <&- 2>&- >out; code=$?; : >err
expect "predict without standard input and error" 0 "$sound: "
rm -f run1/predictions-test.csv; "$audiomood" evaluate run1 --json <&- >&- 2>&-; code=$?; : >out; : >err
expect "evaluate without any standard stream has told nobody its results" 1
grep -q ^clip, run1/predictions-test.csv && ok "and has kept its predictions" || not_ok "and has kept its predictions"
cp -r run1 kept; rm kept/predictions-test.csv 2>/dev/null; mkdir kept/predictions-test.csv
run evaluate kept; expect "evaluate a run that cannot be changed" 0 "warning: .*kept/predictions-test.csv.*the predictions are not kept" "Confusion"
run evaluate run1 --out nowhere/p.csv; expect "evaluate into a folder that is not there" 1 "cannot create nowhere/p.csv"
[ -s out ] && not_ok "is said before the work" || ok "is said before the work"
run evaluate run1 --out kept; expect "evaluate into a folder" 1 "cannot create kept"
mkfifo pipe.h5; run predict pipe.h5 "$sound"; expect "a pipe as a checkpoint" 1 "pipe.h5 is a device or a pipe; wanted an HDF5 file"
ln -s kept/page.html link.html; : >kept/page.html; run report run1 --out link.html; expect "report through a link" 0
[ -L link.html ] && [ -s kept/page.html ] && ok "the link stays" || not_ok "the link stays"
rm -rf kept link.html pipe.h5
mkfifo pipe.wav
"$audiomood" predict run1 "$sound" "$sound" pipe.wav --csv >out 2>err & pid=$!
# It waits for a writer: in five looks one after the other it opens a file, which of a file takes no time.
looks=0
for _ in {1..1200}; do
  if grep -qE 'fifo|wait_for_partner' /proc/$pid/wchan 2>/dev/null || [[ $(cat /proc/$pid/syscall 2>/dev/null) == "257 "* ]]; then looks=$((looks + 1)); else looks=0; fi
  [ $looks = 5 ] && break; sleep 0.05
done
kill -TERM $pid; wait $pid; code=$?
expect "SIGTERM while a pipe is waited for" 143 "stopped while pipe.wav was read"
[ "$(wc -l <out)" = 3 ] && [ "$(tail -c 1 out)" = "" ] && ok "what was predicted before is written whole" || not_ok "what was predicted before is written whole"
sleep 60 >pipe.wav & writer=$!
"$audiomood" predict run1 pipe.wav >out 2>err & pid=$!
for _ in {1..1200}; do [ "$(cat /proc/$writer/comm)" = sleep ] && break; sleep 0.05; done # its pipe is open, so both have come to it
sleep 0.5; kill -TERM $pid; timeout 60 tail --pid=$pid -s 0.1 -f /dev/null || kill -KILL $pid
wait $pid; code=$?; kill $writer 2>/dev/null
expect "SIGTERM while a pipe says nothing" 143 "stopped while pipe.wav was read"
rm pipe.wav
run train tiny.yaml --out short --set features.samples=8000 --set train.epochs=1
run predict short "$sound" "$sound"; expect "a sound longer than a model hears" 0 "warning: 2 of 2 sounds are longer than what this model hears"
[ "$(grep -c "longer than what" err)" = 1 ] && [ "$(grep -c "with --window 0.50 all of it is heard" err)" = 1 ] && ok "is said once" || not_ok "is said once"
run predict short "$sound" --window 0.6; expect "so is a window" 0 "longer than what" "with --window 0.50 all"
run predict short "$sound" --window 0.5; grep -q "longer\|--window" err && not_ok "not of one that is heard" || ok "not of one that is heard"
rm -rf short

# ---- who listens may go away; what is searched may hold pipes and links ----
"$audiomood" predict run1 "$sound" missing.wav --csv >/dev/full 2>err; code=$?; : >out
expect "a full standard output ends the work" 1 "standard output could not be written"
{ "$audiomood" predict run1 corpus/Actor_04 missing.wav 2>err; echo $? >code; } | true
code=$(cat code); expect "so does one that nobody reads, as by that signal" 141
mkdir -p loop/sub; cp "$sound" loop/a.wav; cp "$sound" loop/sub/b.wav
run predict run1 loop --csv; mv out plain
ln -s . loop/again; ln -s .. loop/up; ln -s .. loop/sub/up; ln -s sub loop/twin; mkfifo loop/pipe.wav loop/sub/pipe.wav
timeout 60 "$audiomood" predict run1 loop --csv >out 2>err; code=$?
expect "a folder with links in a circle and to a folder beside, and with pipes" 0 "^loop/sub/b.wav,"
cmp -s out plain && ok "gives the same predictions as without" || not_ok "gives the same predictions as without" "$(wc -l <out) lines"
# heard: waits until the program, which began with an empty err, is about to wait for its sound
heard() { for _ in $(seq 1200); do grep -q "trained on synthetic" err && break; sleep 0.05; done; sleep 0.3; }
mkfifo pipe; : >err
(trap "" INT; exec "$audiomood" predict run1 pipe >out 2>err) & pid=$!
heard; kill -INT $pid; timeout 60 sh -c 'cat "$1" >pipe' - "$sound"; wait $pid; code=$?
expect "an ignored Ctrl-C stays ignored; a pipe that is named is read" 0 "^pipe: [a-z]+ .*angry [0-9.]+%"
grep -q stopping err && not_ok "without a word" || ok "without a word"
: >err; "${hearing[@]}" predict run1 pipe >out 2>err & pid=$!
heard; kill -INT $pid; wait $pid; code=$?
expect "Ctrl-C ends the wait for a pipe" 130 "^audiomood predict: stopped while pipe was read"
: >err; "${hearing[@]}" predict run1 - <pipe >out 2>err & pid=$!
sleep 30 >pipe & writer=$!
heard; kill -INT $pid; wait $pid; code=$?; kill $writer
expect "Ctrl-C ends the wait for standard input" 130 "^audiomood predict: stopped while standard input was read"
rm -rf loop pipe plain code

# ---- a long recording, in windows ----
# A clip twice and its first half; windows of a clip's length then hold the clip, the clip, and its second half and its first.
au() { # 16-bit samples from standard input, as a .au file: a head and samples with the high byte first
  dd conv=swab status=none >body
  printf ".snd\0\0\0\030$(printf %08x "$(stat -c %s body)" | sed 's/../\\x&/g')\0\0\0\003\0\0\x3e\x80\0\0\0\001"
  cat body
}
samples=$((($(stat -c %s "$sound") - 44) / 4 * 2))
tail -c +45 "$sound" | head -c $((2 * samples)) >pcm
au <pcm >clip.au
{ cat pcm pcm; head -c $samples pcm; } | au >long.au
length=$(awk "BEGIN { print $samples / 16000 }")
run predict run1 clip.au --csv; sed 's/^clip.au,//' out >plain
run predict run1 long.au --window $length --csv; expect "predict in windows" 0 "^file,start,end,label,p_calm"
awk -F, -v s=$length 'NR > 1 { want = NR < 4 ? (NR - 2) * s : 1.5 * s; if ($1 == "long.au" && $2 - want < 1e-3 && want - $2 < 1e-3 && $3 - $2 - s < 1e-3 && s - $3 + $2 < 1e-3) good++ }
  END { exit !(good == 3 && NR == 4) }' out && ok "a row each, the last ends with the sound" || not_ok "a row each, the last ends with the sound"
[ "$(sed -n 2,3p out | cut -d, -f4- | sort -u)" = "$(sed 1d plain)" ] && ok "a window is heard as a clip of its own" || not_ok "a window is heard as a clip of its own" "$(cat plain)"
run predict run1 long.au --window $length --hop 0.5 --json
expect "windows that overlap, as JSON" 0 '^\{"file": ?"long.au", ?"start": ?0.5, ?"end": ?[0-9.]+, ?"label": ?"[a-z]+", ?"probabilities": ?\{"calm"'
run predict run1 clip.au --window 100; expect "a sound shorter than a window is one" 0 "^clip.au 0.00-$(printf %.2f $length) s: [a-z]+  calm [0-9.]+%"
[ "$(wc -l <out)" = 1 ] && ok "in one row" || not_ok "in one row"
run predict run1 - --window 1 --csv <long.au; expect "windows of standard input" 0 "^.standard input.,1,2,"
run predict run1 long.au --hop 1; expect "--hop without --window" 2 "give --window SECONDS, too"
run predict run1 long.au --window 1 --hop 2; expect "a hop that leaves sound out" 2 "--hop 2: wanted a number from 0.01 to 1"
for bad in 0 -1 x nan 1s; do run predict run1 long.au --window=$bad; expect "--window $bad" 2 "--window $bad: wanted a number from 0.1 to 14400"; done
run predict run1 long.au --window 0.1 --hop 0.0333 --csv
[ "$(sed -n 32p out | cut -d, -f2)" = 0.999 ] && ok "the k-th window begins k hops on" || not_ok "the k-th window begins k hops on" "$(sed -n 32p out)"
rm -f long.au clip.au plain pcm body

# ---- sounds that cannot be heard, names of any kind ----
{ printf '.snd\0\0\0\030\0\0\x7d\0\0\0\0\006\0\0\x3e\x80\0\0\0\001'; printf '\x71\x49\xf2\xca%.0s' $(seq 8000); } >huge.au # 1e30
run predict run1 huge.au "$sound"; expect "a sound of absurd numbers is named" 1 "^error: huge.au: " "1 of 2 sounds could not be read"
run predict run1 huge.au "$sound" --skip-unreadable; expect "and skipped on request" 0 "skipped: huge.au: " "1 of 2 sounds skipped" "^$sound: "
newline=$'new\nline.wav'; cp "$sound" "$newline"; run predict run1 "$newline"; expect "a name of two lines" 0 "^new line.wav: [a-z]+"
[ "$(wc -l <out)" = 1 ] && ok "is printed in one" || not_ok "is printed in one"
run inspect "$newline"; run predict run1 "$newline" $'no\nfile' --skip-unreadable; grep -q "^file" err && not_ok "also in warnings" || expect "also in warnings" 0 "skipped: .*no file"
rm -f huge.au "$newline"
mkdir beside; sed 's|^name: tiny|name: ../../a b|' tiny.yaml >beside/odd.yaml; cd beside || exit 1
"$audiomood" train odd.yaml --set data.root=../corpus --set cache=../cache --set train.epochs=1 >../out 2>../err; code=$?
ls -d runs/..-..-a\ b-* >>../out; cd ..; expect "the default folder of a run of any name is in runs" 0 "^runs/..-..-a b-[0-9]+-[0-9]+$"
rm -rf beside

run train tiny.yaml --out other --seed 8 --set train.epochs=1
for r in run1 other "run1 --with other --with run1"; do run predict $r "$sound" --csv; sed 1d out; done >alone
cut -d, -f1-6 alone >rows # without what was heard
awk -F, 'NR <= 2 { for (k = 3; k <= NF; k++) mean[k] += $k * (NR == 1 ? 2 : 1) / 3 }
  NR == 3 { for (k = 3; k <= NF; k++) if ((d = mean[k] - $k) > 1e-6 || d < -1e-6) exit 1; if (NF == 6) good = 1 } END { exit !good }' rows \
  && ok "predict --with gives the mean of the models" || not_ok "predict --with gives the mean of the models" "$(cat alone)"
run evaluate run1 --out alone.1; run evaluate other --out alone.2; run evaluate run1 --with other
expect "evaluate --with" 0 "^tiny and 1 more, by the mean of their probabilities, on .* test part" "^speaker-independent +yes"
paste -d, alone.1 alone.2 run1/predictions-mean-test.csv | awk -F, 'NR > 1 { n = NF / 3; for (k = 6; k <= n; k++) {
    if ((d = ($k + $(n + k)) / 2 - $(2 * n + k)) > 1e-6 || d < -1e-6) exit 1; good++ } } END { exit good < 16 }' \
  && ok "evaluate --with scores the mean of the models" || not_ok "evaluate --with scores the mean of the models"
run evaluate run1 --with other --json; expect "evaluate --with, as JSON" 0 '"models": ?2'
run evaluate run1 --with both2 --json; expect "evaluate --with what is not there" 1 "both2: no such file"
rm -rf other
plan
