#!/bin/bash
# tests/cli/test_sounds.sh AUDIOMOOD SOURCE_ROOT - inspect tells what is in a sound file, by counting; other formats are
# named, with the line to type (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" sounds "$1" "$2"
small=$root/tests/audio/sounds

# ---- counted, not believed: figures of ffmpeg ----
# counts FILE TEXT
counts() {
  run inspect "$1"
  if [ "$code" = 0 ] && grep -qF -- "$2" out && [ ! -s err ]; then ok "inspect $(basename "$1")"
  else not_ok "inspect $(basename "$1")" "wanted: $2"; fi
}
counts "$small/vbr-bare.mp3" ': 0.324 s, 16000 Hz, 1 channel, 5184 frames'
counts "$small/cbr-bare.mp3" ': 0.287 s, 44100 Hz, 1 channel, 12672 frames'
counts "$small/table.mp3" ': 0.250 s, 22050 Hz, 2 channels, 5512 frames'
counts "$small/speech.opus" ': 0.250 s, 48000 Hz, 1 channel, 12000 frames'
counts "$small/layer3.wav" ': 0.324 s, 16000 Hz, 1 channel, 5184 frames'
cat "$small/music.ogg" "$small/music.ogg" "$small/speech.opus" >three.ogg
counts three.ogg ': 0.750 s, 44100 Hz, 1 channel, 34050 frames'
cat "$small/table.mp3" "$small/table.mp3" >two.mp3
counts two.mp3 ': 0.500 s, 22050 Hz, 2 channels, 11024 frames'
mv two.mp3 two.wav
counts two.wav ': 0.500 s, 22050 Hz, 2 channels, 11024 frames'
cat "$small/vbr-bare.mp3" >pipe.mp3
run inspect <(cat pipe.mp3); expect "a pipe" 0 '5184 frames'

# ---- what is odd about a file, and still heard ----
run inspect "$small/adpcm.wav"; frames=$(grep -oE '[0-9]+ frames' out)
{ head -c 300 /dev/zero | tr '\0' x; } >more
cat "$small/adpcm.wav" more >odd.wav
run inspect odd.wav; expect "bytes behind the sound" 0 'warning: odd.wav: 300 bytes follow the sound' "$frames"
cat "$small/vbr-bare.mp3" >cut.mp3; truncate -s -20 cut.mp3
run inspect cut.mp3; expect "a cut frame" 0 'warning: cut.mp3: its last MPEG frame has [0-9]+ of [0-9]+ bytes' '4608 frames'

# ---- other formats, in a build that knows no films ----
export AM_MEDIA=none
# named FILE HEX WORDS: the bytes, and what they are called
named() {
  printf "$2" >"$1"; head -c 600 /dev/zero >>"$1"
  run inspect "$1"
  expect "$3 is named" 1 "^audiomood inspect: .*: is $3.*, which is not read; to convert it: ffmpeg -i .* -ac 1 .*\.wav$"
}
named a.m4a '\0\0\0\x1cftypM4A ' 'MPEG-4 audio \(M4A\)'
named a.mp4 '\0\0\0\x1cftypisom' 'an MPEG-4 film or sound \(MP4\)'
named a.webm '\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm' WebM
named a.mkv '\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska' 'Matroska \(MKA, MKV\)'
named a.wma '\x30\x26\xb2\x75\x8e\x66\xcf\x11' 'Windows Media \(WMA, WMV, ASF\)'
named a.aac '\xff\xf1\x50\x80\x00\xff\xfc\xff\xf1\x50\x80' 'AAC \(ADTS\)'
named a.amr '#!AMR\n\x3c' 'AMR speech'
named a.wav '\0\0\0\x1cftypM4A ' 'MPEG-4 audio \(M4A\), whatever the ending .wav says'
named a.mp3 'OggS\0\2\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1\x50Speex   ' 'an Ogg file of Speex sound'

# The line can be typed, whatever the name is; a file that is called .wav already gets another name.
cp a.m4a "it's a talk.m4a"; cp a.m4a -- -talk.m4a
advice() { sed -n 's/.*to convert it: //p' err; }
run inspect "it's a talk.m4a"
[ "$(advice)" = "ffmpeg -i 'it'\\''s a talk.m4a' -ac 1 'it'\\''s a talk.wav'" ] && ok "a name with blanks" || not_ok "a name with blanks"
run inspect a.wav
[ "$(advice)" = "ffmpeg -i a.wav -ac 1 a-read.wav" ] && ok "a name that is taken" || not_ok "a name that is taken"
run inspect ./-talk.m4a
[ "$(advice)" = "ffmpeg -i ./-talk.m4a -ac 1 ./-talk.wav" ] && ok "a name with a dash" || not_ok "a name with a dash"
printf '\x89PNG\r\n\x1a\n' >picture.wav
run inspect picture.wav; expect "a picture" 1 'picture.wav: is a picture \(PNG\), whatever the ending .wav says, which is not read$'

plan
