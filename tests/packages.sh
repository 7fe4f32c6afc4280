#!/bin/bash
# tests/packages.sh SOURCE_ROOT VERSION - what debian/ says beside meson.build is the same (TAP).
root=$(realpath "$1") version=$2
cd "$root" || exit 1
if [ ! -d debian ]; then echo "1..0 # SKIP the sources have no debian/"; exit; fi
echo 1..3
n=0
result() { # FAULT NAME
  n=$((n + 1))
  if [ -z "$1" ]; then echo "ok $n - $2"; else printf '%s\n' "$1" | sed 's/^/# /'; echo "not ok $n - $2"; fi
}
found=$(sed -n '1s/^audiomood (\(.*\)-[^-]*) .*/\1/p' debian/changelog)
result "$([ "$found" = "$version" ] || echo "debian/changelog has $found, meson.build has $version")" "one version"
# Compilers come with build-essential; mpich and openmpi-bin are for tests.
fault=$(sed -n '/^packages="/,/"$/p' tools/deps | sed 's/packages="//; s/ \$\*"//' | tr ' ' '\n' | grep -vE '^(gcc|libc6-dev|pkg-config|)$' |
  while read -r p; do grep -qE "^ $p( |,)" debian/control || echo "debian/control builds without $p"; done)
result "$fault" "Debian's packages are built with all that tools/deps installs"
fault=$(bash -n tools/package; for f in tools/package-*; do bash -n $f; done 2>&1)
result "$fault" "the scripts that make packages can be read"
