#!/bin/bash
# SPDX-License-Identifier: MIT
#
#   private-broker.sh DIR PORT
#
# Writes DIR/mosquitto.conf, DIR/mqttrpc.acl and an empty DIR/mqttrpc.passwd: the packaged broker
# configuration with its paths moved to DIR (absolute), the TCP listener to PORT, or without it if
# PORT is 0, and the log to stderr. Used by scripts/quickstart and by the tests, so that both run on
# what is shipped. Users are added by mqttrpc-adduser --dir DIR.
set -eu

dir=$1 port=$2
packaged=$(cd "$(dirname "$0")/../../packaging/mosquitto" && pwd)
conf=$dir/mosquitto.conf

if [ "$port" = 0 ]; then
        tcp='/^listener 1883 127\.0\.0\.1$/d'
else
        tcp="s|^listener 1883 127\.0\.0\.1\$|listener $port 127.0.0.1|"
fi
sed -e "s|/run/mqttrpc/broker\.sock|$dir/broker.sock|" -e "s|/etc/mosquitto/|$dir/|" -e "$tcp" \
        "$packaged/mqttrpc.conf" >"$conf"
if grep -E '^[^#]*(/run/|/etc/|1883)' "$conf" >&2; then
        echo "private-broker.sh: this line of mqttrpc.conf would reach the host" >&2
        exit 1
fi
{
        echo "log_dest stderr"
        # Started by root, mosquitto would become another user, who cannot read DIR.
        [ "$(id -u)" != 0 ] || echo "user root"
} >>"$conf"
cp "$packaged/mqttrpc.acl" "$dir/mqttrpc.acl"
: >"$dir/mqttrpc.passwd"
chmod 600 "$dir/mqttrpc.passwd"
