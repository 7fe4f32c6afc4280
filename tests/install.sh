#!/bin/bash
# tests/install.sh BUILD INCLUDE_DIR CC - what is installed is enough to build a program with, and no more than that (TAP).
build=$(realpath "$1") include=$(realpath "$2") cc=$3
# A program that loads a library with sanitizers is to be built with them, too.
case ${AM_SANITIZE:-none} in none) ;; *) cc="$cc -fsanitize=$AM_SANITIZE" ;; esac
work=$(mktemp -d "${TMPDIR:-/tmp}/audiomood-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
echo 1..6
n=0
result() { # FAULT NAME
  n=$((n + 1))
  if [ -z "$1" ]; then echo "ok $n - $2"; else printf '%s\n' "$1" | sed 's/^/# /'; echo "not ok $n - $2"; fi
}

fault=; meson install -C "$build" --no-rebuild --destdir "$work/root" >log 2>&1 || fault=$(tail -5 log)
result "$fault" "it is installed"
pc=$(find root -name audiomood.pc) prefix=$(sed -n 's/^prefix=//p' "$pc") libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_LIBDIR=$work/$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR= # no other library's .pc is in sight
of() { pkg-config --define-variable=prefix="$work/root$prefix" "$@" audiomood 2>&1 | sed 's/ *$//'; }
flags=$(of --cflags --libs)
[ "$flags" = "-I$work/root$prefix/include -L$work/$libdir -laudiomood" ] && fault= || fault=$flags
result "$fault" "audiomood.pc gives one folder of headers and one library"
flags=" $(of --static --libs) " fault=
for l in openblas sndfile mpg123 hdf5 utf8proc m; do case $flags in *" -l$l "*) ;; *) fault="no -l$l in $flags" ;; esac; done
case $flags in *cairo*|*cmocka*) fault=$flags ;; esac
result "$fault" "and all it was linked with for a static program"

version=$(pkg-config --modversion audiomood)
cat >version.c <<'C'
#include <audiomood/audiomood.h>
#include <stdio.h>
int main(void) { return printf("%d.%d.%d %s\n", AM_VERSION_MAJOR, AM_VERSION_MINOR, AM_VERSION_PATCH, am_version()) < 0; }
C
fault=$($cc -std=c11 -Wall -Wextra -Werror version.c $(of --cflags --libs) -o version 2>&1)
result "$fault" "a program is built by it"
said=$(LD_LIBRARY_PATH=$libdir ./version)
[ "$said" = "$version $version" ] && fault= || fault="$said, but $version in audiomood.pc"
result "$fault" "its macros and its call tell the version of audiomood.pc"
fault=$(LD_LIBRARY_PATH=$libdir ldd version | grep -iE 'cairo|fontconfig|cmocka|not found')
result "$fault" "it loads no Cairo, fontconfig or cmocka"
