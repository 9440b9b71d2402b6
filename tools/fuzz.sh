#!/usr/bin/env bash
#
# Runs every fuzzer for some seconds: tools/fuzz.sh 60 [name…]. New inputs go to build/fuzz/found;
# a crash is written to tests/fuzz/corpus/<parser>/, where every later build replays it.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
count=0
for fuzzer in build/fuzz/fuzz/fuzz_*; do
    if [ ! -x "$fuzzer" ]; then continue; fi
    parser=${fuzzer##*/fuzz_}
    if [ $# -gt 0 ] && [[ " $* " != *" $parser "* ]]; then continue; fi
    corpus=tests/fuzz/corpus/$parser
    found=build/fuzz/found/$parser
    mkdir -p "$corpus" "$found"
    echo "fuzzing $parser for $seconds s"
    if ! "$fuzzer" "$found" "$corpus" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 \
        -artifact_prefix="$corpus/" -print_final_stats=1 >"$found.log" 2>&1; then
        tail -n 40 "$found.log"
        echo "tools/fuzz.sh: $parser failed; its input is in $corpus" >&2
        exit 1
    fi
    grep -E 'number_of_executed_units' "$found.log" || true
    count=$((count + 1))
done
if [ $count = 0 ]; then
    echo "tools/fuzz.sh: no fuzzers in build/fuzz/fuzz; run make fuzz" >&2
    exit 1
fi
