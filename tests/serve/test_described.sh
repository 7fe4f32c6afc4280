#!/bin/bash
# tests/serve/test_described.sh AUDIOMOOD SOURCE_ROOT DESCRIBED - a server is held against docs/openapi.yaml and docs/asyncapi.yaml (TAP).
# SPDX-License-Identifier: MIT
here=$(dirname "$(realpath "$0")") described=$(realpath "$3")
. "$here/../cli/tap.sh" described "$1" "$2"
. "$here/serving.sh"
# The model in the box: what is described of thresholds and corpora is there.
[ -f "$root/checkpoints/ravdess-nemo.h5" ] || { echo "1..0 # SKIP the model is not there"; exit 0; }
speech 4
{ silence 700; clip 3 4; silence 900; clip 3 9; silence 900; clip 4 9; silence 700; } >talk.raw
serving "$root/checkpoints/ravdess-nemo.h5" --sessions 20 --per-client 2 --deadline 2 --max-body 4
"$described" $port $server "$root/docs/openapi.yaml" "$root/docs/asyncapi.yaml" talk.raw
code=$?
wait $server
exit $code
