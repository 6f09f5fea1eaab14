#!/bin/bash
# SPDX-License-Identifier: MIT
#
# scripts/quickstart succeeds, says so by its exit status, and leaves no process and no file behind:
# after its regular end, when it is interrupted at different moments, and when a server does not
# start. Exit status 77: skipped.
set -u -o pipefail

export MQTTRPC_BUILD_DIR=${MQTTRPC_BINDIR%/bin}
quickstart=$MQTTRPC_SRCDIR/scripts/quickstart
for program in dbus-mqtt-gateway mqttrpc; do
        [ -x "$MQTTRPC_BINDIR/$program" ] || { echo "SKIP: $program was not built"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
host_before=$(cat /proc/sys/kernel/hostname /etc/hostname /etc/machine-info 2>/dev/null)
failed=0

fail() {
        echo "FAIL: $*"
        sed 's/^/    /' "$work/output"
        failed=1
}

# Every server has the temporary directory in its command line or its environment.
leftovers() {
        local proc
        for proc in /proc/[0-9]*; do
                if grep -qsF "$TMPDIR/mqttrpc-quickstart" "$proc/cmdline" "$proc/environ"; then
                        tr '\0' ' ' <"$proc/cmdline"
                        echo
                fi
        done 2>/dev/null
}

check_nothing_left() {
        local left host
        left=$(leftovers)
        [ -z "$left" ] || fail "$1: processes left: $left"
        [ -z "$(ls -A "$TMPDIR")" ] || fail "$1: files left: $(ls -A "$TMPDIR")"
        host=$(cat /proc/sys/kernel/hostname /etc/hostname /etc/machine-info 2>/dev/null)
        [ "$host" = "$host_before" ] || fail "$1: the host has changed"
}

test_regular_end() {
        "$quickstart" --once >"$work/output" 2>&1 || fail "--once: exit status $?"
        grep -qx 'All as expected\.' "$work/output" || fail "--once: not all as expected"
        check_nothing_left --once
}

test_cloud() {
        [ -x "$MQTTRPC_BINDIR/mqttrpc-bridge" ] || return 0
        "$quickstart" --once --cloud >"$work/output" 2>&1 || fail "--cloud: exit status $?"
        grep -qx 'All as expected\.' "$work/output" || fail "--cloud: not all as expected"
        check_nothing_left --cloud
}

# test_interrupt SIGNAL TEXT: the signal comes when TEXT has been printed
test_interrupt() {
        local fd pid line status=0
        # Bash starts background processes with SIGINT ignored, and cannot trap it then.
        exec {fd}< <(exec env --default-signal=INT "$quickstart" --once 2>&1)
        pid=$!
        : >"$work/output"
        while IFS= read -r line <&"$fd"; do
                printf '%s\n' "$line" >>"$work/output"
                case $line in
                *"$2"*) break ;;
                esac
        done
        kill -"$1" "$pid" || fail "$1 at '$2': it has ended before"
        cat <&"$fd" >>"$work/output"
        exec {fd}<&-
        wait "$pid" || status=$?
        [ "$status" = $((128 + $(kill -l "$1"))) ] || fail "$1 at '$2': exit status $status"
        check_nothing_left "$1 at '$2'"
}

test_server_that_does_not_start() {
        local bin=$work/bin status=0
        mkdir "$bin"
        printf '#!/bin/sh\necho broken >&2\nexit 3\n' >"$bin/mosquitto"
        chmod +x "$bin/mosquitto"
        PATH=$bin:$PATH "$quickstart" --once >"$work/output" 2>&1 || status=$?
        [ "$status" = 1 ] || fail "broken broker: exit status $status"
        grep -q broken "$work/output" || fail "broken broker: its log is not shown"
        check_nothing_left "broken broker"
}

test_regular_end
test_cloud
for signal in INT TERM HUP; do
        test_interrupt $signal "To repeat this"
        test_interrupt $signal "SetStaticHostname"
done
test_server_that_does_not_start
[ "$failed" = 0 ] && echo "ok"
exit "$failed"
