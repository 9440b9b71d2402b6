#!/usr/bin/env bash
#
# Configures if needed and builds one preset, or only some targets of it: tools/build.sh release [target…]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift

# A cache made for another path (a moved or copied tree) cannot be used again.
cache=build/$preset/CMakeCache.txt
if [ -e "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$(pwd -P)" "$cache" &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$(pwd)" "$cache"; then
    rm -rf "build/$preset"
fi
if [ ! -e "build/$preset/build.ninja" ]; then
    echo "building $preset"
    cmake --preset "$preset" >"${TMPDIR:-/tmp}/spark-configure.$$" 2>&1 || {
        cat "${TMPDIR:-/tmp}/spark-configure.$$" >&2
        exit 1
    }
    rm -f "${TMPDIR:-/tmp}/spark-configure.$$"
fi
cmake --build "build/$preset" ${*:+--target "$@"} --parallel "${JOBS:-$(nproc)}" -- --quiet |
    sed '/^ninja: no work to do\.$/d'
