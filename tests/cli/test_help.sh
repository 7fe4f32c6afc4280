#!/bin/bash
# tests/cli/test_help.sh AUDIOMOOD SOURCE_ROOT - this harness, usage, and what `audiomood help` says (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" help "$1" "$2"

# ---- this script itself ----
for i in 1 2 3 4 5; do (sleep 1; true) & kill $!; wait $!; done 2>/dev/null
[ -e lsan.txt ] && ok "killed helpers leave the folder of the tests" || { not_ok "killed helpers leave the folder of the tests"; echo "1..$cases"; exit 1; }

# ---- help and usage ----
run --help; expect "overview" 0 "train +trains" "predict"
run help --help; expect "help of help" 0 "predict"; run train -h; expect "-h is --help" 0 "--resume RUN"
run --version; expect "version" 0 "^audiomood [0-9]+\.[0-9]+"
[ "$(wc -l <out)" = 1 ] && ok "in one line" || not_ok "in one line"
run --version --verbose; expect "with --verbose its parts" 0 "^processor +(plain|avx2|avx512|neon) in use; of plain" \
  "^  openblas +[A-Za-z0-9]" "^  libsndfile +libsndfile-[0-9]" "^  hdf5 +[0-9.]+$" "^  pages and pictures +yes  Cairo [0-9]" "^optional parts$"
AM_CPU=plain run --verbose --version; expect "and the path in use" 0 "^processor +plain in use"
mkdir without; : >"without/$(grep -aoE "libcairo\.so\.[0-9]+" "$audiomood" | head -1)"
LD_LIBRARY_PATH=without run train --version --verbose
expect "a library that is loaded and not there" 0 "^  pages and pictures +no +.*libcairo.* cannot be loaded; install it .Debian: libcairo2.:"
for word in licences licenses license Licence; do run help $word; expect "help $word" 0 "^  FFTW +GPL-2.0-or-later" "MIT licence"; done
run; expect "no command is usage" 2
run trian; expect "unknown command" 2 "did you mean 'train'"
run train --help; expect "help of train" 0 "--resume RUN" "--set KEY=VALUE"
run train; expect "train without a config" 2 "wanted a config file"
run train a.yaml b.yaml; expect "one argument too many" 2 "too many"
for words in --version --help "help train" "train --help" "train --version"; do
  "$audiomood" $words >/dev/full 2>err; code=$?; : >out; expect "$words into a full standard output" 1 "standard output could not be written"
done
run train a.yaml --otu x; expect "unknown option" 2 "did you mean --out"
run predict; expect "predict without arguments" 2
run train --threads 0 a.yaml; expect "threads out of range" 2 "--threads 0"
run train missing.yaml; expect "config that is not there" 1 "missing.yaml"
for command in evaluate export features import predict report verify; do
  run $command --help; grep -q -- "--seed" out && not_ok "$command has no --seed" || ok "$command has no --seed"
  run $command x y --seed 1; expect "so it refuses one" 2 "unknown option --seed"
done
for command in train crossval compare synth inspect; do run $command --help; expect "$command has a seed" 0 "^  --seed N +[a-z]"; done
run train --help; expect "-o stands beside --out" 0 "^  --out, -o DIR  "
run verify --help; grep -q -- "-o" out && not_ok "and nowhere else" || ok "and nowhere else"
run train --help; expect "what resuming takes" 0 "--resume RUN .--set KEY=VALUE"
for key in $(sed -n '/free_keys.. = /,/;/p' "$root/src/train/resume.c" | grep -oE '(data|train)\.[a-z_]+'); do
  grep -q "$key[, ]" out && ok "resuming may change $key, and its help says so" || not_ok "resuming may change $key, and its help says so"
done

# ---- help: what a config may hold ----
# Every key has a line of its own, and its meaning below; nothing is wider than 100 columns.
well_formed() {
  sed -n '/^  key /,$p' out | awk '/^  key  / { next } /^  [a-z]/ { bad += open; open = 1; n++ } /^    / { open = 0 }
    length > 100 { bad++ } END { exit !(n && !bad && !open) }' && ok "$1" || not_ok "$1" "$(cat out)"
}
for section in config data split features augment model train train.loss train.optimiser train.schedule; do
  run help $section; expect "help $section" 0 "^(Section $section|The top) of a config: [a-z]" "^  key +type +default +range or choices$"
  well_formed "every key of $section is explained"
done
run help layers; expect "help layers" 0 "^  conv2d +convolution" "^  parallel +branches" "^  concat +joins"
layers=$(sed -n 's/^  \([a-z0-9_]*\)  .*/\1/p' out)
n=$(grep -c '^  X(am_' "$root/src/nn/registry.c")
[ "$(wc -w <<<"$layers")" = $((n + 3)) ] && ok "lists every layer and block" || not_ok "lists every layer and block"
for layer in $layers; do
  run help $layer; expect "help $layer" 0 "^Layer $layer: .*[.]$" "^  activation +word|Blocks put it in"
  grep -q "Blocks put it in" out || well_formed "every option of $layer is explained"
done
run help conv2d; expect "an option's default, range and choices" 0 "^  filters +int +required +1 to 1048576$" "^  padding +word +valid +valid, same, explicit$"
run help train; expect "help of a word that is a command and a section" 0 "^audiomood train CONFIG" "^Section train of a config" "^  epochs +int +15 "
run help compare; expect "help of a command" 0 "^audiomood compare RUN"
run help bach_norm; expect "help of a misspelt layer" 2 "no command, section of the config or layer; did you mean 'batch_norm'"
run help optimiser; expect "help of half a section's name" 0 "^Section train.optimiser of a config"
run help residual; expect "a block that is followed by an activation" 0 "^  activation +word +relu +none, relu"
run help zebra; expect "help of nothing" 2 "'zebra' is no command" "audiomood help layers"
for page in "--help" "train --help" "inspect --help"; do run $page; expect "$page says where keys are explained" 0 "audiomood help (config|SECTION)"; done
plan
