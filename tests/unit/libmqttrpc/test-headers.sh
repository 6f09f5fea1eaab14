#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test-headers.sh INCLUDE-DIR: each installed header is good C and good C++ when it is all that a
# program includes. Exit status 77: C is, and there is no C++ compiler.

set -eu

include=$1
status=0

# compile COMPILER LANGUAGE STANDARD HEADER [PACKAGE]
compile()
{
        cflags=
        [ $# -lt 5 ] || cflags=$(pkg-config --cflags "$5")
        # shellcheck disable=SC2086 # several options
        printf '#include <%s>\nint main() { return 0; }\n' "$4" |
                "$1" -x "$2" "-std=$3" -Wall -Wextra -pedantic -Werror -fsyntax-only -I"$include" \
                        $cflags - || {
                echo "$4 does not compile as $3"
                status=1
        }
}

# compile_all COMPILER LANGUAGE OLD NEW
compile_all()
{
        compile "$1" "$2" "$3" mqttrpc/mqttrpc.h
        compile "$1" "$2" "$4" mqttrpc/mqttrpc.h
        compile "$1" "$2" "gnu${4#c}" mqttrpc/glib.h glib-2.0
        ! pkg-config --exists libsystemd ||
                compile "$1" "$2" "gnu${4#c}" mqttrpc/sd-event.h libsystemd
}

for header in "$include"/mqttrpc/*.h; do
        case ${header##*/} in
        mqttrpc.h | glib.h | sd-event.h) ;;
        *) echo "$header is not tested here"; status=1 ;;
        esac
done
compile_all cc c c99 c17
command -v g++ >/dev/null || {
        [ $status = 0 ] || exit $status
        echo "SKIP: there is no g++, so C++ was not tried"
        exit 77
}
compile_all g++ c++ c++11 c++20
exit $status
