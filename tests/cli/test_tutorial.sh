#!/bin/bash
# tests/cli/test_tutorial.sh - runs the commands of docs/tutorial.md as they stand there, and compares what they print:
# a block "text" is found in the output line for line, where ... is any text (a line of its own: any lines); a block
# without a word is an example, whose numbers may be others.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" tutorial "$1" "$2"
mkdir bin && ln -s "$audiomood" bin/audiomood && PATH=$work/bin:$PATH

# holds FILE BLOCK KIND: whether the lines of BLOCK are in FILE in this order; says the first that is not.
holds() {
  awk -v kind="$3" '
    function pattern(s) {
      gsub(/[][\\.*^$+?(){}|\/]/, "\\\\&", s)
      gsub(/\\\.\\\.\\\./, ".*", s)
      if (kind == "example") gsub(/[0-9]+(\\\.[0-9]+)?/, "[0-9.]+", s)
      gsub(/ +/, " +", s)
      return "^" s "$"
    }
    FNR == NR { sub(/ +$/, ""); found[++n] = $0; next }
    $0 == "..." { next }
    {
      want = pattern($0)
      while (++at <= n && found[at] !~ want) continue
      if (at > n) { print "not in the output, or not in this place: " $0; exit 1 }
    }' "$1" "$2"
}

# One file a block, NUMBER.KIND: sh, text, or example.
awk '/^```/ { inside = !inside; if (inside) { kind = substr($0, 4); name = sprintf("%02d.%s", ++n, kind == "" ? "example" : kind) } next }
     inside { print >name }' "$root/docs/tutorial.md"
blocks=0
for block in [0-9]*.*; do
  kind=${block#*.}
  if [ "$kind" = sh ]; then
    bash -eu -o pipefail "$block" >out 2>err; code=$?
    expect "$(head -n 1 "$block")" 0
    cat out err >all
  else
    blocks=$((blocks + 1))
    if missing=$(holds all "$block" "$kind"); then ok "prints: $(head -n 1 "$block")"
    else not_ok "prints: $(head -n 1 "$block")" "$missing"; fi
  fi
done
[ "$blocks" -ge 6 ] && ok "$blocks blocks of output compared" || not_ok "blocks of output compared" "$blocks"

# The test can fail.
printf 'a 1\nb 2\n' >have
printf 'b 2\na 1\n' >want; holds have want text >/dev/null && not_ok "the order counts" || ok "the order counts"
printf 'a 3\n' >want; holds have want text >/dev/null && not_ok "a number counts in a promise" || ok "a number counts in a promise"
holds have want example >/dev/null && ok "and not in an example" || not_ok "and not in an example"

# Each section of the page that the tutorial names is there.
sed -n '/^| section/,/^$/s/^| \([A-Z][^|]*\) |.*/\1/p' "$root/docs/tutorial.md" | sed 's/, \([A-Z]\)/\n\1/g' >sections
missing=$(while read -r section; do grep -q "<h2[^>]*>$section" run/report.html || echo "$section"; done <sections)
[ -s sections ] && [ -z "$missing" ] && ok "the sections of the page" || not_ok "the sections of the page" "$missing"
plan
