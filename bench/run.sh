#!/bin/sh
# The benches; `bench/run.sh --help` lists the options. See bench/README.md.
exec python3 "$(dirname "$0")/bench.py" "$@"
