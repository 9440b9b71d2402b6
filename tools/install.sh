#!/usr/bin/env bash
#
# Installs what is missing on Debian 12, and nothing when all is there.
#
#   tools/install.sh run     what building and running need (the default)
#   tools/install.sh test    that, and what tests, checks and benches need
#
# A tool that is there counts, wherever it came from; a library counts when pkg-config finds it.
# The packages of PostgreSQL and Redis would start a server each: that is prevented, because
# `spark up` runs its own. Neither systemd nor /dev/shm is needed.
set -euo pipefail

profile=${1:-run}
case $profile in
run | test) ;;
*)
    echo "usage: tools/install.sh [run|test]" >&2
    exit 2
    ;;
esac

missing=()

# need_tool PACKAGES COMMAND…: one of the commands must be on the PATH
need_tool() {
    local packages=$1 tool
    shift
    for tool in "$@"; do
        if command -v "$tool" >/dev/null 2>&1; then return; fi
    done
    # shellcheck disable=SC2206
    missing+=($packages)
}

need_package() {
    local package
    for package in "$@"; do
        if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
}

need_library() {
    local package=$1 name=$2
    if ! pkg-config --exists "$name" 2>/dev/null; then missing+=("$package"); fi
}

newest_postgres() {
    local bin
    for bin in /usr/lib/postgresql/*/bin/postgres "$(command -v postgres || true)"; do
        if [ -x "$bin" ]; then "$bin" --version; fi
    done | sed -n 's/.*) \([0-9]*\).*/\1/p' | sort -n | tail -n 1
}

node_major() {
    { node --version 2>/dev/null || echo v0; } | sed 's/^v\([0-9]*\).*/\1/'
}

need_run() {
    need_tool gcc gcc
    if [ ! -e /usr/include/stdio.h ]; then missing+=(libc6-dev); fi
    need_tool make make
    need_tool cmake cmake
    need_tool ninja-build ninja
    need_tool pkg-config pkg-config
    need_tool python3 python3
    need_tool curl curl
    need_library libh2o-evloop-dev libh2o-evloop
    need_library libssl-dev openssl
    need_library libpq-dev libpq
    need_library libhiredis-dev hiredis
    need_library libjansson-dev jansson
    need_library libjwt-dev libjwt
    need_library libpcre2-dev libpcre2-8
    need_library libargon2-dev libargon2
    need_library libcurl4-openssl-dev libcurl
    need_library libutf8proc-dev libutf8proc
    need_library libexpat1-dev expat
    need_library libidn2-dev libidn2
    need_library libyaml-dev yaml-0.1
    need_tool redis-server redis-server
    need_tool redis-tools redis-cli
    if [ "$(newest_postgres || true)" -lt 15 ] 2>/dev/null || [ -z "$(newest_postgres || true)" ]; then
        missing+=(postgresql)
    fi
}

need_test() {
    need_package libcmocka-dev
    need_tool clang clang
    need_tool clang-format clang-format
    need_tool clang-tidy clang-tidy
    need_tool cppcheck cppcheck
    if ! ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1; then
        missing+=(libclang-rt-14-dev)
    fi
    if [ "$(node_major)" -lt 18 ]; then missing+=(nodejs); fi
    need_tool npm npm
    need_tool "chromium fonts-liberation" chromium chromium-browser google-chrome
    need_tool wrk wrk
    need_tool postgresql-client psql
    PATH=$PATH:/usr/sbin need_tool pgbouncer pgbouncer
    need_tool procps ps
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "tools/install.sh: not root and no sudo; as root, run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
}

policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.d/spark.conf
made=()

put_back() {
    if [ ${#made[@]} -gt 0 ]; then as_root rm -f "${made[@]}"; fi
}

# While the packages are configured: no service starts, no default database cluster is made.
hold_services() {
    trap put_back EXIT
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made+=("$policy")
    fi
    if ! dpkg-query -W postgresql-common >/dev/null 2>&1; then
        as_root mkdir -p "$(dirname "$cluster")"
        echo "create_main_cluster = false" | as_root tee "$cluster" >/dev/null
        made+=("$cluster")
    fi
}

# Nor do they start at the next boot, if it was we who brought them.
disable_services() {
    local package
    if ! command -v systemctl >/dev/null 2>&1; then return; fi
    for package in "${missing[@]}"; do
        case $package in
        redis-server | postgresql | pgbouncer)
            as_root systemctl --quiet disable "$package.service" >/dev/null 2>&1 || true
            ;;
        esac
    done
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
        apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@"
}

need_run
if [ "$profile" = test ]; then need_test; fi
if [ ${#missing[@]} = 0 ]; then exit 0; fi

if ! command -v apt-get >/dev/null 2>&1; then
    echo "tools/install.sh: no apt-get here; install by other means: ${missing[*]}" >&2
    exit 1
fi
log=$(mktemp)
echo "installing ${missing[*]}"
hold_services
if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "tools/install.sh: apt-get failed; its output is in $log" >&2
    exit 1
fi
rm -f "$log"
disable_services
