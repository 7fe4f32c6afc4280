#!/bin/bash
# tests/licences.sh AUDIOMOOD SOURCE_ROOT - each file has a licence, and `audiomood help licences` has each library (TAP).
# SPDX-License-Identifier: MIT
# REUSE-IgnoreStart
audiomood=$(realpath "$1") root=$(realpath "$2")
cd "$root" || exit 1
export LC_ALL=C
n=0
result() { # FAULT NAME
  n=$((n + 1))
  if [ -z "$1" ]; then echo "ok $n - $2"; else printf '%s\n' "$1" | sed 's/^/# /'; echo "not ok $n - $2"; fi
}

# What programs of tools/ wrote (golden_*) has its licence by REUSE.toml, as have texts and data.
written() { find src include examples tests tools datasets checkpoints docs .ci meson.build meson_options.txt -type f ! -name 'golden_*' "$@"; }
sources=$({ written \( -name '*.[ch]' -o -name '*.cpp' -o -name '*.py' -o -name '*.sh' -o -name meson.build \); written ! -name '*.*' -exec grep -lm1 '^#!' {} +; } | sort -u)
result "$([ "$(wc -l <<<"$sources")" -gt 1000 ] || echo "few sources: $(wc -l <<<"$sources")"
  grep -L 'SPDX-License-Identifier: ' $sources)" "each source and script says its licence"

named=$(grep -hoE '^SPDX-License-Identifier = ".*"' REUSE.toml | cut -d '"' -f 2; grep -hm1 'SPDX-License-Identifier: ' $sources | sed 's/.*SPDX-License-Identifier: //; s/ .*//')
result "$(diff <(sort -u <<<"$named") <(ls LICENSES | sed 's/\.txt$//' | sort))" "LICENSES has the text of each licence, and no other"
result "$(diff <(sed "/^---$/,\$d" LICENSE) <(cat LICENSES/MIT.txt; echo); for line in "Attribution-NonCommercial-ShareAlike 4.0" "Section 8"; do
  grep -q "$line" LICENSES/CC-BY-NC-SA-4.0.txt || echo "no $line"; done)" "and whole"

"$audiomood" help licences >"${TMPDIR:-/tmp}/licences.$$" || echo "# exit code $?"
told=$(sed -n 's/^  \([A-Za-z0-9-]*\( MPI\)\{0,1\}\)  *[A-Z].*/\1/p; s/^  \(MPICH\).*/\1/p' "${TMPDIR:-/tmp}/licences.$$" | tr '[:upper:]' '[:lower:]' | tr -d ' ')
rm "${TMPDIR:-/tmp}/licences.$$"
# As the loader needs them: libopenblas.so.0 is openblas.  Of the C library and the compiler: c, m, gcc_s, asan ...
linked=$(readelf -d "$audiomood" 2>/dev/null | sed -n 's/.*NEEDED.*\[lib\(.*\)\.so.*/\1/p' |
  sed -E 's/^fftw3f$/fftw/; s/^(sndfile|mpg123|vorbisfile|opusfile|soxr|yaml)(-.*)?$/lib\1/; s/^pcre2-8$/pcre2/; s/^hdf5.*/hdf5/; s/^sz$/libaec/; s/^z$/zlib/' |
  grep -vE '^(c|m|dl|pthread|rt|gcc_s|stdc\+\+|(a|l|t|ub)san)$')
result "$([ -n "$linked" ] || echo "readelf names no library"; for l in $linked; do grep -qxF "$l" <<<"$told" || echo "$l"; done)" \
  "help licences has each library that the command is linked with"
verbose=$("$audiomood" --version --verbose | sed -n '/^libraries/,/^$/s/^  \([a-z0-9]*\) .*/\1/p')
result "$([ "$(wc -w <<<"$verbose")" -ge 10 ] || echo "few libraries"; for l in $verbose; do grep -qxF "$l" <<<"$told" || echo "$l"; done)" \
  "and each of which --version --verbose tells the version"

# Debian 12's reuse does not know REUSE.toml yet.
version=$(reuse --version 2>/dev/null | sed -n 's/^reuse.* \([0-9]*\)\..*/\1/p')
if [ "${version:-0}" -ge 4 ] && git rev-parse -q --git-dir >/dev/null 2>&1; then
  result "$(reuse lint -q || reuse lint -l)" "reuse lint"
else
  n=$((n + 1)); echo "ok $n - reuse lint # SKIP it needs reuse 4 or newer, and git"
fi
# REUSE-IgnoreEnd
echo "1..$n"
