#!/bin/bash
# tests/cli/test_folder.sh AUDIOMOOD SOURCE_ROOT - predict of a folder into a file, which another call goes on with (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" folder "$1" "$2"

trained
mkdir -p sounds/b sounds/a/deep sounds/.git
cp corpus/Actor_01/* sounds/b; cp corpus/Actor_02/* sounds/a; cp corpus/Actor_03/* sounds/a/deep
cp "$sound" sounds/.hidden.wav; cp "$sound" sounds/.git/c.wav; touch sounds/notes.txt sounds/b/README.md

# ---- one table, whatever hears it ----
run predict run1 sounds -o all.csv; expect "a folder into a file" 0 "90 sounds found; passed over: 2 other files and 2 hidden" "all.csv has all 90"
[ ! -s out ] && [ "$(wc -l <all.csv)" = 91 ] && ok "nothing goes to standard output" || not_ok "nothing goes to standard output"
sed 1d all.csv | cut -d, -f1 >names; LC_ALL=C sort -c names && ok "rows are in the order of the names" || not_ok "rows are in the order of the names"
for t in 1 2 5; do run predict run1 sounds -o t$t.csv --threads $t; cmp -s t$t.csv all.csv || break; done
[ $t = 5 ] && cmp -s t5.csv all.csv && ok "the same bytes by any number of threads" || not_ok "the same bytes by any number of threads"
run predict run1 sounds --csv; cut -d, -f1-9 all.csv >plain; same "and as on standard output" plain out
run predict run1 sounds -o all.jsonl; expect "as lines of JSON, by the name of the file" 0 "all.jsonl has all 90"
[ "$(grep -c '^{"file": "sounds/.*"error": null}$' all.jsonl)" = 90 ] && ok "a line a sound" || not_ok "a line a sound"

# ---- cut off anywhere, it goes on ----
good=0
for bytes in 5 60 5000 7003 $(($(stat -c %s all.csv) - 1)); do
  head -c $bytes all.csv >part.csv; run predict run1 sounds -o part.csv
  [ $code = 0 ] && cmp -s part.csv all.csv && good=$((good + 1))
done
[ $good = 5 ] && ok "a file that was cut off anywhere is made whole" || not_ok "a file that was cut off anywhere is made whole" "$good of 5"
head -c 5000 all.jsonl >part.jsonl; run predict run1 sounds -o part.jsonl; expect "so are lines of JSON" 0 "no whole row, and are cut off" "going on from sounds/"
same "with the same rows" part.jsonl all.jsonl
run predict run1 sounds -o all.csv; expect "one that is whole is heard once more at its end" 0 "all.csv has 90 of 90 sounds" "1 sound heard"
same "and stays as it is" all.csv t1.csv
cp all.csv more.csv; cp "$sound" sounds/z.wav; run predict run1 sounds -o more.csv; expect "a new sound" 0 "2 sounds heard"
[ "$(tail -n 1 more.csv | cut -d, -f1)" = sounds/z.wav ] && [ "$(wc -l <more.csv)" = 92 ] && ok "has a row at the end" || not_ok "has a row at the end"
rm sounds/z.wav
run predict run1 sounds -o windows.csv --window 0.7; mv windows.csv whole.csv; head -c 3000 whole.csv >windows.csv
run predict run1 sounds -o windows.csv --window 0.7; same "a sound of which some windows are there is heard anew" windows.csv whole.csv
"$audiomood" predict run1 sounds sounds/b -o killed.csv >/dev/null 2>&1 & pid=$!
for _ in {1..12000}; do [ -s killed.csv ] && break; sleep 0.005; done; kill -KILL $pid 2>/dev/null; wait $pid 2>/dev/null
run predict run1 sounds sounds/b -o killed.csv; expect "after a kill" 0
sort -u killed.csv >ordered; sort -u all.csv >wanted; same "no sound is missing" ordered wanted

# ---- what it will not touch ----
run train tiny.yaml --out other --seed 8 --set train.epochs=1; cp all.csv kept.csv
run predict other sounds -o all.csv; expect "another model" 2 "all.csv: is there already, and says something else of sounds/b/.*another model"
run predict run1 sounds -o all.csv --window 1; expect "other options" 2 "first line is not that of these predictions"
run predict run1 corpus -o all.csv; expect "other sounds" 2 "its last row is of a sound that is none of these"
same "leave the file as it was" all.csv kept.csv
for f in tiny.yaml run1/best.h5; do cp $f mine; run predict run1 sounds -o mine --csv; [ $code = 2 ] && cmp -s $f mine || break; done
same "a file that is no table is left alone" run1/best.h5 mine
cp run1/best.h5 mine; run predict run1 sounds -o mine --json; [ $code != 0 ] && same "also where no header is looked for" run1/best.h5 mine
run predict run1 sounds -o /dev/null --csv; expect "a device" 2 "nothing can be appended"
run predict run1 sounds -o out.txt; expect "a format has to be told" 2 "add --csv or --json"
run predict run1 sounds -o out.csv --segments --format rttm; expect "rows of another program" 2 "format rttm goes to standard output"
(ulimit -f 8; exec "$audiomood" predict run1 sounds -o full.csv >out 2>err); code=$?; expect "a full disk" 1 "cannot write full.csv"
run predict run1 sounds -o full.csv; same "leaves whole rows, from which it goes on" full.csv kept.csv
exec 8>>locked.csv; flock 8; run predict run1 sounds -o locked.csv; exec 8>&-; expect "two calls at once" 1 "another process appends to it"

# ---- segments ----
mkdir few; cp $(ls sounds/a/*.wav | head -n 8) few; two=$(ls few/*.wav | head -n 2); silence 2000 | wav few/quiet.wav
run predict run1 few -o parts.csv --segments; expect "segments into a file" 0 "parts.csv has all 9" "in 1 of 9 sounds nobody was found to speak: few/quiet.wav"
head -n 1 parts.csv | grep -q "^file,channel,start,end,label,top,margin,share,p_calm,.*,reason,error" && ok "with times and reasons" || not_ok "with times and reasons"
[ "$(grep -c '^few/quiet.wav,,,,,.*,no speech,' parts.csv)" = 1 ] && ok "where nobody speaks a row says so" || not_ok "where nobody speaks a row says so"
grep -v ',no speech,' parts.csv | cut -d, -f1-12 >told; run predict run1 few --segments --csv; same "the others are those of standard output" told out
good=0
for bytes in 60 150 $(($(stat -c %s parts.csv) / 2)) $(($(stat -c %s parts.csv) - 1)); do
  head -c $bytes parts.csv >part.csv; run predict run1 few -o part.csv --segments
  [ $code = 0 ] && cmp -s part.csv parts.csv && good=$((good + 1))
done
[ $good = 4 ] && ok "cut off anywhere, they are made whole" || not_ok "cut off anywhere, they are made whole" "$good of 4"
"$audiomood" predict run1 few -o torn.csv --segments >/dev/null 2>&1 & pid=$!
written() { [ "$(wc -l 2>/dev/null <torn.csv)" -ge 3 ]; }
hold written; kill -KILL $pid; wait $pid 2>/dev/null
run predict run1 few -o torn.csv --segments; same "after a kill, too" torn.csv parts.csv
run predict run1 few -o parts.csv --segments --vad none; expect "other segments are refused" 2 "parts.csv: is there already, and says something else of few/quiet.wav"
run predict run1 few/quiet.wav $two -o parts.jsonl --segments; grep -q '^{"file": "few/quiet.wav", "start": null, "end": null, "label": null, "reason": "no speech", "error": null}$' parts.jsonl &&
  ok "as lines of JSON" || not_ok "as lines of JSON" "$(head -c 300 parts.jsonl)"
cp parts.jsonl whole.jsonl; head -c 200 whole.jsonl >parts.jsonl; run predict run1 few/quiet.wav $two -o parts.jsonl --segments; same "which go on, too" parts.jsonl whole.jsonl
echo text >few/none.wav; run predict run1 few -o parts.csv --segments; expect "a sound that cannot be read" 1 "1 of 10 sounds could not be read"
[ "$(grep -c '^few/none.wav,.*,unreadable,.*text file' parts.csv)" = 1 ] && ok "has a row, too" || not_ok "has a row, too"

# ---- sounds that cannot be read ----
head -c 1000 "$sound" >sounds/b/cut.wav; echo text >sounds/a/none.wav
run predict run1 sounds -o bad.csv; expect "sounds that cannot be read do not keep others from being heard" 1 "2 of 92 sounds could not be read; their rows in bad.csv"
[ "$(grep -c ',unreadable,,,.*truncated\|,unreadable,,,.*text file' bad.csv)" = 2 ] && ok "their rows say why" || not_ok "their rows say why"
run predict run1 sounds -o bad.csv; expect "and are counted when nothing is left to do" 1 "2 of 92 sounds could not be read"
run predict run1 sounds -o bad.csv --skip-unreadable; expect "they may be none" 0 "warning: 2 of 92 sounds skipped"
run predict run1 sounds --csv; expect "on standard output as well" 1 "error: sounds/a/none.wav: is a text file" "2 of 92 sounds could not be read"
[ "$(wc -l <out)" = 91 ] && ok "the others are there" || not_ok "the others are there"
plan
