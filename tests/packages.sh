#!/bin/bash
# tests/packages.sh SOURCE_ROOT VERSION - what debian/ says beside meson.build is the same (TAP).
# SPDX-License-Identifier: MIT
root=$(realpath "$1") version=$2
cd "$root" || exit 1
if [ ! -d debian ]; then echo "1..0 # SKIP the sources have no debian/"; exit; fi
echo 1..6
n=0
result() { # FAULT NAME
  n=$((n + 1))
  if [ -z "$1" ]; then echo "ok $n - $2"; else printf '%s\n' "$1" | sed 's/^/# /'; echo "not ok $n - $2"; fi
}
found=$(sed -n '1s/^audiomood (\(.*\)-[^-]*) .*/\1/p' debian/changelog)
others="debian/changelog:$found CHANGELOG.md:$(sed -nE 's/^## \[?([0-9][0-9.]*).*/\1/p' CHANGELOG.md | head -n 1) CITATION.cff:$(sed -n 's/^version: //p' CITATION.cff)"
result "$(for o in $others; do [ "${o#*:}" = "$version" ] || echo "${o%:*} has ${o#*:}, meson.build has $version"; done)" "one version"
# Compilers come with build-essential; mpich and openmpi-bin are for tests.
fault=$(sed -n '/^packages="/,/"$/p' tools/deps | sed 's/packages="//; s/ \$\*"//' | tr ' ' '\n' | grep -vE '^(gcc|libc6-dev|pkg-config|)$' |
  while read -r p; do grep -qE "^ $p( |,)" debian/control || echo "debian/control builds without $p"; done)
result "$fault" "Debian's packages are built with all that tools/deps installs"
fault=$(bash -n tools/package; for f in tools/package-*; do bash -n $f; done 2>&1)
result "$fault" "the scripts that make packages can be read"
# dpkg-gensymbols would say so only when a package is built.
fault=$(diff <(cat include/audiomood/*.h | tr '\n' ' ' | grep -oE 'AM_API[^;]*' | grep -oE 'am_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u) \
  <(sed -n 's/^ \(am_[a-z0-9_]*\)@.*/\1/p' debian/libaudiomood0.symbols | sort -u) | grep '^[<>]')
result "$fault" "the symbols of the library's package are the functions of the headers (< header, > package)"
# What the command loads when it is wanted is linked with nothing, so nobody would miss it.
fault=$({ grep -oE "'[a-z]+' : \[dep_" src/base/meson.build; grep '^foreach name, version : {' meson.build | grep -oE "'lib[a-z]+' :"; } |
  sed "s/^'\(lib\)\{0,1\}\([a-z]*\)'.*/\2/" |
  while read -r l; do for f in debian/rules tools/package-gather; do grep -q -- "-l$l\b" $f || echo "$f has no -l$l"; done; done)
result "$fault" "what the command loads is recommended, and is in the tree for other systems"
result "$(grep -rlm1 '^#!' configs datasets docs examples | while read -r f; do [ -x "$f" ] || echo "$f"; done)" "what is installed and begins with #! can be run"
