#!/bin/bash
# tests/cli/test_start.sh AUDIOMOOD SOURCE_ROOT - what a start of the program loads, and what is said of a library that is loaded
# when it is wanted and is not there (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" start "$1" "$2"

# Linked with, they and all that they use would be part of every start.
later='libcairo|libwebsockets|libportaudio|libavformat|libavcodec|libavutil'
if command -v readelf >/dev/null; then
  needed=$(readelf -d "$audiomood" | grep NEEDED)
  grep -q 'libc\.so' <<<"$needed" && ! grep -qE "$later" <<<"$needed" && ok "libraries for some commands are not linked" ||
    not_ok "libraries for some commands are not linked" "$needed"
  # HDF5 is either one of them, with all that it brings, or inside.
  grep -q hdf5 <<<"$needed" || { ldd "$audiomood" | grep -qE 'libcurl|libkrb5' && not_ok "HDF5 inside brings no libcurl" "$(ldd "$audiomood")" ||
    ok "HDF5 inside brings no libcurl"; }
else ok "libraries for some commands are not linked # SKIP no readelf"; fi

trained
# The loader takes the first file of the name that it looks for, and these are no libraries.
mkdir without
while read -r soname; do : >"without/$soname"; done < <(grep -aoE "lib(cairo|websockets|portaudio|avformat)\.so\.[0-9]+" "$audiomood" | sort -u)
lacking() { LD_LIBRARY_PATH=$PWD/without${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$audiomood" "$@" >out 2>err </dev/null; code=$?; }
why='cannot be loaded; install it \(Debian: lib[a-z]+[0-9]+\): .*: file too short'
lacking predict run1 $sound; expect "predict wants none of them" 0 "calm [0-9.]+%"
rm run1/report.html
lacking report run1; expect "report without Cairo" 1 "^audiomood report: pages and pictures are drawn by Cairo: libcairo\.so\.[0-9]+ $why$"
lacking report run1; expect "whose package is named" 1 "\(Debian: libcairo[0-9]+\)"
[ ! -e run1/report.html ] && ok "writes nothing" || not_ok "writes nothing"
run report run1; expect "with Cairo the page is written" 0
[ -s run1/report.html ] && ok "as a file" || not_ok "as a file"
lacking train tiny.yaml --out run2 --set train.epochs=1
expect "a run is trained without Cairo" 0 "the page of this run was not written: pages and pictures are drawn by Cairo: .*$why"

# built PART SONAME: whether this build has the part
built() { ls without | grep -q "^$1"; }
if built libwebsockets; then
  lacking serve run1; expect "serve without libwebsockets" 1 "^audiomood serve: the server needs libwebsockets: libwebsockets\.so\.[0-9]+ $why$"
fi
if built libportaudio; then
  lacking live --list-devices
  expect "live without PortAudio" 1 "^audiomood live: microphones are heard through PortAudio: libportaudio\.so\.[0-9]+ $why$"
  lacking live --model run1; expect "and when it would hear" 1 "^audiomood live: microphones are heard through PortAudio: .* $why"
fi
if built libavformat; then
  printf '\0\0\0\x1cftypM4A \0\0\2\0isomiso2' >talk.m4a
  lacking predict run1 talk.m4a
  expect "a film without FFmpeg" 1 "^audiomood predict: talk\.m4a: is MPEG-4 audio .*to convert it: .*; or FFmpeg would read it: libavformat\.so\.[0-9]+ $why$"
  lacking predict run1 $sound --track 1; expect "a track without FFmpeg" 1 "its tracks are read through FFmpeg: libavformat\.so\.[0-9]+ $why$"
fi
plan
