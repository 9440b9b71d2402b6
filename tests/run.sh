#!/usr/bin/env bash
#
# Runs every test against real servers of its own and ends with "N passed, N failed, N skipped".
#
#   tests/run.sh [build folder] [suite…] [file…]
#
# Suites: unit db api ext e2e chaos stack arch turns (all of these when none is named); and real,
# which needs the real data. Words that are no suite choose files of those suites by a part of their
# name: `tests/run.sh build/asan api tenant_matrix`, `tests/run.sh build/asan unit db jobs`.
# The suite stack runs twice, on the build folder and on build/release (SPARK_RELEASE_DIR): builds
# with sanitizers have larger stacks, which would hide what ends the program that is shipped. The
# suite turns, how much CPU a turn of the loop takes, runs on build/release alone.
# A skipped test fails the run unless tests/skips.txt gives its reason.
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/asan}
case $build in /*) ;; *) build=$PWD/$build ;; esac
shift || true
suites=
chosen=()
for word in "$@"; do
    case $word in
    unit | db | api | ext | e2e | chaos | stack | arch | real | turns) suites+="$word " ;;
    *) chosen+=("$word") ;;
    esac
done
if [ -z "$suites" ] && [ ${#chosen[@]} -gt 0 ]; then
    echo "tests/run.sh: no suite '${chosen[0]}'; name the suite first: unit db api ext e2e chaos stack arch real turns" >&2
    exit 2
fi
suites=${suites:-unit db api ext e2e chaos stack arch turns}
release=$(realpath -m "${SPARK_RELEASE_DIR:-build/release}")

# The embedded servers run as a user of their own when we are root: their folder must be reachable.
work=$(mktemp -d "${TMPDIR:-/tmp}/spark-test.XXXXXX")
chmod 755 "$work"
results=$work/results
mkdir "$results"

export SPARK_BUILD_DIR=$build
export SPARK_BIN=$SPARK_BUILD_DIR/bin/spark
export SPARK_TEST_WORK=$work
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=0:abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
unset DATABASE_URL DATABASE_DIRECT_URL REDIS_URL SPARK_DATA ADMIN_TOKEN DIRECTUS_ADMIN_TOKEN \
    GOD_MODE_TOKEN SECRET FORCE_FRESH_INSTALL

backends=
clean_up() {
    if [ -n "$backends" ]; then
        kill -TERM "$backends" 2>/dev/null
        wait "$backends" 2>/dev/null
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

start_backends() {
    mkfifo "$work/ready"
    "$SPARK_BIN" up --backends-only --data "$work/var" >"$work/ready" 2>"$work/backends.log" &
    backends=$!
    local line
    while read -r line; do
        case $line in
        ready) break ;;
        DATABASE_URL=*) export SPARK_TEST_DATABASE_URL=${line#*=} ;;
        DATABASE_ADMIN_URL=*) export SPARK_TEST_DATABASE_ADMIN_URL=${line#*=} ;;
        REDIS_URL=*) export SPARK_TEST_REDIS_URL=${line#*=} ;;
        esac
    done <"$work/ready"
    if [ -z "${SPARK_TEST_DATABASE_URL:-}" ] || [ "$line" != ready ]; then
        cat "$work/backends.log" >&2
        echo "tests/run.sh: the embedded PostgreSQL and Redis did not start" >&2
        exit 1
    fi
}

install_node_packages() {
    # A link leads to the packages of another tree, which are not ours to change.
    if [ ! -L tests/node_modules ] && { [ ! -e tests/node_modules/.package-lock.json ] ||
        [ tests/package-lock.json -nt tests/node_modules/.package-lock.json ]; }; then
        echo "== npm ci"
        (cd tests && npm ci --loglevel=error) || exit 1
        touch tests/node_modules/.package-lock.json
    fi
    export PATH=$PWD/tests/node_modules/.bin:$PATH
}

# Is this file (or test of ctest) among those that were chosen? Without a choice all are.
is_chosen() {
    [ ${#chosen[@]} -eq 0 ] && return 0
    local part
    for part in "${chosen[@]}"; do
        case $(basename "$1") in *"$part"*) return 0 ;; esac
    done
    return 1
}

# choose FILE…: into `files`.
choose() {
    files=()
    local file
    for file in "$@"; do
        if is_chosen "$file"; then files+=("$file"); fi
    done
}

# run_ctest LABEL [NAME of its results]
run_ctest() {
    local only=()
    if [ ${#chosen[@]} -gt 0 ]; then only=(-R "($(IFS='|' && echo "${chosen[*]}"))"); fi
    ctest --test-dir "$SPARK_BUILD_DIR" -L "^$1\$" "${only[@]}" -j "$(nproc)" --no-tests=ignore \
        --output-on-failure --test-output-size-passed 1000000 --output-junit "$results/${2:-$1}.xml"
}

# run_node SUITE FILE…: each starts the stack it needs. Two files at a time, but where a test kills
# processes or measures turns.
run_node() {
    local suite=$1 at_once=1
    shift
    case $suite in api | ext | e2e) at_once=2 ;; esac
    install_node_packages
    node --test --test-concurrency=$at_once --test-timeout="${SPARK_TEST_TIMEOUT_MS:-300000}" \
        --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=tap --test-reporter-destination="$results/$suite.tap" "$@"
}

# run_stack NAME: on the build that SPARK_BUILD_DIR and SPARK_BIN name.
run_stack() {
    echo "== stack on $SPARK_BUILD_DIR"
    if [ ! -x "$SPARK_BIN" ]; then
        echo "tests/run.sh: $SPARK_BIN is not there; tools/build.sh release" >&2
        touch "$results/$1.failed"
        return
    fi
    run_ctest stack "$1"
    choose tests/stack/*.test.mjs
    if [ ${#files[@]} -gt 0 ]; then
        run_node "$1" "${files[@]}" || touch "$results/$1.failed"
    fi
}

# run_turns FILE…: sanitizers make everything slow, so only the release build is measured.
run_turns() {
    echo "== turns on $release"
    if [ ! -x "$release/bin/spark" ]; then
        echo "tests/run.sh: $release/bin/spark is not there; tools/build.sh release" >&2
        touch "$results/turns.failed"
        return
    fi
    SPARK_BUILD_DIR=$release SPARK_BIN=$release/bin/spark run_node turns "$@" ||
        touch "$results/turns.failed"
}

run_python() {
    local file name
    for file in "$@"; do
        name=$(basename "$file" .py)
        python3 "$file" >"$results/arch.$name.out" 2>&1
        echo "$?" >"$results/arch.$name.exit"
    done
}

needs_servers=
for suite in $suites; do
    case $suite in unit | arch) ;; *) needs_servers=yes ;; esac
done
if [ -n "$needs_servers" ]; then start_backends; fi

shopt -s nullglob
for suite in $suites; do
    case $suite in
    unit | db)
        echo "== $suite"
        run_ctest "$suite"
        ;;
    real)
        if [ ! -d "${SPARK_REAL_DATA:-data/spark}" ]; then
            echo "tests/run.sh: no real data in ${SPARK_REAL_DATA:-data/spark}; SPARK_REAL_DATA names its folder"
            exit 0
        fi
        echo "== real"
        run_ctest real
        choose tests/real/*.test.mjs
        if [ ${#files[@]} -gt 0 ]; then
            run_node real "${files[@]}" || touch "$results/real.failed"
        fi
        ;;
    stack)
        run_stack stack
        if [ "$build" != "$release" ]; then
            before=$SPARK_BUILD_DIR
            export SPARK_BUILD_DIR=$release SPARK_BIN=$release/bin/spark
            run_stack stack-release
            export SPARK_BUILD_DIR=$before SPARK_BIN=$before/bin/spark
        fi
        ;;
    arch)
        choose tests/arch/*.py
        echo "== arch"
        run_python "${files[@]}"
        ;;
    turns)
        choose tests/turns/*.test.mjs
        if [ ${#files[@]} -gt 0 ]; then run_turns "${files[@]}"; fi
        ;;
    api | ext | e2e | chaos)
        choose tests/"$suite"/*.test.mjs tests/"$suite"/*/*.test.mjs
        if [ ${#files[@]} -gt 0 ]; then
            echo "== $suite"
            run_node "$suite" "${files[@]}" || touch "$results/$suite.failed"
        fi
        ;;
    *)
        echo "tests/run.sh: no suite '$suite'" >&2
        exit 2
        ;;
    esac
done

python3 tests/support/tally.py "$results" tests/skips.txt
