# SPDX-License-Identifier: MIT
# datasets/fetch.sh - what the get-* scripts share; they source it.
#
# An archive is downloaded to DIR/NAME.zip.part, checked, renamed to
# DIR/NAME.zip, unpacked beside and renamed to DIR/NAME: a file or folder with
# its last name is complete.  Nothing is deleted but partial files and
# unpacking folders of these scripts.
#
# A script sets `me` (its name) and, where not all *.wav are clips, `clip_names`;
# for fetch_corpus what stands there.  A size or digest that is not known is empty.

me=fetch
name='' default_dir='' description='' home='' about='' url='' bytes='' sum_wanted='' clips='' marker='' clips_sum=''
clip_names='*.wav'
dir=.
keep=yes
archive=''
aside=''
hint=''
trap '[ -z "$aside" ] || rm -rf "$aside"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "$me: $*" >&2
  exit 1
}

bad_usage() {
  echo "$me: $*; --help says more" >&2
  exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

size_of() { wc -c <"$1" | tr -d ' '; }

# $1 md5 or sha256: the digest of standard input
digest() {
  if have "$1sum"; then "$1sum" | cut -d' ' -f1
  elif have openssl; then openssl dgst "-$1" | sed 's/.*= *//'
  elif have python3; then
    python3 -c 'import hashlib,sys; print(hashlib.new(sys.argv[1], sys.stdin.buffer.read()).hexdigest())' "$1"
  else fail "no $1sum, openssl or python3 to check the download with; install one"
  fi
}

# $1 a digest: which kind it is, by its length
kind_of() { if [ ${#1} = 64 ]; then echo sha256; else echo md5; fi; }

# $1 address, $2 file: appends what the file lacks.  Fails when the transfer did not come to its end.
# curl's 33: the server cannot give parts, so from the start; 416: it has nothing after what is there.
download() {
  if have curl; then
    code=0
    http=$(curl -fL --retry 3 --connect-timeout 30 -C - -o "$2" -w '%{http_code}' "$1") || code=$?
    [ "$http" != 416 ] || return 0
    [ $code = 33 ] || return $code
    curl -fL --retry 3 --connect-timeout 30 -o "$2" "$1"
  elif have wget; then wget -c -t 2 -T 60 -O "$2" "$1"
  else fail "neither curl nor wget is installed; install one"
  fi
}

# $1 archive, $2 folder.  unzip's 1: warnings, for instance about the coding of names.
unpack() {
  if have unzip; then unzip -q -o "$1" -d "$2" || [ $? = 1 ]
  elif have bsdtar; then bsdtar -x -f "$1" -C "$2"
  elif have python3; then python3 -m zipfile -e "$1" "$2"
  else fail "no unzip, bsdtar or python3 to unpack with; install one"
  fi
}

# $1 archive: can all of it be read?  The check of those whose digest is not known.
readable() {
  if have unzip; then unzip -tqq "$1" >/dev/null 2>&1 || [ $? = 1 ]
  elif have bsdtar; then bsdtar -x -O -f "$1" >/dev/null 2>&1
  elif have python3; then
    python3 -c 'import sys,zipfile; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip() is not None)' "$1" 2>/dev/null
  else fail "no unzip, bsdtar or python3 to unpack with; install one"
  fi
}

# $1 file: a zip begins with PK; what does not is a page that says something else.
is_zip() { [ "$(dd if="$1" bs=2 count=1 2>/dev/null | tr -d '\000')" = PK ]; }

# $1 file: is it the archive?  $2 bytes, $3 digest
whole() {
  [ -f "$1" ] || return 1
  [ -z "$2" ] || [ "$(size_of "$1")" = "$2" ] || return 1
  if [ -n "$3" ]; then [ "$(digest "$(kind_of "$3")" <"$1")" = "$3" ]; else readable "$1"; fi
}

# $1 bytes, $2 digest: in words
wanted() {
  if [ -n "$1" ]; then printf '%s bytes' "$1"; else printf 'size not known'; fi
  if [ -n "$2" ]; then printf ', %s %s' "$(kind_of "$2")" "$2"; else printf ', digest not known'; fi
}

# $1 part, $2 address, $3 bytes, $4 digest: downloads, and fails on anything but the whole archive.
fetch_part() {
  before=0
  [ ! -f "$1" ] || before=$(size_of "$1")
  echo "downloading $2 ($(wanted "$3" "$4"))"
  complete=yes
  download "$2" "$1" || complete=no
  got=0
  [ ! -f "$1" ] || got=$(size_of "$1")
  if [ "$got" -gt 0 ] && ! is_zip "$1"; then
    rm -f "$1"
    fail "$2 gave no zip archive, perhaps a web page that says why$hint"
  fi
  [ $complete = yes ] || fail "cannot download $2; run again to go on from $1$hint"
  if [ -n "$3" ] && [ "$got" != "$3" ]; then
    if [ "$got" -gt "$before" ] && [ "$got" -lt "$3" ]; then fail "$1 has $got bytes, wanted $3; run again to go on"; fi
    rm -f "$1"
    fail "$2 holds $got bytes, wanted $3: another archive$hint"
  fi
  if [ -n "$4" ]; then
    sum=$(digest "$(kind_of "$4")" <"$1")
    [ "$sum" != "$4" ] || return 0
    rm -f "$1"
    fail "$2 came with $(kind_of "$4") $sum, wanted $4: damaged on the way; run again"
  fi
  readable "$1" || {
    rm -f "$1"
    fail "$2 came as a zip archive that cannot be read: damaged on the way; run again"
  }
}

# $1 name, $2 address, $3 bytes, $4 digest: puts DIR/$1.zip in place.
fetch() {
  zip=$dir/$1.zip part=$dir/$1.zip.part
  if [ -e "$zip" ]; then
    whole "$zip" "$3" "$4" ||
      fail "$zip is there and is not the archive ($(wanted "$3" "$4"); found $(size_of "$zip") bytes); move it away"
    echo "$zip is there already"
    return
  fi
  if [ -f "$part" ] && [ -n "$3" ] && [ "$(size_of "$part")" -gt "$3" ]; then rm -f "$part"; fi
  if ! whole "$part" "$3" "$4"; then
    if [ -f "$part" ] && [ "$(size_of "$part")" = "$3" ]; then rm -f "$part"; fi
    fetch_part "$part" "$2" "$3" "$4"
  fi
  mv "$part" "$zip"
  fetched=yes
}

# $1 folder: its clips, as find prints them or hands them on
clips_in() {
  in=$1
  shift
  find "$in" -type f -name "$clip_names" ! -name '._*' "$@"
}

count() { clips_in "$1" | wc -l | tr -d ' '; }

# $1 folder: one digest for all clips, the sha256 of the sorted lines "sha256  name"
clips_digest() {
  if have sha256sum; then clips_in "$1" -exec sha256sum {} +
  elif have openssl; then clips_in "$1" -exec openssl dgst -r -sha256 {} +
  else
    clips_in "$1" -exec python3 -c 'import hashlib,sys
for p in sys.argv[1:]: print(hashlib.sha256(open(p,"rb").read()).hexdigest() + "  " + p)' {} +
  fi | sed 's,^\([0-9a-f]*\) [ *].*/,\1  ,' | LC_ALL=C sort | digest sha256
}

# $1 folder with what the archive holds, $2 what stands at the corpus's top, or nothing: sets `top`.
# Without a name it is the first folder with more in it than one folder.
find_top() {
  top=$1
  if [ -n "$2" ]; then
    found=$(find "$1" -name "$2" ! -path '*/__MACOSX/*' | LC_ALL=C sort | sed -n 1p)
    [ -n "$found" ] || fail "$unpacked holds no $2"
    top=${found%/*}
    return
  fi
  while [ "$(find "$top" -mindepth 1 -maxdepth 1 ! -name __MACOSX ! -name .DS_Store | wc -l)" -eq 1 ]; do
    only=$(find "$top" -mindepth 1 -maxdepth 1 ! -name __MACOSX ! -name .DS_Store)
    [ -d "$only" ] || break
    top=$only
  done
}

# $1 folder, $2 their digest, or nothing
check_clips() {
  [ -n "$2" ] || return 0
  one=$(clips_in "$1" | sed -n 1p)
  if [ "$(dd if="$one" bs=19 count=1 2>/dev/null | tr -d '\000')" = "version https://git" ]; then
    fail "$unpacked holds stubs of git-lfs, not recordings$hint"
  fi
  sum=$(clips_digest "$1")
  [ "$sum" = "$2" ] || fail "the clips in $unpacked are not those of the corpus (sha256 of all $sum, wanted $2)$hint"
}

# $1 name, $2 archive, $3 clips, $4 what stands at its top, $5 digest of its clips: unpacks beside and renames, so a
# folder with that name is always complete.
install_part() {
  unpacked=$2
  aside=$(mktemp -d "$dir/.unpacking.XXXXXX")
  unpack "$2" "$aside" || fail "cannot unpack $2"
  find_top "$aside" "$4"
  n=$(count "$top")
  if [ "$n" = 0 ] || [ "$n" != "${3:-$n}" ]; then fail "$2 holds $n clips, wanted ${3:-some}$hint"; fi
  check_clips "$top" "$5"
  chmod 755 "$top"
  mv "$top" "$dir/$1"
  rm -rf "$aside"
  aside=
}

# $1 name, $2 address, $3 bytes, $4 digest, $5 clips, $6 what stands at its top, $7 digest of its clips
get() {
  if [ -e "$dir/$1" ]; then
    n=$(count "$dir/$1")
    if [ "$n" = 0 ] || [ "$n" != "${5:-$n}" ]; then
      fail "$dir/$1 is there and holds $n clips, wanted ${5:-some}; move it away"
    fi
    echo "$dir/$1 is there already: $n clips"
    return
  fi
  fetched=no
  if [ -n "$archive" ]; then
    [ -f "$archive" ] || fail "$archive: no such file"
    is_zip "$archive" || fail "$archive is no zip archive"
    install_part "$1" "$archive" "$5" "$6" "$7"
  else
    fetch "$1" "$2" "$3" "$4"
    install_part "$1" "$dir/$1.zip" "$5" "$6" "$7"
  fi
  if [ $keep = no ] && [ $fetched = yes ]; then rm -f "$dir/$1.zip"; fi
  echo "$dir/$1: $n clips"
}

corpus_usage() {
  cat <<END
usage: datasets/$me [--dir DIR] [--archive FILE] [--no-keep]

  --dir DIR       where to put it; default ./$default_dir
  --archive FILE  unpack this zip, got by hand, instead of downloading one
  --no-keep       remove the archive that this script downloaded once it is unpacked

Downloads $url
($(wanted "$bytes" "$sum_wanted")${clips_sum:+, sha256 of its clips $clips_sum}).
The address was not tried over the network.  Makes DIR/$name; then:
audiomood inspect datasets/$description --root DIR/$name

$about
Home: $home
AM_CORPUS_URL overrides the address (a mirror).
END
}

# The whole of a script for one archive.  It has set: name, default_dir, description, home, about, url, bytes,
# sum_wanted, clips, marker, clips_sum.  The test brings its own through the environment.
fetch_corpus() {
  url=${AM_CORPUS_URL-$url}
  bytes=${AM_CORPUS_BYTES-$bytes}
  sum_wanted=${AM_CORPUS_DIGEST-$sum_wanted}
  clips=${AM_CORPUS_CLIPS-$clips}
  clips_sum=${AM_CORPUS_CLIPS_DIGEST-$clips_sum}
  dir=$default_dir
  while [ $# -gt 0 ]; do
    case $1 in
      --dir) [ -n "${2:-}" ] || bad_usage "--dir needs a folder"; dir=$2; shift ;;
      --dir=?*) dir=${1#--dir=} ;;
      --archive) [ -n "${2:-}" ] || bad_usage "--archive needs a file"; archive=$2; shift ;;
      --archive=?*) archive=${1#--archive=} ;;
      --no-keep) keep=no ;;
      -h|--help) corpus_usage; exit 0 ;;
      *) bad_usage "unknown argument $1" ;;
    esac
    shift
  done
  hint="; $home is where the corpus is published, --archive takes a zip got by hand"
  mkdir -p "$dir" || fail "cannot make the folder $dir"
  get "$name" "$url" "$bytes" "$sum_wanted" "$clips" "$marker" "$clips_sum"
}
