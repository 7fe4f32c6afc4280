#!/bin/sh
# datasets/get-ravdess against a local server with tiny archives.
# usage: test_get_ravdess.sh SOURCE_ROOT WEB_HELPER
set -u
script=$1/datasets/get-ravdess
web=$2
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
speech=$tmp/www/Audio_Speech_Actors_01-24.zip
song=$tmp/www/Audio_Song_Actors_01-24.zip
"$web" zip "$speech" Actor_01 03-01-01-01-01-01-01.wav 03-01-02-01-01-01-01.wav 03-01-03-01-01-01-01.wav
"$web" zip "$song" Actor_01 03-02-01-01-01-01-01.wav 03-02-02-01-01-01-01.wav
AM_RAVDESS_SPEECH_BYTES=$(bytes "$speech") AM_RAVDESS_SONG_BYTES=$(bytes "$song")
AM_RAVDESS_SPEECH_MD5=$(md5sum <"$speech" | cut -d' ' -f1) AM_RAVDESS_SONG_MD5=$(md5sum <"$song" | cut -d' ' -f1)
AM_RAVDESS_SPEECH_CLIPS=3 AM_RAVDESS_SONG_CLIPS=2
export AM_RAVDESS_SPEECH_BYTES AM_RAVDESS_SONG_BYTES AM_RAVDESS_SPEECH_MD5 AM_RAVDESS_SONG_MD5
export AM_RAVDESS_SPEECH_CLIPS AM_RAVDESS_SONG_CLIPS
"$web" serve "$tmp/www" "$tmp/port" "$tmp/log" &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ -s "$tmp/port" ] && break
  sleep 0.1
done
url=http://127.0.0.1:$(cat "$tmp/port")
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
check "unknown arguments are refused" run 2 --speach
check "--dir needs a folder" run 2 --dir
check "--help helps" run 0 --help
check "with the licence" says "CC BY-NC-SA 4.0"
echo "1..$count"
exit $failed
