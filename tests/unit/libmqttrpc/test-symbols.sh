#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-symbols.sh LIBRARY SYMBOL-FILE INCLUDE-DIR: what the library exports, what the symbol file
# lists and what the header declares is the same set, and the headers are good C and C++.

set -eu

library=$1 symbols=$2 include=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort \
        >"$work/exported"
sed -n 's/^ *\(mqttrpc_[a-z0-9_]*\);$/\1/p' "$symbols" | sort >"$work/listed"
tr '\n' ' ' <"$include/mqttrpc/mqttrpc.h" | sed 's/MQTTRPC_PUBLIC /\n&/g' |
        sed -n 's/^MQTTRPC_PUBLIC [^(]*[ *]\(mqttrpc_[a-z0-9_]*\)(.*/\1/p' | sort >"$work/declared"

status=0
[ -s "$work/exported" ] || { echo "$library exports nothing"; exit 1; }
diff -u "$work/listed" "$work/exported" || { echo "exported is not what $symbols lists"; status=1; }
diff -u "$work/declared" "$work/listed" || { echo "declared is not what $symbols lists"; status=1; }
nm -D --defined-only "$library" | awk '$2 ~ /[BDR]/ && $3 !~ /^MQTTRPC_/ { print "exports data: " $3; bad = 1 }
        END { exit bad }' || status=1

# compile COMPILER LANGUAGE STANDARD HEADER
compile()
{
        command -v "$1" >/dev/null || return 0
        printf '#include <%s>\nint main() { return 0; }\n' "$4" |
                "$1" -x "$2" "-std=$3" -Wall -Wextra -pedantic -Werror -fsyntax-only -I"$include" - || {
                echo "$4 does not compile as $3"
                status=1
        }
}
compile cc c c99 mqttrpc/mqttrpc.h
compile cc c c17 mqttrpc/mqttrpc.h
compile g++ c++ c++11 mqttrpc/mqttrpc.h
compile g++ c++ c++20 mqttrpc/mqttrpc.h
if printf '#include <systemd/sd-event.h>\n' | cc -fsyntax-only -x c - 2>/dev/null; then
        compile cc c gnu17 mqttrpc/sd-event.h
        compile g++ c++ gnu++20 mqttrpc/sd-event.h
fi
exit $status
