#!/bin/bash
# tests/install.sh BUILD INCLUDE_DIR CC - what is installed is enough to build a program with, and no more than that (TAP).
# SPDX-License-Identifier: MIT
build=$(realpath "$1") include=$(realpath "$2") cc=$3
# A program that loads a library with sanitizers is to be built with them, too.
case ${AM_SANITIZE:-none} in none) ;; *) cc="$cc -fsanitize=$AM_SANITIZE" ;; esac
work=$(mktemp -d "${TMPDIR:-/tmp}/audiomood-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
echo 1..16
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

# ---- projects of others ----
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
mkdir project; cp version.c project/
cat >project/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(version C)
find_package(audiomood 0.2 REQUIRED)
add_executable(shared version.c)
target_link_libraries(shared PRIVATE audiomood::audiomood)
if(WITH_ARCHIVE)
  add_executable(archive version.c)
  target_link_libraries(archive PRIVATE audiomood::static)
endif()
file(WRITE ${CMAKE_BINARY_DIR}/found "${audiomood_VERSION}")
CMAKE
cat >project/meson.build <<'MESON'
project('version', 'c')
audiomood = dependency('audiomood', version : '>=0.2')
assert(audiomood.type_name() == 'pkgconfig')
executable('shared', 'version.c', dependencies : audiomood)
MESON
if command -v cmake >/dev/null; then
  mv root moved # and it may be put elsewhere
  made() { cmake -S project -B cmake "-DCMAKE_PREFIX_PATH=$work/moved$prefix" -DCMAKE_C_COMPILER="${cc%% *}" "$@" >log 2>&1 && cmake --build cmake >>log 2>&1; }
  flags=; case $cc in *' '*) flags=-DCMAKE_C_FLAGS=${cc#* } ;; esac
  fault=; made -DWITH_ARCHIVE=ON $flags || fault=$(tail -20 log)
  [ -n "$fault" ] || [ "$(cat cmake/found)" = "$version" ] || fault="found $(cat cmake/found)"
  result "$fault" "find_package of CMake finds it"
  fault=; for program in shared archive; do
    [ "$(LD_LIBRARY_PATH=moved/${libdir#root/} cmake/$program)" = "$version $version" ] || fault="$fault $program says $(cmake/$program 2>&1)"
  done
  result "$fault" "and CMake builds a program with the library and one with the archive"
  ldd cmake/archive | grep -q libaudiomood && fault=$(ldd cmake/archive) || fault=
  result "$fault" "which does not load it"
  rm -rf cmake; sed -i 's/audiomood 0.2/audiomood 99.0/' project/CMakeLists.txt
  made && fault="version 99 was found" || { grep -q 'version' log && fault= || fault=$(tail -5 log); }
  result "$fault" "but finds no newer version"
  mv moved root
else
  for name in "find_package of CMake finds it" "CMake builds programs" "which do not load it" "but finds no newer version"; do skip "$name" "there is no cmake"; done
fi
export PKG_CONFIG_PATH=$PKG_CONFIG_LIBDIR
fault=$(PKG_CONFIG_LIBDIR= PKG_CONFIG_SYSROOT_DIR=$work/root CC="$cc" meson setup project/b project 2>&1 && ninja -C project/b 2>&1) && fault= || fault=$(tail -20 <<<"$fault")
result "$fault" "a project of meson finds it and is built"
[ "$(LD_LIBRARY_PATH=$libdir project/b/shared)" = "$version $version" ] && fault= || fault=$(project/b/shared 2>&1)
result "$fault" "which runs"

# ---- all else ----
share=root$prefix/share fault=
for f in share/audiomood/configs/demo.yaml share/audiomood/configs/slurm/train.sbatch share/audiomood/datasets/crema_d.yaml share/audiomood/datasets/fetch.sh \
  share/doc/audiomood/README.md share/doc/audiomood/docs/commands.md share/doc/audiomood/examples/predict.c share/doc/audiomood/LICENSE; do
  [ -s "root$prefix/$f" ] || fault="$fault $f"
done
[ -x $share/audiomood/datasets/get-ravdess ] || fault="$fault get-ravdess"
result "${fault:+not there:$fault}" "configs, datasets, examples and docs are there"
# Without the models of checkpoints/ their cards are not there either.
[ -e $share/audiomood/MODEL_CARD.md ] && [ -e $share/audiomood/DETECTOR_CARD.md ] && given='^$' || given='_CARD.md$'
fault=$(cd $share/doc/audiomood && grep -roE --include='*.md' '\]\([^)#: ]+' . | sed 's/:](/ /; s/:\](/ /' | sort -u |
  grep -vE ' (https?|mailto)$' | while read -r page link; do [ -e "${page%/*}/$link" ] || echo "$page: $link is not there"; done | grep -vE "$given")
result "$fault" "a link in the docs leads to what is installed"
fault=$(find $share/audiomood -type d | grep -vE '/(audiomood|configs|slurm|datasets)$'; find root -name '*meson*' -o -name '*.in')
result "$fault" "and neither corpora nor files of the build"
if [ -e "$build/src/cli/manual/audiomood.1" ]; then
  fault=; for f in man/man1/audiomood.1 man/man1/audiomood-predict.1 man/man5/audiomood-config.5 bash-completion/completions/audiomood \
    zsh/site-functions/_audiomood fish/vendor_completions.d/audiomood.fish; do [ -s $share/$f ] || fault="$fault $f"; done
  result "${fault:+not there:$fault}" "and man pages and the completion of three shells"
else skip "and man pages" "a cross build has none"; fi
