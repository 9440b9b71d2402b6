#!/usr/bin/env bash
#
# tests/peer/run.sh BUILD [options of main.mjs]: installs Directus where it is missing, then compares.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:?usage: tests/peer/run.sh BUILD [options]}")
shift
export SPARK_BIN=$build/bin/spark SPARK_BUILD_DIR=$build
export DIRECTUS_PEERS=${DIRECTUS_PEERS:-$PWD/var/peers}
bench/peers/install.sh "$DIRECTUS_PEERS"
exec "$DIRECTUS_PEERS/node" tests/peer/main.mjs "$@"
