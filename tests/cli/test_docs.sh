#!/bin/bash
# tests/cli/test_docs.sh - the documentation names what there is: links lead to files and headings, sources that it names
# exist, and each layer and loss has its formulas.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" docs "$1" "$2"
run help layers
layers=$(awk '/^  [a-z]/ { print $1 }' out)
cd "$root" || exit 1
pages=(README.md CONTRIBUTING.md docs/*.md docs/python/*.md datasets/*.md checkpoints/*.md)

# headings FILE: the anchors of its headings, as GitHub makes them.
headings() { sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'; }
broken=$(for page in "${pages[@]}"; do
  grep -oE '\]\([^) ]+\)' "$page" | sed 's/^](//; s/)$//' | grep -v '^https\?:' | while read -r link; do
    path=${link%%#*} anchor=; [[ $link == *#* ]] && anchor=${link#*#}
    [ -n "$path" ] && path=$(dirname "$page")/$path || path=$page
    [ -e "$path" ] || { echo "$page: $link: no such file"; continue; }
    [ -z "$anchor" ] || headings "$path" | grep -qxF -- "$anchor" || echo "$page: $link: no such heading"
  done
done)
[ -z "$broken" ] && ok "links lead somewhere" || not_ok "links lead somewhere" "$broken"

# `src/io/h5.c` is looked for from the top, `io/h5.c` in src, `conv.c` and `tools/check` wherever.
find src tests tools include configs datasets examples -type f 2>/dev/null >"$work/files"
missing=$(for page in "${pages[@]}"; do
  grep -oE '`((src|tests|tools|include|configs|datasets)/)?([a-z0-9_]+/)*[a-z0-9_]+\.[ch]`|`(src|tests|tools|configs)/[A-Za-z0-9_./-]*[A-Za-z0-9_]`' "$page" | tr -d '`' |
    sort -u | while read -r name; do
      [ -e "$name" ] || grep -qE "(^|/)${name//./\\.}\$" "$work/files" || echo "$page: $name"
    done
done)
missing=$(grep -vE '(NAME|TOPIC| (X|voice|my_[a-z]*))\.[a-z]+$' <<<"$missing") # any name
[ -z "$missing" ] && ok "sources that are named exist" || not_ok "sources that are named exist" "$missing"

missing=$(for layer in $layers; do grep -qE "\*\*$layer\*\*|\`$layer\`" docs/mathematics.md || echo "$layer"; done)
[ "$(wc -w <<<"$layers")" -gt 20 ] && [ -z "$missing" ] && ok "each layer has its formulas" || not_ok "each layer has its formulas" "$missing"
for page in docs/*.md; do grep -q "($(basename "$page"))" docs/README.md || [ "$page" = docs/README.md ] || echo "$page"; done >"$work/absent"
[ -s "$work/absent" ] && not_ok "each page is in the index" "$(cat "$work/absent")" || ok "each page is in the index"
plan
