# SPDX-License-Identifier: MIT
# tests/data/web.sh - read by test_get_*.sh: a folder of their own ($tmp), the words of a test (TAP), and a server of
# small archives.  They have set `web`, its program, and `script`.
set -u
tmp=$(mktemp -d "${TMPDIR:-/tmp}/am-test-XXXXXX") || exit 99
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
export no_proxy='*' NO_PROXY='*'

count=0
failed=0
check() { # $1 what, then a command that must hold
  what=$1
  shift
  count=$((count + 1))
  if "$@" >/dev/null 2>&1; then
    echo "ok $count - $what"
  else
    echo "not ok $count - $what ($*)"
    sed 's/^/# /' "$tmp/out" 2>/dev/null
    failed=1
  fi
}
run() { # $1 wanted exit code, then arguments
  wanted=$1
  shift
  code=0
  sh "$script" "$@" >"$tmp/out" 2>&1 || code=$?
  [ $code = "$wanted" ] || echo "# exit $code, wanted $wanted"
  [ $code = "$wanted" ]
}
says() { grep -q -- "$1" "$tmp/out"; }
asked() { grep -q -- "$1" "$tmp/log"; }
bytes() { wc -c <"$1" | tr -d ' '; }

if ! command -v curl >/dev/null 2>&1 && ! command -v wget >/dev/null 2>&1; then
  echo "1..0 # SKIP neither curl nor wget is installed"
  exit 0
fi
if ! command -v md5sum >/dev/null 2>&1; then
  echo "1..0 # SKIP md5sum is not installed"
  exit 0
fi

mkdir "$tmp/www"

serve() { # sets `url`
  "$web" serve "$tmp/www" "$tmp/port" "$tmp/log" &
  server=$!
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s "$tmp/port" ] && break
    sleep 0.1
  done
  url=http://127.0.0.1:$(cat "$tmp/port")
}

plan() {
  echo "1..$count"
  exit $failed
}
