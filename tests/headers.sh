#!/bin/sh
# tests/headers.sh INCLUDE_DIR CC CXX - each public header alone, as C11 and as C++17 (TAP).
# SPDX-License-Identifier: MIT
include=$1 cc=$2 cxx=$3
set -- "$include"/audiomood/*.h
n=$#
two=$n; command -v "$cxx" >/dev/null 2>&1 && two=$((2 * n))
echo "1..$two"
i=0
report() { # status name
  i=$((i + 1))
  if [ "$1" = 0 ]; then echo "ok $i - $2"; else echo "not ok $i - $2"; fi
}
for h; do
  name=audiomood/$(basename "$h")
  echo "#include <$name>" | "$cc" -std=c11 -Wall -Wextra -Werror -pedantic -I"$include" -x c -fsyntax-only - 1>&2
  report $? "$name as C11"
  if [ "$two" != "$n" ]; then
    echo "#include <$name>" | "$cxx" -std=c++17 -Wall -Wextra -Werror -pedantic -I"$include" -x c++ -fsyntax-only - 1>&2
    report $? "$name as C++17"
  fi
done
