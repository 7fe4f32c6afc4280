#!/bin/bash
# tests/docs_site.sh SOURCE_ROOT VERSION [MANUAL [DOXYGEN]] - tools/docs-site makes the site of the documentation, and ends with an error
# where a link of it leads nowhere or a header is not documented (TAP).  MANUAL is audiomood-manual, DOXYGEN the program; without
# them their pages are not made.
# SPDX-License-Identifier: MIT
root=$(realpath "$1") version=$2 manual=${3:+$(realpath "$3")} doxygen=${4:-}
command -v cmark-gfm >/dev/null || { echo "1..0 # SKIP cmark-gfm is not installed"; exit; }
work=$(mktemp -d "${TMPDIR:-/tmp}/audiomood-docs-site.XXXXXX") && cd "$work" || exit 1
trap 'rm -rf "$work"' EXIT
[ -z "$doxygen" ] || PATH=$(dirname "$doxygen"):$PATH
cases=0
result() { # FAULT NAME
  cases=$((cases + 1))
  if [ -z "$1" ]; then echo "ok $cases - $2"; else printf '%s\n' "$1" | sed 's/^/# /'; echo "not ok $cases - $2"; fi
}
skip() { cases=$((cases + 1)); echo "ok $cases - $1 # SKIP $2"; }
# doxyfile ROOT OUT: doxygen's settings for the headers of ROOT
doxyfile() { mkdir -p "$2"; sed "s|@ROOT@|$1|g; s|@OUT@|$2|; s|@VERSION@|$version|" "$root/docs/Doxyfile.in"; }
# site SOURCE OUT [OPTION]...: exit code in $code, what was said in `said`
site() { "$root/tools/docs-site" "$1" "$2" "$version" "${@:3}" >said 2>&1; code=$?; }
missing() { while IFS=$'\t' read -r file pattern; do grep -qE -- "$pattern" "site/$file" 2>/dev/null || echo "$file: no $pattern"; done; }

options=()
[ -z "$manual" ] || options+=(--manual "$manual")
[ -z "$doxygen" ] || { doxyfile "$root" "$work/api" >Doxyfile; options+=(--doxygen Doxyfile "$work/api"); }
site "$root" site "${options[@]}"
result "$([ $code = 0 ] && grep -q ' 0 of them lead nowhere' said || cat said)" "the site is made, and all links lead somewhere"
result "$(cd "$root" && for page in *.md docs/*.md docs/python/*.md checkpoints/*.md datasets/*.md; do
  file=${page%.md}.html; file=${file/README.html/index.html}
  printf '%s\t<main\n' "$file"
  [ "$page" = README.md ] || [ "$page" = docs/README.md ] || printf 'index.html\t<li><a href="%s"\n' "$file"
done | (cd "$work" && missing))" "each page of the sources is there, and at the side of the others"
if [ -n "$manual" ]; then
  "$manual" list | cut -d ' ' -f 1 >words
  result "$([ "$(wc -l <words)" -gt 20 ] || echo "the manual lists $(wc -l <words) pages"
    grep -vE '^(audiomood|config)$' words | sed -E 's|(.*)|manual/commands.html\t<h2 id="\1"|' | missing)" "each command is in the reference"
  sections=$("$manual" man config | sed -n 's/^\.SS "\{0,1\}\([a-z.]*\)"\{0,1\}$/\1/p')
  result "$([ "$(wc -w <<<"$sections")" -gt 10 ] || echo "sections of a config: $sections"
    for section in $sections; do printf 'manual/config.html\t<h[23] id="[^"]*">(<code>)?%s\n' "$section"; done | missing)" "and each section of a config"
else
  skip "the reference of commands and configs" "a cross build cannot run audiomood-manual"
fi
if [ -n "$doxygen" ]; then
  result "$(cd "$root/include/audiomood" && for header in *.h; do
    page=${header//_/__}
    printf 'api/%s_8h.html\t<title>.*%s\napi/%s_8h.html\thref="../index.html"\n' "${page%.h}" "$header" "${page%.h}"
    printf 'api/index.html\thref="%s_8h.html"\n' "${page%.h}"
  done | (cd "$work" && missing))" "each public header has its page"
else
  skip "the pages of the public headers" "doxygen is not installed"
fi
result "$(grep -q '"docs/tutorial.html"' site/pages.js && grep -q '"manual/' site/pages.js || [ -z "$manual" ] || echo "pages.js lacks pages")" "search knows them"

# A site of two pages, which can go wrong.
small() {
  rm -rf small && mkdir -p small/docs small/checkpoints small/datasets small/include/audiomood small/examples && cp -r "$root/docs/site" small/docs/
  printf '# Small\n\n[the index](docs/README.md#documentation), [a file](datasets/a.yaml), [a folder](docs/site), [home](https://example.org/)\n' >small/README.md
  printf '# Documentation\n\n## Tutorials\n\n[home](../README.md)\n' >small/docs/README.md
  echo '# Data' >small/datasets/README.md; echo '# Checkpoints' >small/checkpoints/README.md; echo 'a: 1' >small/datasets/a.yaml
}
small; site small out
result "$([ $code = 0 ] && [ -f out/datasets/a.yaml ] && [ -f out/docs/site/index.html ] && grep -q 'docs/site/index.html' out/index.html || cat said)" "a small site"
# wrong TEXT PATTERN NAME: with TEXT on a page it ends with an error that says PATTERN
wrong() { small; echo "$1" >>small/docs/README.md; site small out; result "$([ $code = 1 ] && grep -qE "$2" said || cat said)" "$3"; }
wrong '[x](nothing.md)' 'docs/index.html: nothing.html leads nowhere' "a page that is not there"
wrong '[x](../datasets/b.yaml)' 'b.yaml leads nowhere' "a file that is not there"
wrong '[x](../../elsewhere.md)' 'leads nowhere' "a place outside of the sources"
wrong '[x](../README.md#nothing)' '#nothing: no such heading' "a heading that is not there"
wrong '![x](nothing.png)' 'nothing.png leads nowhere' "a picture that is not there"

if [ -n "$doxygen" ]; then
  small; doxyfile "$work/small" "$work/small-api" >small-doxyfile
  printf '/** @file small.h\n * Small. */\n/** Adds.\n * @param a  a number\n * @return one more */\nint am_add(int a);\n' >small/include/audiomood/small.h
  site small out --doxygen small-doxyfile "$work/small-api"
  result "$([ $code = 0 ] && [ -f out/api/small_8h.html ] || cat said)" "a header that is documented"
  echo 'int am_more(int a);' >>small/include/audiomood/small.h
  site small out --doxygen small-doxyfile "$work/small-api"
  result "$([ $code != 0 ] && grep -q 'am_more' said || cat said)" "a function that is not is an error"
else
  skip "warnings of doxygen are errors" "doxygen is not installed"
fi
echo "1..$cases"
