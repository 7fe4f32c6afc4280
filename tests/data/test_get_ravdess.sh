#!/bin/sh
# datasets/get-ravdess against a local server with tiny archives.
# usage: test_get_ravdess.sh SOURCE_ROOT WEB_HELPER
# SPDX-License-Identifier: MIT
script=$1/datasets/get-ravdess
web=$2
. "$(dirname "$0")/web.sh"

speech=$tmp/www/Audio_Speech_Actors_01-24.zip
song=$tmp/www/Audio_Song_Actors_01-24.zip
"$web" zip "$speech" Actor_01 03-01-01-01-01-01-01.wav 03-01-02-01-01-01-01.wav 03-01-03-01-01-01-01.wav
"$web" zip "$song" Actor_01 03-02-01-01-01-01-01.wav 03-02-02-01-01-01-01.wav
AM_RAVDESS_SPEECH_BYTES=$(bytes "$speech") AM_RAVDESS_SONG_BYTES=$(bytes "$song")
AM_RAVDESS_SPEECH_MD5=$(md5sum <"$speech" | cut -d' ' -f1) AM_RAVDESS_SONG_MD5=$(md5sum <"$song" | cut -d' ' -f1)
AM_RAVDESS_SPEECH_CLIPS=3 AM_RAVDESS_SONG_CLIPS=2
export AM_RAVDESS_SPEECH_BYTES AM_RAVDESS_SONG_BYTES AM_RAVDESS_SPEECH_MD5 AM_RAVDESS_SONG_MD5
export AM_RAVDESS_SPEECH_CLIPS AM_RAVDESS_SONG_CLIPS
serve
export AM_RAVDESS_URL=$url

a=$tmp/a
check "both parts are fetched and unpacked" run 0 --dir "$a"
check "speech clips are there" test -f "$a/Audio_Speech_Actors_01-24/Actor_01/03-01-02-01-01-01-01.wav"
check "song clips are there" test -f "$a/Audio_Song_Actors_01-24/Actor_01/03-02-02-01-01-01-01.wav"
check "archives are kept" test -f "$a/Audio_Speech_Actors_01-24.zip"
check "no working files are left" test -z "$(find "$a" -name '*.part' -o -name '.unpacking*')"

: >"$tmp/log"
check "a second run asks for nothing" run 0 --dir "$a"
check "and says so" says "is there already: 3 clips"
check "and made no request" test ! -s "$tmp/log"

b=$tmp/b
AM_RAVDESS_URL=$url/cut
check "a download that breaks off fails" run 1 --speech --dir "$b"
check "says how to go on" says "run again to go on"
check "keeps what came" test "$(bytes "$b/Audio_Speech_Actors_01-24.zip.part")" = $((AM_RAVDESS_SPEECH_BYTES / 2))
check "and unpacks nothing" test ! -e "$b/Audio_Speech_Actors_01-24"
AM_RAVDESS_URL=$url
: >"$tmp/log"
check "the next run finishes it" run 0 --speech --dir "$b" --no-keep
check "from where it stopped" asked "Actors_01-24.zip $((AM_RAVDESS_SPEECH_BYTES / 2))"
check "only the part that was asked for" test ! -e "$b/Audio_Song_Actors_01-24"
check "--no-keep removes the archive" test ! -e "$b/Audio_Speech_Actors_01-24.zip"

c=$tmp/c
AM_RAVDESS_URL=$url/damaged
check "a damaged download fails" run 1 --song --dir "$c"
check "names both md5" says "wanted $AM_RAVDESS_SONG_MD5"
check "and is not kept" test -z "$(ls "$c")"
AM_RAVDESS_URL=$url
check "the next run starts again" run 0 --song --dir="$c"

d=$tmp/d
mkdir "$d"
head -c 100 "$song" >"$d/Audio_Song_Actors_01-24.zip.part"
AM_RAVDESS_URL=$url/whole
check "a server without ranges gives it from the start" run 0 --song --dir "$d"
AM_RAVDESS_URL=$url

e=$tmp/e
mkdir -p "$e/Audio_Song_Actors_01-24"
echo mine >"$e/Audio_Song_Actors_01-24/notes.txt"
echo mine >"$e/Audio_Speech_Actors_01-24.zip"
check "a folder of the user's is not touched" run 1 --song --dir "$e"
check "and named" says "holds 0 clips, wanted 2; move it away"
check "its file is still there" test -f "$e/Audio_Song_Actors_01-24/notes.txt"
check "an archive that is another is not touched" run 1 --speech --dir "$e"
check "and still there" test "$(cat "$e/Audio_Speech_Actors_01-24.zip")" = mine

f=$tmp/f
AM_RAVDESS_URL=$url/none
rm -f "$tmp/www/Audio_Song_Actors_01-24.zip"
check "an archive that the server has not fails" run 1 --song --dir "$f"
check "with its address" says "cannot download $url/none/Audio_Song_Actors_01-24.zip"
AM_RAVDESS_URL=$url

check "an archive with too few clips fails" env AM_RAVDESS_SPEECH_CLIPS=4 sh -c \
  '! sh "$0" --speech --dir "$1" 2>"$2/out"' "$script" "$tmp/g" "$tmp"
check "with the counts" says "holds 3 clips, wanted 4"
check "and leaves no half folder" test -z "$(find "$tmp/g" -type d -name 'Audio*' -o -name '.unpacking*')"

# Anything but the archive itself

h=$tmp/h
AM_RAVDESS_URL=$url/page
check "a web page in its place fails" run 1 --speech --dir "$h"
check "is called that" says "gave no zip archive, perhaps a web page"
check "and is not kept" test -z "$(ls "$h")"
AM_RAVDESS_URL=$url
size=$AM_RAVDESS_SPEECH_BYTES
AM_RAVDESS_SPEECH_BYTES=$((size + 10))
check "a smaller archive fails" run 1 --speech --dir "$h"
check "with both sizes" says "has $size bytes, wanted $((size + 10)); run again to go on"
check "which cannot be gone on with" run 1 --speech --dir "$h"
check "as is said" says "holds $size bytes, wanted $((size + 10)): another archive"
check "it is not kept" test -z "$(ls "$h")"
AM_RAVDESS_SPEECH_BYTES=$((size - 10))
check "a larger archive fails" run 1 --speech --dir "$h"
check "with both sizes, too" says "holds $size bytes, wanted $((size - 10)): another archive"
AM_RAVDESS_SPEECH_BYTES=$size
check "the right one is taken then" run 0 --speech --dir "$h"

check "unknown arguments are refused" run 2 --speach
check "--dir needs a folder" run 2 --dir
check "--help helps" run 0 --help
check "with the licence" says "CC BY-NC-SA 4.0"
plan
