# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
#
# What the scripts share: where the tree is, which packages are needed for what, and how they are
# installed. Sourced, with the working directory changed to the root of the tree.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
source_dir=$PWD
build_dir=$source_dir/build

# Debian packages by purpose; the only list of them.
packages_build=(build-essential cmake ninja-build pkg-config libsystemd-dev libmosquitto-dev
        libcjson-dev uthash-dev libexpat1-dev libsqlite3-dev libssl-dev)
packages_run=(mosquitto mosquitto-clients dbus-daemon systemd)
packages_test=(libglib2.0-dev openssl python3 python3-jsonschema python3-paho-mqtt valgrind strace
        upower umockdev iproute2)
packages_lint=(clang-format-14 cppcheck shellcheck)

# mosquitto is in /usr/sbin, which is not in everybody's PATH.
export PATH=$PATH:/usr/sbin:/sbin

say() {
        printf '%s\n' "$*" >&2
}

die() {
        say "${0##*/}: $*"
        exit 1
}

as_root() {
        if [ "$(id -u)" = 0 ]; then
                "$@"
        elif command -v sudo >/dev/null; then
                sudo "$@"
        else
                die "root rights are needed, and there is no sudo, to run: $*"
        fi
}

missing_packages() {
        local package
        for package in "$@"; do
                dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
                        echo "$package"
        done
}

# Installing mosquitto must not start a broker on this machine. policy-rc.d is Debian's way to say
# so; one that is there already stays.
apt_install() (
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
                trap 'as_root rm -f "$policy"' EXIT
                trap 'exit 1' INT TERM HUP
                printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
                as_root chmod 755 "$policy"
        fi
        as_root apt-get -q update >&2 &&
                as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
                        -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@" >&2
)

# install_packages NAME...: installs those that are not there
install_packages() {
        local missing
        if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
                say "No Debian here; these packages, or what they contain, must be there: $*"
                return 0
        fi
        mapfile -t missing < <(missing_packages "$@")
        [ "${#missing[@]}" -gt 0 ] || return 0
        say "Installing: ${missing[*]}"
        apt_install "${missing[@]}" || die "cannot install: ${missing[*]}"
}
