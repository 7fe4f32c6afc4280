#!/bin/bash
# tests/cli/test_subtitle.sh AUDIOMOOD SOURCE_ROOT - subtitle: emotions in SRT and WebVTT, and off again (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" subtitle "$1" "$2"

trained
{ silence 1000; clip 3 4 | head -c 48000; silence 2500; clip 3 9 | head -c 48000; silence 1000; } | wav talk.wav # speech: 1 to 2.5, 5 to 6.5 s
printf '1\r\n00:00:01,000 --> 00:00:02,500 X1:5\r\nHello\r\n\r\n2\r\n00:00:05,000 --> 00:00:06,500\r\n<i>Go away</i>\r\n\r\n\r\n' >talk.srt
printf 'WEBVTT - talk\n\nNOTE kept\n\nfirst\n00:01.000 --> 00:02.500 align:start\n<v Ann>Hello\n\n00:05.000 --> 00:06.500\n<v Bo>Go away\n' >talk.vtt
subtitle() { run subtitle talk.wav --model run1 "$@"; }
all=(--threshold 0 --margin 0 --gap 0 --per-minute 60)
rows() { tail -n +2 "$1" | cut -d, -f"$2"; }

# What a cue is: its own span, as predict hears the same samples.
subtitle --srt talk.srt --to csv "${all[@]}"; cp out table
expect "a table" 0 "^cue,start,end,speaker,text,label,top,probability,margin,shown,p_calm,p_happy,p_sad,p_angry" "^1,1,2.5,,Hello,"
{ clip 3 4 | head -c 48000; } | wav one.wav; { clip 3 9 | head -c 48000; } | wav two.wav
run predict run1 one.wav two.wav --csv --threshold 0
[ "$(rows out 3-6)" = "$(rows table 11-)" ] && ok "a cue is heard as its samples alone" ||
  not_ok "a cue is heard as its samples alone" "$(tail -n +2 out; cat table)"
printf '00:01,000 --> 00:02,500\na\n\n00:05,000 --> 00:06,500\nc\n\n00:01,000 --> 00:02,500\nb\n\n00:02,000 --> 00:05,500\nd\n\n00:02,500 --> 00:04,000\ne\n' >over.srt
run subtitle talk.wav --model run1 --srt over.srt --to csv; cp out over
[ "$(rows over 11- | sed -n '1p;2p')" = "$(rows table 11-)" ] && [ "$(rows over 11- | sed -n 3p)" = "$(rows table 11- | sed -n 1p)" ] && ok "also among cues that overlap and are out of order" ||
  not_ok "also among cues that overlap and are out of order" "$(cat over)"
expect "a cue of silence" 0 "^5,2.5,4,,e,silent,,,,false,,,," "warning: at 1 of 5 cues there is nothing to hear"
printf '00:01,500 --> 00:02,000\na\n\n00:00,000 --> 00:00,100\nb\n\n00:09,000 --> 00:05,000\nc\n' >short.srt
subtitle --srt short.srt --to csv
[ "$(rows out 11- | head -1)" = "$(rows table 11- | head -1)" ] && ok "a short one is widened evenly" || not_ok "a short one is widened evenly" "$(cat out)"
expect "one beyond the end has nothing" 0 "^3,9,5,,c,silent"
"$audiomood" subtitle - --model run1 --srt talk.srt --to csv "${all[@]}" <talk.wav >out 2>err; same "standard input is the same sound" out table
subtitle --srt talk.srt --to json "${all[@]}"; expect "as JSON" 0 '"file": "talk.wav"' '"subtitles": "talk.srt"' '"text": "<i>Go away</i>"' '"shown": true' '"angry": [01]'

# What is written.
subtitle --srt talk.srt "${all[@]}"; cp out tagged.srt
expect "SRT" 0 $'^\\[[a-z ]+\\] Hello\r$' $'^00:00:01,000 --> 00:00:02,500 X1:5\r$' "of 2 cues say how"
run subtitle --strip --srt tagged.srt -o stripped.srt; expect "off again" 0 "cues had an emotion, which was taken off"
same "to the last byte" stripped.srt talk.srt
subtitle --srt tagged.srt "${all[@]}"; same "a second run does not tag twice" out tagged.srt
subtitle --srt talk.srt --style bbc --language de "${all[@]}"; expect "another style and language" 0 $'^[A-ZÄÖÜ]+: Hello\r$'
subtitle --vtt talk.vtt --style class "${all[@]}" -o classes.vtt
grep -q '^<c\.[a-z]*><v Ann>Hello</c>$' classes.vtt && grep -q '^STYLE$' classes.vtt && grep -q '^NOTE kept$' classes.vtt && ok "classes of WebVTT" || not_ok "classes of WebVTT" "$(cat classes.vtt)"
run subtitle --strip --vtt classes.vtt; same "off again, with their styles" out talk.vtt
cp talk.srt own.srt; subtitle --srt own.srt -o own.srt "${all[@]}"; same "in place" own.srt tagged.srt
subtitle --srt talk.srt --to vtt "${all[@]}"; expect "from SRT to WebVTT" 0 '^WEBVTT$' '^00:00:01.000 --> 00:00:02.500$' '^\[[a-z ]+\] Hello$'
subtitle --vtt talk.vtt -o new.srt "${all[@]}"; cp new.srt out; expect "from WebVTT to SRT, by the ending" 0 '^00:00:01,000 --> 00:00:02,500$' '^\[[a-z ]+\] Hello$'
subtitle --vtt talk.vtt --to csv; expect "who speaks" 0 "^1,1,2.5,Ann," "^2,5,6.5,Bo,"
printf 'sv: {happy: [glatt, glad], sad: [sorgset, ledsen], angry: [argt, arg], calm: [lugnt, lugn]}\n' >sv.yaml
subtitle --srt talk.srt --language sv --words sv.yaml --style tag "${all[@]}"; expect "a language of the user's" 0 '^\((glad|ledsen|arg)\) '
printf '0:01,0 --> 0:02,500\ncaf\351\n' >latin.srt
subtitle --srt latin.srt --language de "${all[@]}"; expect "Latin-1" 0 "warning: latin.srt: is not UTF-8; it is taken for Latin-1 and stays so"
LC_ALL=C grep -qa $'caf\351$' out && ok "stays so" || not_ok "stays so"
subtitle --srt latin.srt --to vtt; expect "or becomes UTF-8" 0 "café"

# Other formats.
echo '<tt/>' >none.ttml; run subtitle --strip --ttml none.ttml; [ $code = 0 ] && xml=ttml || xml=
[ "$xml" ] || expect "TTML without expat" 1 "none.ttml: TTML and ELAN's files are XML, whose reader was left out"
for f in ass $xml; do
  subtitle --srt talk.srt --threshold 1 -o talk.$f; expect "from SRT to $f" 0 "^0 of 2 cues say how|: 0 of 2 cues say how"
  subtitle --$f talk.$f "${all[@]}" -o tagged.$f; cp tagged.$f out; expect "$f" 0 '\[[a-z ]+\] Hello'
  run subtitle --strip --$f tagged.$f; same "off again, $f" out talk.$f
  subtitle --$f tagged.$f "${all[@]}"; same "a second run does not tag twice, $f" out tagged.$f
  subtitle --$f talk.$f --to srt --threshold 1; expect "from $f to SRT" 0 '^00:00:01,000 --> 00:00:02,500$' '^<i>Go away</i>$'
done
printf '[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,{\\an8}Hello\n' >ann.ass
subtitle --ass ann.ass --to csv; expect "who speaks in ASS" 0 "^1,1,2.5,Ann,Hello,"
echo '{"segments": [{"start": 1, "end": 2.5, "text": " Hello", "speaker": "SPEAKER_00"}, {"start": 5, "end": 6.5, "text": " Go away"}]}' >talk.json
subtitle --transcript talk.json "${all[@]}"; expect "what a recogniser wrote" 0 '^00:00:01,000 --> 00:00:02,500$' '^\[[a-z ]+\] Hello$'
subtitle --transcript talk.json --to vtt "${all[@]}"; expect "and who spoke" 0 '^\[[a-z ]+\] <v SPEAKER_00>Hello$'
subtitle --transcript talk.json --to csv "${all[@]}"; cp out spoken; [ "$(rows spoken 11-)" = "$(rows table 11-)" ] && ok "heard as the same cues" || not_ok "heard as the same cues"
subtitle --transcript talk.vtt; expect "what is no JSON" 1 "talk.vtt:1:"
subtitle --ass talk.srt; expect "SRT as ASS" 1 "talk.srt: has no section \[Events\]"
[ -z "$xml" ] || subtitle --ttml talk.srt; [ -z "$xml" ] || expect "SRT as TTML" 1 "talk.srt:1:1: .*; wanted XML"
run subtitle --strip --transcript talk.json; expect "nothing to strip in it" 2 "--strip wants subtitles: --srt, --vtt, --ass or --ttml FILE"

# Each speaker by his own voice.
spoken() { tiny "normalise: speaker, max_frames: 63"; small; }; spoken >spoken.yaml
run train spoken.yaml --out run2 --quiet
for f in one two; do run predict run2 $f.wav --enrol $f.wav --csv; rows out 3-6; done >voices
run subtitle talk.wav --model run2 --vtt talk.vtt --to csv; cp out named
expect "speakers that are named" 0 "2 of 2 speakers are heard by their voice, which their cues tell"
rows named 11- | cmp -s - voices && ok "are heard by what is known of each" || not_ok "are heard by what is known of each" "$(cat voices named)"
run subtitle talk.wav --model run2 --ass ann.ass --to csv; [ "$(rows out 11-)" = "$(head -1 voices)" ] && ok "also in ASS" || not_ok "also in ASS" "$(cat out)"
printf 'WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ann>Hello\n\n00:03.000 --> 00:04.000\n<v Cy>\n' >quiet.vtt
run subtitle talk.wav --model run2 --vtt quiet.vtt --to csv; expect "one of whom nothing is heard" 0 "^2,3,4,Cy,<v Cy>,silent" "1 of 2 speakers are heard"
run subtitle - --model run2 --vtt talk.vtt <talk.wav; expect "not of standard input, which is read once" 2 "this model normalises per speaker"
run subtitle talk.wav --model run2 --srt talk.srt; expect "nor of cues that name nobody" 2 "or give a file whose cues name theirs"
{ printf 'WEBVTT\n\n'; for i in {1..101}; do printf '00:%02d.%d00 --> 00:%02d.%d50\n<v N%s>a\n\n' $((i / 20)) $((i % 10)) $((i / 20)) $((i % 10)) $i; done; } >crowd.vtt
run subtitle talk.wav --model run2 --vtt crowd.vtt --to csv; expect "too many speakers" 0 "crowd.vtt: names more than 100 speakers, so no voice is learned"

# What is shown.
subtitle --srt talk.srt --threshold 1; same "nothing that is not sure" out talk.srt
subtitle --srt talk.srt --threshold 0 --margin 1; same "nothing without a margin" out talk.srt
subtitle --srt talk.srt --threshold 0 --margin 0 --per-minute 0; same "not too many" out talk.srt
subtitle --srt talk.srt --threshold 0 --margin 0 --gap 60 --to csv; [ "$(grep -c ',true,' out)" -le 1 ] && ok "not too close" || not_ok "not too close"
subtitle --srt talk.srt; expect "a model without thresholds" 0 "warning: the model has no thresholds"
subtitle --srt talk.srt --threshold 0.8 --to csv; cp out wanted; subtitle --srt talk.srt --to csv; same "is as sure as one with 0.8" out wanted

subtitle --srt talk.srt "${all[@]}" --neutral-prior 0.999; same "hardly any emotion, hardly any tag" out talk.srt

# Without subtitles.
subtitle --threshold 0; cp out labels; expect "a cue an utterance" 0 '^1$' '^00:00:0[01],[0-9]+ --> 00:00:0[23],[0-9]+$' '^(calm|happy|sad|angry)$' '^2$'
subtitle --threshold 0 --to vtt --language de; expect "in WebVTT and German" 0 '^WEBVTT$' '^(ruhig|fröhlich|traurig|wütend)$'
silence 3000 | wav silence.wav; run subtitle silence.wav --model run1; expect "silence" 0 "warning: silence.wav: nobody was found to speak"

# What is wrong.
run subtitle; expect "no sound" 2 "wanted the sound that the subtitles are of"
run subtitle run1 --srt talk.srt; expect "a model in its place" 2 "run1: is a model, not a sound; a model is named by --model"
subtitle --srt talk.vtt; expect "WebVTT as SRT" 1 "talk.vtt: is WebVTT, by its first line, and not SRT"
subtitle --srt sv.yaml; expect "what is none" 1 "sv.yaml: has no line of times"
printf '1\n00:00:01,000 --> 00:99\na\n' >bad.srt; subtitle --srt bad.srt; expect "times that are none" 1 "bad.srt:2: the times are '00:00:01,000 --> 00:99'; wanted such as"
subtitle --srt talk.srt --style class; expect "classes in SRT" 2 "--style class is of WebVTT; add --to vtt"
subtitle --srt talk.srt --style loud; expect "a style that there is not" 2 "--style loud: wanted one of sdh, bbc, tag, class, emoji"
subtitle --srt talk.srt --to sub; expect "a format that there is not" 2 "--to sub: wanted one of srt, vtt, ass, ttml, csv, json"
subtitle --srt talk.srt --language xx; expect "a language without words" 2 "--language xx: no words of it; there are en, de, "
subtitle --style bbc; expect "a style without subtitles" 2 "--style is for subtitles, which are given by --srt, --vtt, --ass, --ttml or --transcript"
subtitle --srt talk.srt --vtt talk.vtt; expect "two subtitles" 2 "--srt or --vtt, not both"
subtitle --srt talk.srt -o talk.wav; expect "the sound as output" 2 "--out talk.wav is the file that is read"
run subtitle --strip --srt talk.srt --style bbc; expect "a style to take off" 2 "--style does not go with --strip"
run subtitle --strip; expect "nothing to strip" 2 "--strip wants subtitles"
run subtitle talk.wav --strip --srt talk.srt; expect "a sound to strip" 2 "--strip hears no sound; leave talk.wav out"
subtitle --srt latin.srt --language ja "${all[@]}"; expect "words that Latin-1 lacks" 1 "latin.srt: the subtitles are in Latin-1, which cannot write the tag of"
for i in {1..33}; do printf '0:01 --> 0:02\na\n\n'; done >many.srt
subtitle --srt many.srt; expect "too many at once" 1 "more than 32 cues at one moment"
subtitle --srt talk.srt --enrol talk.wav; expect "a voice for a model without" 2 "--enrol: this model does not normalise per speaker"
"$audiomood" subtitle talk.wav --model run1 --srt talk.srt >/dev/full 2>err; code=$?; : >out; expect "a full standard output" 1 "standard output"
plan
