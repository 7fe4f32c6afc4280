#!/bin/bash
# test_limits.sh AUDIOMOOD SOURCE_ROOT: little address space, files made to take up time and memory, and signals where
# no step has ended.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" limits "$1" "$2"
model=$root/tests/model/golden/checkpoint-1.0.h5
speech 2
sound=$(find corpus -name '*.wav' | head -1)

# ---- address space, as batch systems limit it ----
# within KB ARGUMENTS...: as run, with so much address space
within() { (ulimit -v "$1"; shift; exec timeout -s KILL 120 "$audiomood" "$@") >out 2>err; code=$?; }
within 500000 --version
if [ $code != 0 ]; then ok "little address space # SKIP a sanitizer takes more"
else
  # The libraries alone take some 85 MB; a model and what belongs to it a few more; a product 132 MB.
  within 120000 --version; expect "--version in 120 MB" 0 "^audiomood [0-9]"
  within 150000 predict "$model" "$sound"
  expect "predict where there is no room for a product" 1 "out of memory: a matrix product takes 132 MB of address space"
  within 400000 predict "$model" "$sound" --threads 4; expect "predict in 400 MB, with 4 threads" 0 "%"
  cp out plain; run predict "$model" "$sound" --threads 4
  cmp -s out plain && ok "as without a limit" || not_ok "as without a limit"
fi

# ---- threads: what the pool has, and none of a library ----
# Who writes into a pipe gets it open when the other end is, too: then the command is past its start, and waits for what comes.
# piped ARGUMENTS...: the command $pid, in the background, which has the pipe open and gets nothing from it
piped() {
  rm -f pipe opened; mkfifo pipe
  "$audiomood" "$@" >out 2>err & pid=$!
  { : >opened; exec sleep 600; } >pipe & writer=$!
  while [ ! -e opened ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done
}
unpiped() { kill -KILL $writer 2>/dev/null; wait $writer 2>/dev/null; } # also where nobody opened the other end
piped predict "$model" pipe --threads 1
threads=$(ls /proc/$pid/task | wc -l)
[ "$threads" = 1 ] && ok "one thread is one" || not_ok "one thread is one" "$threads threads"
grep -q "Cpus_allowed_list:.*" /proc/$pid/status &&
  [ "$(grep Cpus_allowed_list /proc/$pid/status)" = "$(grep Cpus_allowed_list /proc/self/status)" ] &&
  ok "on all processors" || not_ok "on all processors"
kill -KILL $pid; wait $pid 2>/dev/null; unpiped

# ---- a signal where no step has ended, and nobody asks ----
piped features pipe
kill -TERM $pid; wait $pid 2>/dev/null; code=$?; unpiped
[ $code = 143 ] && ! grep -q "stopping after this step" err &&
  ok "one signal ends what has not begun" || not_ok "one signal ends what has not begun" "exit code $code"

# ---- texts that take up time ----
awk 'BEGIN { print "name: x\nfoo:\n - ["; for (i = 0; i < 40000; i++) printf "&a%d 1, ", i; print "]\n - ["; for (i = 0; i < 40000; i++) printf "*a0, "; print "]" }' >aliases.yaml
code=0; timeout -s KILL 60 "$audiomood" inspect aliases.yaml >out 2>err || code=$?
expect "40000 anchors and as many aliases" 2 'unknown key "foo"'
{ echo "path,label,speaker"; for i in 1 2 3; do cp "$sound" l$i.wav; echo "l$i.wav,l$i,s$i"; done; } >l.csv
layers() { awk -v n="$1" 'BEGIN { printf "name: x\ndata: {corpus: manifest, root: ., manifest: l.csv}\nmodel: {layers: ["; for (i = 0; i < n; i++) printf "relu: {}, "; print "global_average_pool: {}, dense: {}]}" }' >layers.yaml; }
layers 12000; code=0; timeout -s KILL 60 "$audiomood" inspect layers.yaml >out 2>err || code=$?
expect "12000 layers" 2 "more than 2000 layers, counting those of blocks and activations"
layers 1000; code=0; timeout -s KILL 60 "$audiomood" inspect layers.yaml >out 2>err || code=$?
expect "1000 layers" 0 "relu_1000"
awk 'BEGIN { for (i = 0; i < 40000; i++) print "%TAG !a" i "! b"; print "--- 1" }' >tags.yaml
run inspect tags.yaml; expect "40000 directives" 2 "tags.yaml:17:1: more than 16 lines that begin with %"
plan
