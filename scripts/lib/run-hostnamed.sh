#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs the real systemd-hostnamed on a private bus so that nothing it does reaches the host: in a
# mount and a UTS namespace of its own, with a private copy of /etc and everything else read-only.
# Used by scripts/quickstart and by the tests, directly or as Exec= of a D-Bus service file.
#
#   run-hostnamed.sh DIR ADDRESS     becomes hostnamed on the bus ADDRESS, and ends with its parent;
#                                    DIR keeps its /etc, so that the next hostnamed finds again what
#                                    this one wrote
#   run-hostnamed.sh --activated DIR ADDRESS
#                                    the same for Exec= of a D-Bus service file; ends with the bus
#   run-hostnamed.sh --check         0 if namespaces can be had; else 1, and the reason on stdout
#   run-hostnamed.sh --policy        prints what the bus must have inside <busconfig>
#
# Root makes the namespaces directly, others by a user namespace. Where neither is allowed,
# hostnamed runs without, and the policy admits only calls that read. MQTTRPC_NO_NAMESPACES=1 acts
# as if they were not allowed.
set -eu

hostnamed=/usr/lib/systemd/systemd-hostnamed
[ -x "$hostnamed" ] || hostnamed=/lib/systemd/systemd-hostnamed

# /etc is a bind mount of a copy, not an overlay: an overlay refuses an upper directory that is
# itself on an overlay, as /tmp is in a container.
inside() {
        local dir=$1 address=$2
        mount --bind "$dir/etc" /etc
        mount --bind /run /run
        mount -o remount,bind,ro /run
        mount -o remount,bind,ro /
        [ ! -s /etc/hostname ] || hostname -F /etc/hostname
        become "$address"
}

become() {
        exec setpriv --pdeathsig KILL -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 SYSTEMD_LOG_TARGET=console \
                DBUS_SYSTEM_BUS_ADDRESS="$1" "$hostnamed"
}

# Only what hostnamed and its libraries read, and no secrets.
copy_etc() {
        local dir=$1 name
        [ ! -d "$dir/etc" ] || return 0
        mkdir -p "$dir/etc.new"
        for name in hostname hosts machine-id machine-info os-release localtime nsswitch.conf \
                passwd group; do
                [ ! -e "/etc/$name" ] || cp -dp "/etc/$name" "$dir/etc.new/"
        done
        mv "$dir/etc.new" "$dir/etc"
}

namespaces=(unshare --mount --uts --propagation private)
if [ "$(id -u)" != 0 ]; then
        namespaces+=(--user --map-current-user --keep-caps)
fi

# shellcheck disable=SC2016 # the inner shell expands it
have_namespaces() {
        if [ -n "${MQTTRPC_NO_NAMESPACES:-}" ]; then
                echo "not wanted"
                return 1
        fi
        "${namespaces[@]}" -- sh -c 'mount --bind /run /run && mount -o remount,bind,ro /run &&
                mount -o remount,bind,ro / && hostname "$(hostname)"' 2>&1
}

direct() {
        copy_etc "$1"
        if have_namespaces >/dev/null; then
                exec "${namespaces[@]}" -- "$0" --inside "$1" "$2"
        fi
        become "$2"
}

# Neither does hostnamed end with its bus, nor with its parent: that is a helper of dbus-daemon,
# which goes when the name is taken. So this shell stays, watches the dbus-daemon that started the
# helper, and takes hostnamed along when it ends. DIR/pid says who this shell is.
activated() {
        local bus
        bus=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$PPID/status")
        echo $$ >"$1/pid"
        copy_etc "$1"
        "$0" "$1" "$2" &
        setpriv --pdeathsig KILL -- tail -f -s 0.1 --pid="$bus" /dev/null &
        wait -n || true
}

print_policy() {
        if [ "$(id -u)" != 0 ]; then
                # The packaged policy lets only root own the name.
                echo "<policy user=\"$(id -un)\"><allow own=\"org.freedesktop.hostname1\"/></policy>"
        fi
        if ! have_namespaces >/dev/null; then
                cat <<'X'
<policy context="mandatory">
  <deny send_destination="org.freedesktop.hostname1" send_interface="org.freedesktop.hostname1"/>
  <allow send_destination="org.freedesktop.hostname1" send_interface="org.freedesktop.hostname1"
         send_member="Describe"/>
</policy>
X
        fi
}

case ${1:-} in
--check)
        [ -x "$hostnamed" ] || { echo "systemd-hostnamed is not installed"; exit 1; }
        reason=$(have_namespaces) || { echo "no namespaces: ${reason##*$'\n'}"; exit 1; }
        ;;
--policy)
        print_policy
        ;;
--inside)
        inside "$2" "$3"
        ;;
--activated)
        activated "$2" "$3"
        ;;
/*)
        [ $# = 2 ] || { echo "run-hostnamed.sh: bus address missing" >&2; exit 2; }
        direct "$1" "$2"
        ;;
*)
        echo "usage: run-hostnamed.sh [--activated] /ABSOLUTE/DIR ADDRESS | --check | --policy" >&2
        exit 2
        ;;
esac
