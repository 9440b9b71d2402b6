#!/bin/sh
# Load for SOAK_MINUTES (60) while memory and queues are watched. See bench/README.md.
exec python3 "$(dirname "$0")/bench.py" --soak "${SOAK_MINUTES:-60}" "$@"
