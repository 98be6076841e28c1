#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make.sh: makes the reference captures web.scap.gz and ipv6.scap.gz again. Tiercel records a scripted workload in a test
# machine, so that the captures hold nothing of the machine that makes them.
#
# Usage: make.sh [BUILD]      the directory of a build, by default build/
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build}
packed=(--file "$here/workload.sh:/data/")
for program in privd privd-exec privd-types analyzer provoke; do
    packed+=(--file "$build/bin/$program")
done
for capture in web ipv6; do
    "$here/../vm/run.sh" --bare --timeout 300 bookworm "${packed[@]}" -- sh /data/workload.sh "$capture" >"$here/$capture.new"
    gzip -t "$here/$capture.new"
    mv "$here/$capture.new" "$here/$capture.scap.gz"
    echo "made $capture.scap.gz, $(stat -c %s "$here/$capture.scap.gz") bytes"
done
