#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-symbols.sh LIBRARY SYMBOL-FILE INCLUDE-DIR: what the library exports, what the symbol file
# lists and what the header declares is the same set, and nothing but functions.

set -eu
export LC_ALL=C

library=$1 symbols=$2 include=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort \
        >"$work/exported"
sed -n 's/^ *\(mqttrpc_[a-z0-9_]*\);$/\1/p' "$symbols" >"$work/in-file"
sort "$work/in-file" >"$work/listed"
tr '\n' ' ' <"$include/mqttrpc/mqttrpc.h" | sed 's/MQTTRPC_PUBLIC /\n&/g' |
        sed -n 's/^MQTTRPC_PUBLIC [^(]*[ *]\(mqttrpc_[a-z0-9_]*\)(.*/\1/p' | sort >"$work/declared"

status=0
[ -s "$work/exported" ] || { echo "$library exports nothing"; exit 1; }
diff -u "$work/in-file" "$work/listed" || { echo "$symbols is not in order"; status=1; }
diff -u "$work/listed" "$work/exported" || { echo "exported is not what $symbols lists"; status=1; }
diff -u "$work/declared" "$work/listed" || { echo "declared is not what $symbols lists"; status=1; }
nm -D --defined-only "$library" | awk '$2 ~ /[BDR]/ && $3 !~ /^MQTTRPC_/ { print "exports data: " $3; bad = 1 }
        END { exit bad }' || status=1
exit $status
