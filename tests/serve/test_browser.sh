#!/bin/bash
# tests/serve/test_browser.sh AUDIOMOOD SOURCE_ROOT - the page in Chromium, with a recording as its microphone (TAP; tools/try-page).
# SPDX-License-Identifier: MIT
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3 to drive a browser"; exit 0; }
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
  { echo "1..0 # SKIP no Chromium on PATH (Debian: chromium)"; exit 0; }
. "$(dirname "$(realpath "$0")")/../cli/tap.sh" browser "$1" "$2"
trained
{ silence 700; clip 3 4; silence 900; clip 3 9; silence 900; } >talk.raw
wav talk.wav <talk.raw
"$root/tools/try-page" "$audiomood" talk.wav run1
