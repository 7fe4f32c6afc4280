#!/bin/sh
# tests/exports.sh LIBRARY INCLUDE_DIR - the shared library exports exactly the
# functions that public headers declare with AM_API (TAP). mangle_path is libgcov's, in a build for coverage.
# SPDX-License-Identifier: MIT
library=$1 include=$2
echo "1..1"
declared=$(cat "$include"/audiomood/*.h | tr '\n' ' ' | grep -oE 'AM_API[^;]*' | grep -oE 'am_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u)
exported=$(nm -D --defined-only "$library" | awk '$2 == "T" || $2 == "D" || $2 == "B" || $2 == "R" { print $3 }' |
  grep -vE '^(__|_init|_fini|_edata|_end|mangle_path$)' | sort -u)
if [ "$declared" = "$exported" ]; then echo "ok 1 - exported names"; exit 0; fi
echo "$declared" >declared.$$; echo "$exported" >exported.$$
diff declared.$$ exported.$$ | sed 's/^/# /'
rm -f declared.$$ exported.$$
echo "not ok 1 - exported names (< declared only, > exported only)"
