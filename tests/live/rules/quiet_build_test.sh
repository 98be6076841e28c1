#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# quiet_build_test.sh: the rules of Falco's users and ours say nothing while this project is built beside them.
#
# Usage: quiet_build_test.sh PRIVD ANALYZER PROVOKE SOURCE RULES...
# shellcheck source=tests/live/rules/harness.sh
. "$(dirname "$0")/harness.sh"
source=${4:?source} rules=()
shift 4
for file in "$@"; do
    if [ -r "$file" ]; then rules+=("$file"); else echo "(without $file, which is not there)"; fi
done
watch_with "${rules[@]}"
quiet "configuring the project" -- cmake -S "$source" -B "$work/build" -G Ninja
quiet "building a part of it" -- cmake --build "$work/build" --target tiercel_os tiercel_policy provoke
judge
