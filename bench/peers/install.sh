#!/bin/sh
# Installs Directus, BullMQ and their Node into the folder given, from the lock beside this file.
#
# No install script of any package runs; the one native module that has no ready-made binary for
# this Node is compiled here, against the headers that come with the npm package `node`.
set -eu

from=$(cd "$(dirname "$0")" && pwd)
into=${1:?usage: install.sh FOLDER}
mkdir -p "$into"
into=$(cd "$into" && pwd)

if [ -f "$into/installed.lock" ] && cmp -s "$from/package-lock.json" "$into/installed.lock"; then
    exit 0
fi
for program in npm make g++ python3; do
    command -v "$program" >/dev/null || {
        echo "install.sh: $program is missing (Debian: npm make g++ python3)" >&2
        exit 1
    }
done

cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$into/"
cd "$into"
# Not `npm ci`: it wants the optional packages of other platforms in the lock, and some registries do
# not carry them all. What the lock names is installed as it says, by version and checksum.
npm install --ignore-scripts --no-audit --no-fund --loglevel=error

# The one that fits this machine; npm leaves the other out.
for node_home in "$into"/node_modules/node-linux-*; do :; done
[ -x "$node_home/bin/node" ] || {
    echo "install.sh: no Node for $(uname -s) $(uname -m) came with the packages" >&2
    exit 1
}
ln -sfn "$node_home/bin/node" "$into/node"
PATH="$node_home/bin:$PATH"
cd "$into/node_modules/isolated-vm"
node "$into/node_modules/node-gyp/bin/node-gyp.js" rebuild --release -j 2 --nodedir="$node_home"
cp "$from/package-lock.json" "$into/installed.lock"
