#!/bin/sh
# datasets/get-* of one archive each (datasets/fetch.sh) against a local server with tiny archives.
# usage: test_get_corpora.sh SOURCE_ROOT WEB_HELPER
# SPDX-License-Identifier: MIT
datasets=$1/datasets
web=$2
. "$(dirname "$0")/web.sh"

serve
www=$tmp/www
AM_CORPUS_URL='' AM_CORPUS_BYTES='' AM_CORPUS_DIGEST='' AM_CORPUS_CLIPS='' AM_CORPUS_CLIPS_DIGEST=''
export AM_CORPUS_URL AM_CORPUS_BYTES AM_CORPUS_DIGEST AM_CORPUS_CLIPS AM_CORPUS_CLIPS_DIGEST

# Each corpus in the layout in which it is published.
# $1 corpus, $2 folder it makes, $3 a clip in there, then folder and files of the archive
each() {
  corpus=$1 folder=$2 clip=$3
  shift 3
  script=$datasets/get-$corpus
  "$web" zip "$www/$corpus.zip" "$@"
  AM_CORPUS_URL=$url/$corpus.zip AM_CORPUS_CLIPS=2
  check "$corpus: the archive is fetched and unpacked" run 0 --dir "$tmp/$corpus"
  check "$corpus: clips lie where they should" test -f "$tmp/$corpus/$folder/$clip"
  check "$corpus: no working files are left" test -z "$(find "$tmp/$corpus" -name '*.part' -o -name '.unpacking*')"
  : >"$tmp/log"
  check "$corpus: a second run asks for nothing" run 0 --dir "$tmp/$corpus"
  check "$corpus: and says so" says "$folder is there already: 2 clips"
  check "$corpus: and made no request" test ! -s "$tmp/log"
  check "$corpus: --help helps" run 0 --help
  check "$corpus: says that the address was not tried" says "not tried over the network"
  check "$corpus: names its description" says "inspect datasets/"
  check "$corpus: which is there" test -f "$datasets/$(sed -n 's,^audiomood inspect datasets/\([a-z_]*.yaml\) .*,\1,p' \
    "$tmp/out")"
  check "$corpus: gives the citation" says "Cite: "
}
each nemo nEMO samples/KS0_anger_1.wav nEMO-66de999 data.tsv README.md samples/KS0_anger_1.wav samples/MK0_fear_90.wav
each emodb emodb wav/03a01Fa.wav . erkannt.txt silb/03a01Fa.silb wav/03a01Fa.wav wav/16b10Wb.wav
each crema-d AudioWAV 1001_DFA_ANG_XX.wav crema-d-mirror/AudioWAV 1001_DFA_ANG_XX.wav 1091_WSI_SAD_XX.wav
each emozionalmente emozionalmente audio/1591636264523.wav emozionalmente audio/1591636264523.wav \
  audio/1591636264524.wav metadata/samples.csv metadata/users.csv
each jl JL 'JL(wav+txt)/male1_angry_10a_1.wav' 'Raw JL corpus (unchecked and unannotated)' \
  'JL(wav+txt)/male1_angry_10a_1.wav' 'JL(wav+txt)/female2_sad_1b_2.wav' notes.docx
each subesco SUBESCO F_01_OISHI_S_1_ANGRY_1.wav SUBESCO F_01_OISHI_S_1_ANGRY_1.wav \
  'F_02_MONIKA_S_2_SURPRISE_3].wav'
each mesd MESD Anger_F_A_abajo.wav 'cy34mh68j9-5/Mexican Emotional Speech Database (MESD)' Anger_F_A_abajo.wav \
  Neutral_C_B_tela.wav

# What a Mac adds does not hide the corpus, and is not counted.
script=$datasets/get-subesco
"$web" zip "$www/mac.zip" . __MACOSX/SUBESCO/._F_01_OISHI_S_1_SAD_1.wav SUBESCO/F_01_OISHI_S_1_SAD_1.wav \
  SUBESCO/F_01_OISHI_S_1_SAD_2.wav
AM_CORPUS_URL=$url/mac.zip
check "folders of a Mac are passed over" run 0 --dir "$tmp/mac"
check "clips lie where they should" test -f "$tmp/mac/SUBESCO/F_01_OISHI_S_1_SAD_1.wav"

# Without size or digest: the archive itself says whether it is whole.
script=$datasets/get-emodb
a=$tmp/a
AM_CORPUS_URL=$url/cut/emodb.zip
check "a download that breaks off fails" run 1 --dir "$a"
check "says how to go on" says "run again to go on"
check "keeps what came" test "$(bytes "$a/emodb.zip.part")" = $(($(bytes "$www/emodb.zip") / 2))
AM_CORPUS_URL=$url/emodb.zip
: >"$tmp/log"
check "the next run finishes it" run 0 --dir="$a" --no-keep
check "from where it stopped" asked "emodb.zip $(($(bytes "$www/emodb.zip") / 2))"
check "--no-keep removes the archive" test ! -e "$a/emodb.zip"
b=$tmp/b
mkdir "$b"
cp "$www/emodb.zip" "$b/emodb.zip.part"
: >"$tmp/log"
check "a download that had come whole is not asked for again" run 0 --dir "$b"
check "at all" test ! -s "$tmp/log"
c=$tmp/c
mkdir "$c"
head -c 100 "$www/emodb.zip" >"$c/emodb.zip.part"
AM_CORPUS_URL=$url/whole/emodb.zip
check "a server without ranges gives it from the start" run 0 --dir "$c"
d=$tmp/d
"$web" zip "$www/torn.zip" wav 03a01Fa.wav 16b10Wb.wav
printf 'X' | dd of="$www/torn.zip" bs=1 seek=45 conv=notrunc 2>/dev/null # inside the first file
AM_CORPUS_URL=$url/torn.zip
check "an archive that cannot be read to its end fails" run 1 --dir "$d"
check "as damaged" says "a zip archive that cannot be read: damaged on the way"
check "and is not kept" test -z "$(ls "$d")"
AM_CORPUS_URL=$url/page/emodb.zip
check "a web page in its place fails" run 1 --dir "$d"
check "is called that" says "gave no zip archive, perhaps a web page"
check "with where to look" says "http://emodb.bilderbar.info is where the corpus is published, --archive takes a zip"
check "and is not kept, too" test -z "$(ls "$d")"
AM_CORPUS_URL=$url/none/none.zip
check "an address without an archive fails" run 1 --dir "$d"
check "and is named" says "cannot download $url/none/none.zip"
echo mine >"$d/emodb.zip"
AM_CORPUS_URL=$url/emodb.zip
check "an archive that is another is not touched" run 1 --dir "$d"
check "and named" says "emodb.zip is there and is not the archive (size not known, digest not known; found 5 bytes)"
check "and still there" test "$(cat "$d/emodb.zip")" = mine
AM_CORPUS_CLIPS=3
check "an archive with too few clips fails" run 1 --dir "$tmp/e"
check "with the counts" says "holds 2 clips, wanted 3"
check "and leaves no half folder" test -z "$(find "$tmp/e" -mindepth 1 -type d)"
AM_CORPUS_CLIPS=''
"$web" zip "$www/empty.zip" emodb wav/notes.txt
AM_CORPUS_URL=$url/empty.zip
check "an archive without a clip fails" run 1 --dir "$tmp/f"
check "whatever the number wanted" says "holds 0 clips, wanted some"
"$web" zip "$www/other.zip" other 03a01Fa.wav
AM_CORPUS_URL=$url/other.zip
check "an archive of something else fails" run 1 --dir "$tmp/g"
check "with what is missing" says "holds no wav"
check "unknown arguments are refused" run 2 --speech
check "--archive needs a file" run 2 --archive
check "--dir needs a folder" run 2 --dir

# With a digest of either kind
script=$datasets/get-jl
AM_CORPUS_URL=$url/jl.zip
for kind in md5 sha256; do
  AM_CORPUS_DIGEST=$(${kind}sum <"$www/jl.zip" | cut -d' ' -f1)
  check "the $kind of the archive is checked" run 0 --dir "$tmp/$kind"
  AM_CORPUS_DIGEST=$(echo other | ${kind}sum | cut -d' ' -f1)
  check "another $kind fails" run 1 --dir "$tmp/not-$kind"
  check "names both $kind" says "came with $kind .*, wanted $AM_CORPUS_DIGEST"
  check "and does not keep the archive" test -z "$(ls "$tmp/not-$kind")"
done
check "--archive takes a zip got by hand" run 0 --dir "$tmp/hand" --archive "$www/jl.zip"
check "unpacks it" test -f "$tmp/hand/JL/JL(wav+txt)/male1_angry_10a_1.wav"
check "and leaves it" test -f "$www/jl.zip"
check "one that is not there fails" run 1 --dir "$tmp/hand2" --archive "$tmp/none.zip"
check "one that is none fails" run 1 --dir "$tmp/hand2" --archive="$tmp/log"
check "and is called that" says "is no zip archive"
AM_CORPUS_DIGEST=''

# With a digest of the clips: sha256 of the sorted lines "sha256  name"
script=$datasets/get-nemo
AM_CORPUS_URL=$url/nemo.zip
AM_CORPUS_CLIPS_DIGEST=$(cd "$tmp/nemo/nEMO/samples" && sha256sum -- *.wav | LC_ALL=C sort | sha256sum | cut -d' ' -f1)
check "the clips of the corpus are known" run 0 --dir "$tmp/n1"
"$web" zip "$www/changed.zip" nEMO data.tsv samples/KS0_anger_1.wav=changed samples/MK0_fear_90.wav
AM_CORPUS_URL=$url/changed.zip
check "other clips under their names fail" run 1 --dir "$tmp/n2"
check "with both digests" says "are not those of the corpus (sha256 of all .*, wanted $AM_CORPUS_CLIPS_DIGEST)"
check "and leave no folder" test ! -e "$tmp/n2/nEMO"
script=$datasets/get-crema-d
"$web" zip "$www/stubs.zip" AudioWAV '1001_DFA_ANG_XX.wav=version https://git-lfs.github.com/spec/v1' \
  '1091_WSI_SAD_XX.wav=version https://git-lfs.github.com/spec/v1'
AM_CORPUS_URL=$url/stubs.zip
check "stubs of git-lfs fail" run 1 --dir "$tmp/n3"
check "and are called that" says "holds stubs of git-lfs, not recordings"
AM_CORPUS_CLIPS_DIGEST=''

# No room: a limit on the size of files stands for a full disk.
script=$datasets/get-mesd
long=Anger_F_A_$(printf '%0200d' 1)
"$web" zip "$www/long.zip" MESD "$long.wav" "${long}2.wav" "${long}3.wav" "${long}4.wav" "${long}5.wav" "${long}6.wav"
AM_CORPUS_URL=$url/long.zip
(
  ulimit -f 4
  trap '' XFSZ
  sh "$script" --dir "$tmp/full"
  echo "code $?"
) 2>&1 | cat >"$tmp/out"
check "a full disk fails" says "code 1"
check "as a download that can go on" says "cannot download .*; run again to go on from"
check "and leaves no archive" test ! -e "$tmp/full/MESD.zip"
check "with room again it goes on" run 0 --dir "$tmp/full"
check "to the end" test -f "$tmp/full/MESD/$long.wav"
plan
