#!/bin/bash
# tests/cli/test_readback.sh AUDIOMOOD SOURCE_ROOT - what subtitle writes is read by other programs: ffmpeg, and the track element of a
# browser (TAP).  A program that is not there is a skipped test that names it.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" readback "$1" "$2"

skip() { cases=$((cases + 1)); echo "ok $cases - $1 # SKIP $2"; }
trained
{ silence 1000; clip 3 4 | head -c 48000; silence 2500; clip 3 9 | head -c 48000; silence 1000; } | wav talk.wav
printf '1\n00:00:01,000 --> 00:00:02,500\nHello & <i>bye</i>\n\n2\n00:00:05,000 --> 00:00:06,500\n3 < 4\nthere\n\n' >talk.srt
all=(--threshold 0 --margin 0 --gap 0 --per-minute 60)
echo '<tt/>' >none.ttml; run subtitle --strip --ttml none.ttml; [ $code = 0 ] && xml=ttml || xml=
for f in srt vtt ass $xml; do run subtitle talk.wav --model run1 --srt talk.srt -o how.$f "${all[@]}"; done
expect "they are written" 0 "of 2 cues say how"
tag=$(sed -nE '3s/^(\[[a-z ]+\]) .*/\1/p' how.srt); [ -n "$tag" ] && ok "with a tag" || not_ok "with a tag" "$(cat how.srt)"

# ---- ffmpeg ----
for f in srt vtt ass; do
  name="ffmpeg reads ${f^^}"
  command -v ffmpeg >/dev/null || { skip "$name" "ffmpeg is not there"; continue; }
  ffmpeg -v error -y -i how.$f -f srt back.srt 2>err; sed -E 's/<[^>]*>|\{[^}]*\}//g' back.srt | tr -d '\r' >out
  grep -q '^00:00:01,000 --> 00:00:02,500$' out && grep -qF "$tag Hello & bye" out && grep -q '^00:00:05,000 --> 00:00:06,500$' out && grep -q '3 < 4' out && grep -q '^there$' out &&
    ok "$name" || not_ok "$name"
done

# ---- a browser ----
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
cues_in_browser() { # FILE.vtt: "start end text" of each cue, as the track element has them
  { echo '<video><track default src="data:text/vtt;base64,'"$(base64 -w0 "$1")"'"></video><script>var t=document.querySelector("track");t.track.mode="hidden";
t.onload=function(){document.body.textContent=Array.from(t.track.cues).map(function(c){return"cue "+c.startTime+" "+c.endTime+" "+c.getCueAsHTML().textContent.replace(/\n/g,"|")}).join("\n")}</script>'; } >track.html
  HOME=$work timeout 60 "$browser" --headless --no-sandbox --disable-gpu --virtual-time-budget=5000 --dump-dom "file://$work/track.html" 2>err |
    sed -e 's/<[^>]*>//g' -e 's/&lt;/</g' -e 's/&amp;/\&/g' >out
}
name="a browser reads WebVTT"
if [ -z "$browser" ]; then skip "$name" "chromium is not there"; skip "also classes" "chromium is not there"; else
  cues_in_browser how.vtt
  grep -qF "cue 1 2.5 $tag Hello & bye" out && grep -q 'cue 5 6.5 .*3 < 4|there' out && ok "$name" || not_ok "$name"
  run subtitle talk.wav --model run1 --srt talk.srt --style class -o classes.vtt "${all[@]}"
  cues_in_browser classes.vtt
  grep -q 'cue 1 2.5 Hello & bye' out && ok "also classes, with their STYLE block" || not_ok "also classes, with their STYLE block"
fi

# ---- the page ----
run subtitle talk.wav --model run1 --srt talk.srt --report page.html -o how.srt; expect "a page" 0 "cues say how"
links=$(grep -oE '(src|href)="[^"]{0,15}' page.html | sort -u)
[[ $links == *'src="data:audio/fl'* ]] && ! grep -qvE '="data:(audio/fl|image/png)' <<<"$links" && ok "without outside resources" || not_ok "without outside resources" "$links"
grep -q 'aria-label="Play 0:01.0 to 0:02.5"' page.html && grep -q 'Hello &amp; <i>bye\|Hello &amp; &lt;i&gt;bye' page.html && ok "its cues can be played" || not_ok "its cues can be played"
{ tail -c +45 talk.wav; head -c 19300000 /dev/zero; } | wav long.wav
run subtitle long.wav --model run1 --report long.html -o long.srt
grep -q '<audio controls="controls" preload="metadata" src="long.wav">' long.html && ok "a long sound is beside the page" || not_ok "a long sound is beside the page" "$(head -c 300 long.html)"
if command -v xmllint >/dev/null; then xmllint --noout page.html ${xml:+how.ttml} 2>err && ok "pages and TTML are XML" || not_ok "pages and TTML are XML"; else skip "pages and TTML are XML" "xmllint is not there"; fi
if [ -z "$browser" ]; then skip "it plays" "chromium is not there"; else
  sed 's#</body>#<script>setTimeout(function(){document.querySelectorAll("button")[1].click();setTimeout(function(){var a=document.querySelector("audio");document.title=(a.error||a.paused?"silent ":"plays ")+(a.currentTime>=5)},1000)},1000)</script></body>#' page.html >click.html
  HOME=$work timeout 60 "$browser" --headless --no-sandbox --disable-gpu --autoplay-policy=no-user-gesture-required --virtual-time-budget=6000 --dump-dom "file://$work/click.html" 2>err | grep -o '<title>[^<]*' >out
  grep -q 'plays true' out && ok "a browser plays it" || not_ok "a browser plays it"
fi
run subtitle - --model run1 --srt talk.srt --report page.html <talk.wav; expect "a page of standard input" 2 "--report hears the sound once more"
run subtitle talk.wav --model run1 --srt talk.srt --report talk.srt; expect "a page over the subtitles" 2 "--report talk.srt is a file that is read; give another name"
run subtitle talk.wav --model run1 -o a.html --report a.html; expect "a page over the output" 2 "--report and --out are the same file: a.html"
plan
