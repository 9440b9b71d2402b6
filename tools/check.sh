#!/usr/bin/env bash
#
# Everything a reviewer should not have to say: format, two compilers, two analysers, the layers.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

step() {
    local name=$1 log
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        echo "ok      $name"
    else
        failed=1
        echo "FAILED  $name"
        tail -n 60 "$log"
    fi
    rm -f "$log"
}

c_files() {
    git ls-files --cached --others --exclude-standard "$@"
}

format() {
    c_files '*.c' '*.h' | xargs -r clang-format --dry-run --Werror
}

# A header that does not compile alone makes the order of includes matter.
headers() {
    local flags header
    flags="-std=gnu2x -D_GNU_SOURCE -DH2O_USE_LIBUV=0 -Wall -Wextra -Werror -Iinclude"
    flags+=" $(pkg-config --cflags libpq)"
    for layer in base io access content jobs factory visitors runtime server workers cli app gen; do
        flags+=" -Ibuild/dev/layers/$layer"
    done
    c_files 'core/*.h' 'server/*.h' 'workers/*.h' 'cli/*.h' 'extensions/*.h' 'include/*.h' |
        while read -r header; do
            # shellcheck disable=SC2086
            gcc $flags -fsyntax-only -x c - <<<"#include \"$PWD/$header\"" || exit 1
        done
}

tidy() {
    c_files 'core/*.c' 'server/*.c' 'workers/*.c' 'cli/*.c' 'extensions/*.c' |
        xargs -r -P "$(nproc)" -n 4 clang-tidy --quiet -p build/clang 2>&1 |
        { grep -E ': (error|warning): ' || true; } # not the way there: it is pages long
}

static_check() {
    local layers=() layer
    for layer in base io access content jobs factory visitors runtime server workers cli app gen; do
        layers+=("-Ibuild/dev/layers/$layer")
    done
    cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
        --suppressions-list=tools/cppcheck.txt -D_GNU_SOURCE -Iinclude "${layers[@]}" \
        core server workers cli extensions
}

scripts() {
    local file
    for file in tools/*.sh tests/*.sh; do bash -n "$file"; done
}

step "clang-format" format
step "gcc, debug" tools/build.sh dev
step "clang, debug" tools/build.sh clang
step "gcc, release" tools/build.sh release
step "headers compile alone" headers
step "clang-tidy" tidy
step "cppcheck" static_check
step "shell scripts parse" scripts
for script in tests/arch/*.py; do
    if [ -e "$script" ]; then step "$script" python3 "$script"; fi
done
exit $failed
