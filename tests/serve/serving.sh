# SPDX-License-Identifier: MIT
# tests/serve/serving.sh - read by the scripts of this folder, after tap.sh: a server in the background.
# serving ARGUMENTS...: starts it on a free port, $port; its messages go to `served`.
serving() {
  : >where
  "${hearing[@]}" serve "$@" --port 0 >where 2>served &
  server=$! port=
  for _ in {1..600}; do
    port=$(sed -nE 's/^listening on .*:([0-9]+)\/$/\1/p' where); [ -n "$port" ] && break
    kill -0 $server 2>/dev/null || break; sleep 0.05
  done
  cp where out; cp served err; code=0
  [ -n "$port" ] || { echo "Bail out! no server"; cat served; exit 1; }
}
# stop: asks it to end, and waits; $code
stop() { kill -TERM $server; wait $server; code=$?; cp served err; : >out; }
ask() { "$speak" $port "$@" >out 2>err; code=$?; }
# held TEXT: waits, 30 s at most, until the server's health says so
held() { for _ in {1..600}; do ask GET /health; grep -q "$1" out && return; sleep 0.1; done; }
trap '[ $BASHPID = $$ ] && { kill -KILL $server 2>/dev/null; rm -rf "$work"; }' EXIT
