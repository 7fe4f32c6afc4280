#!/bin/bash
# tests/ranks/test_mpi.sh RANKS_PROGRAM FOLDER_OF_MODULES SOURCE_ROOT NEVER_FINALIZE - ranks that mpirun starts, of both MPIs (TAP): sums with the
# bits of one process, and one message however a rank ends.  What is not installed is skipped.
# SPDX-License-Identifier: MIT
modules=$(realpath "$2") never_finalize=$(realpath "$4")
. "$3/tests/cli/tap.sh" ranks "$1" "$3"
# What MPI's libraries keep until the process ends is theirs.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0:verify_asan_link_order=0
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 AM_RANKS_PATIENCE=15
program=$audiomood

# of RANKS ARGUMENTS...: both outputs in out, exit code in $code. It has to end by itself.  Open MPI's launcher may not (docs/cluster.md): what
# counts is that its processes have ended.
of() {
  local n=$1; shift
  timeout 300 "${mpirun[@]}" -n "$n" "$program" "$@" >out 2>&1 </dev/null & job=$!
  for _ in {1..250}; do timeout 1 tail --pid=$job -s 0.02 -f /dev/null && break; done
  local launcher; launcher=$(pgrep -P $job)
  if [ -n "$launcher" ] && [ $mpi = openmpi ] && ! pgrep -r R,S,D,T,t -P "$launcher" >/dev/null; then
    echo "# the launcher hung when its processes had ended"; kill -KILL "$launcher"; wait $job; code=1; return
  fi
  wait $job; code=$?
}
# once NAME PATTERN: the job failed, and told why once, with these words
once() {
  if [ $code = 0 ] || [ $code = 124 ]; then not_ok "$1" "exit code $code"
  elif [ "$(grep -c '^told: ' out)" != 1 ] || ! grep -qE "^told: $2" out; then not_ok "$1" "wanted one line: $2"
  else ok "$1"; fi
}
# The process of the rank that waits, once it does.
waiting() { for _ in {1..3000}; do pid=$(sed -n 's/^rank 1 is process //p' out); [ -n "$pid" ] && return; sleep 0.1; done; return 1; }
gone() { for _ in {1..600}; do [ -d "/proc/$1" ] && ! grep -q '^State:.[ZX]' "/proc/$1/status" 2>/dev/null || return 0; sleep 0.1; done; return 1; }

alone=$("$program" sums 8) alone_odd=$("$program" sums 7)
[ -n "$alone" ] && ok "one process alone: $alone" || not_ok "one process alone"

# srun starts tasks of Open MPI by PMIx, and without a plug-in tasks that know nothing of each other.
SLURM_STEP_NUM_TASKS=2 PMIX_RANK=0 AM_MPI_MODULE=$work/nothing.so "$program" sums 8 >out 2>&1; code=$?
once "srun with PMIx is Open MPI" "cannot load the module for Open MPI: .*nothing.so.*"
SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=1 "$program" sums 8 >out 2>&1; code=$?
[ $code = 0 ] && [ "$(<out)" = "$alone" ] && ok "srun without a plug-in is one process" || not_ok "srun without a plug-in is one process" "exit code $code"

for mpi in mpich openmpi; do
  module=$modules/audiomood-$mpi.so mpirun=("mpirun.$mpi")
  [ $mpi = openmpi ] && mpirun+=(--oversubscribe --bind-to none)
  if ! command -v "${mpirun[0]}" >/dev/null; then ok "$mpi # SKIP no ${mpirun[0]}"; continue; fi
  if [ ! -e "$module" ]; then ok "$mpi # SKIP its module was not built (-Dmpi)"; continue; fi
  export AM_MPI_MODULE=$module
  for n in 1 2 3 4 7; do
    of $n sums 8
    [ "$code" = 0 ] && [ "$(<out)" = "$alone" ] && ok "$mpi: $n ranks have the sums of one process" || not_ok "$mpi: $n ranks have the sums of one process" "wanted $alone"
  done
  of 3 sums 7
  [ "$code" = 0 ] && [ "$(<out)" = "$alone_odd" ] && ok "$mpi: also of seven groups" || not_ok "$mpi: also of seven groups" "wanted $alone_odd"

  if [ $mpi = mpich ]; then
    timeout 120 mpirun.mpich -n 2 env LD_PRELOAD="$never_finalize" "$program" sums 8 >out 2>&1 </dev/null; code=$?
    [ $code = 0 ] && [ "$(<out)" = "$alone" ] && ok "mpich: its MPI_Finalize may never return" || not_ok "mpich: its MPI_Finalize may never return" "exit code $code"
  fi

  of 3 sums 2; once "$mpi: more ranks than groups are refused" '3 ranks, but a batch has 2 groups, so 2 ranks are of use; start fewer ranks, or take a larger batch'
  of 3 fail 1; once "$mpi: a rank that fails ends all" 'rank 1 on [^ ]+: no clip of the class calm'
  of 3 fail 0; once "$mpi: also the first one" 'rank 0 on [^ ]+: no clip of the class calm'
  of 3 agree 2; once "$mpi: what all agreed on is told by one" 'rank 2 on [^ ]+: the loss is not a number'
  of 3 text 2; once "$mpi: a rank with another text is named" 'rank 2 on [^ ]+ has another text than rank 0 on [^ ]+: mine, not theirs'
  of 3 quit 1; [ $code != 0 ] && [ $code != 124 ] && ok "$mpi: a rank that ends without a word ends all" || not_ok "$mpi: a rank that ends without a word ends all" "exit code $code"

  timeout 300 "${mpirun[@]}" -n 3 "$program" wait 1 >out 2>&1 </dev/null & job=$!
  waiting; kill -KILL "$pid"; wait $job; code=$?
  [ $code != 0 ] && [ $code != 124 ] && gone "$pid" && ok "$mpi: a killed rank ends all" || not_ok "$mpi: a killed rank ends all" "exit code $code"
  : >out
  AM_RANKS_PATIENCE=6 timeout 300 "${mpirun[@]}" -n 3 "$program" wait 1 >out 2>&1 </dev/null & job=$!
  waiting; kill -STOP "$pid"; wait $job; code=$?
  once "$mpi: a stopped rank ends all" "rank 1 on [^ ]+: not heard of for [0-9]+ s \(.*\); the job of 3 ranks ends"
  gone "$pid" && ok "$mpi: and is ended itself" || { not_ok "$mpi: and is ended itself"; kill -KILL "$pid"; }

  AM_RANKS_HANG=4 of 3 late 1; once "$mpi: one that is stopped before the start ends all" \
    "3 processes were started by (MPICH|Open MPI), and after [0-9]+ s not all of them have begun \(.*\); the job ends"
  AM_RANKS_HANG=4 of 3 late 0; once "$mpi: also the first one" \
    "3 processes were started by (MPICH|Open MPI), and after [0-9]+ s not all of them have begun \(.*\); the job ends"

  AM_MPI_MODULE=$work/nothing.so of 2 sums 8; once "$mpi: a module that is not there" "cannot load the module for .*: .*nothing.so.*; is .* installed\?"
  AM_MPI_MODULE=$program of 2 sums 8; once "$mpi: a file that is no module" ".*(no module of AudioMood for MPI|cannot load the module).*"
done
plan
