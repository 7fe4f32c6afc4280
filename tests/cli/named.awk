# tests/cli/named.awk - read by tests/cli/test_named.sh: of each command that a page names in code, a line "PAGE:LINE", what it
# is, and an option of it (or -), with tabs between.  What it is: a command of audiomood, audiomood itself, a script (tools/check), or
# ? of an option that stands alone.  `commands` has the commands of audiomood.
# SPDX-License-Identifier: MIT
BEGIN { n = split(commands, list, " "); for (i = 1; i <= n; i++) known[list[i]] = 1 }
function put(what, option) { print FILENAME ":" line "\t" what "\t" option }
# The words of a span or of a line of an example.
function words(text,   i, n, w, at, alone, first) {
  gsub(/\\\|/, "|", text); sub(/^\$ /, "", text)
  gsub(/'[^']*'|"[^"]*"/, "QUOTED", text) # what is quoted is a value
  sub(/(^| )# .*/, "", text)
  n = split(text, w, /[ \t\n]+/)
  for (i = 1; i <= n; i++) {
    first = i == 1 || w[i - 1] ~ /^(\||&&|;|do|then)$/ || w[i - 1] ~ /;$/
    if (w[i] == "|" || w[i] == "&&" || w[i] == ";") { what = ""; continue }
    if (w[i] == "audiomood" || w[i] ~ /\/bin\/audiomood$/) {
      what = "audiomood"
      if (w[i + 1] ~ /:$/) break # a message
      if (w[i + 1] ~ /^[a-z]+$/) { what = w[++i]; put(what, "-") }
      continue
    }
    if (w[i] ~ /^(tools|datasets)\/[a-z0-9_.-]+$/ && w[i] !~ /\.(ini|yaml|md|csv|txt|h5)$/ && (first || w[i - 1] !~ /^-/)) { what = w[i]; put(what, "-"); continue }
    if (first && w[i] in known && text ~ /[ [|]--?[a-z]/) { what = w[i]; continue }
    if (first && w[i] ~ /^\[?-/) what = "?"
    else if (first) what = ""
    if (what != "") options(w[i])
  }
  what = ""
}
function options(word,   o) {
  sub(/=.*/, "", word)
  while (match(word, /(^|[[|(])--?[a-z][a-z0-9-]*/)) {
    o = substr(word, RSTART, RLENGTH); sub(/^[[|(]/, "", o)
    put(what, o); word = substr(word, RSTART + RLENGTH)
  }
}
# Spans of a paragraph, which may go over its lines.
function spans(   n, i, part) {
  n = split(paragraph, part, "`")
  for (i = 2; i <= n; i += 2) words(part[i])
  paragraph = ""
}
FNR == 1 { fenced = 0; line = 1 }
/^ *```/ {
  spans(); example()
  fenced = !fenced; kind = $0; sub(/^ *```/, "", kind)
  next
}
# Lines of an example that go on: with \ at the end, or with an option at the beginning of the next.
function example() { if (held != "") words(held); held = "" }
function take(text) {
  sub(/^ +/, "", text)
  if (held != "" && (held ~ /\\$/ || text ~ /^\[?--/)) { sub(/\\$/, "", held); held = held " " text; return }
  example()
  if (text ~ /^(\$ )?(audiomood|tools\/|AM_[A-Z]+=)/) { held = text; line = FNR }
}
fenced { if (kind !~ /^(yaml|python|csv|cmake|meson|nginx)$/) take($0); next }
/^    / && paragraph == "" { take($0); next }
/^$/ { spans(); example(); next }
/^\|/ { spans(); line = FNR; paragraph = $0; spans(); next }
{ example(); if (paragraph == "") line = FNR; paragraph = paragraph " " $0 }
END { spans(); example() }
